// Predictions captured into CUDA graphs: replayed on new inputs in the same memory, they give what
// plain calls give.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <vector>

#include "cases/mixture_cases.hpp"
#include "cases/network_cases.hpp"
#include "cuda_pool.hpp"
#include "device/backend.hpp"  // for network, kernels, linalg, select
#include "kronite/csp.hpp"     // for score_pairs, top_k_rows

namespace kronite::test {
namespace {

/// Work on a borrowed stream, recorded.
class Graph {
 public:
  Graph(cudaStream_t stream, const std::function<void()>& work) {
    cudaGraph_t graph = nullptr;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    work();
    check(cudaStreamEndCapture(stream, &graph));
    check(cudaGraphInstantiateWithFlags(&runs_, graph, 0));
    check(cudaGraphDestroy(graph));
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { static_cast<void>(cudaGraphExecDestroy(runs_)); }

  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(runs_, stream)); }

 private:
  cudaGraphExec_t runs_ = nullptr;
};

class CudaGraph : public OnGpu {
 protected:
  void SetUp() override {
    OnGpu::SetUp();
    if (!IsSkipped()) device_.emplace(Device::cuda(0, stream()));
  }
  void TearDown() override {
    if (device_) {
      EXPECT_NO_THROW(device_->synchronize());
    }
  }
  Device& device() { return *device_; }

  /// Queues `work`, whose input is filled by set(seed) and whose result is read by get(): plainly
  /// for two inputs, then recorded on the first and replayed on the second and the first again.
  void replays_as_it_runs(const std::function<void()>& work, const std::function<void(int)>& set,
                          const std::function<std::vector<double>()>& get) {
    set(1);
    work();  // also makes what handles and notes of failures need, which a graph must not own
    const std::vector<double> first = get();
    set(2);
    work();
    const std::vector<double> second = get();
    ASSERT_NE(first, second) << "the input does not matter";

    device().synchronize();
    const Graph graph(stream(), work);
    EXPECT_EQ(get(), second) << "recording ran something";
    for (int round = 0; round < 3; ++round)
      for (const int seed : {1, 2}) {
        set(seed);
        graph.launch(stream());
        EXPECT_EQ(get(), seed == 1 ? first : second) << "round " << round;
      }
  }

  template <class T>
  void put(const HostMatrix<T>& from, DeviceMatrix<T>& to) {
    device().backend().copy(to.view().data, device().place(), from.values.data(), Place{},
                            from.values.size() * sizeof(T));
  }
  template <class T>
  static std::vector<double> values_of(const std::vector<T>& values) {
    return {values.begin(), values.end()};
  }

  void scores_replay(const ScoreCase& c, Precision precision) {
    const ScoreInputs<float> in(c);
    DeviceScore<float> on(device(), in);
    replays_as_it_runs(
        [&] {
          csp::score_pairs(device(), on.queries.view(), on.candidates.view(), on.pairs(),
                           on.ensemble.view(), on.p.vector(), precision);
        },
        [&](int seed) {
          put(random_matrix<float>(static_cast<std::uint64_t>(seed), c.queries, c.inputs),
              on.queries);
        },
        [&] { return values_of(on.p.to_host()); });
  }

 private:
  std::optional<Device> device_;
};

TEST_F(CudaGraph, ScoresOfNarrowNetworks) { scores_replay(published_2022(500), Precision::fp32); }

TEST_F(CudaGraph, ScoresOfWideNetworksInEachPrecision) {
  for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16})
    scores_replay(published_2024(500), precision);
}

TEST_F(CudaGraph, TheBestOfEachRow) {
  DeviceMatrix<float> scores(device(), random_matrix<float>(1, 20, 3000));
  DeviceMatrix<float> best(device(), HostMatrix<float>(20, 10));
  Array<std::int32_t> index(device(), 20, 10);
  replays_as_it_runs([&] { csp::top_k_rows(device(), scores.view(), best.view(), index.view()); },
                     [&](int seed) {
                       put(random_matrix<float>(static_cast<std::uint64_t>(seed), 20, 3000),
                           scores);
                     },
                     [&] { return values_of(index.to_host()); });
}

TEST_F(CudaGraph, KernelMeans) {
  const MixtureCase c{"", 300, 94, 58, 10, 8};
  const HostRows w = mixtures(c);
  const auto entries = static_cast<std::int64_t>(w.column.size());
  const Array<std::int64_t> first(device(), w.first, c.rows + 1, 1);
  const Array<std::int32_t> column(device(), w.column, entries, 1);
  const Array<double> value(device(), w.value, entries, 1);
  DeviceMatrix<double> h(device(), random_matrix<double>(1, c.n, c.features * c.grid));
  Array<double> phi(device(), c.rows, c.features * c.grid);
  replays_as_it_runs(
      [&] {
        device().backend().mixtures().mix_rows({first.vector(), column.vector(), value.vector()},
                                               h.view(), phi.view());
      },
      [&](int seed) {
        put(random_matrix<double>(static_cast<std::uint64_t>(seed), c.n, c.features * c.grid), h);
      },
      [&] { return phi.to_host(); });
}

/// The steps of KRFD's mean (krfd/posterior.cpp): G(x_new, x) Theta K_T and the constant's term.
TEST_F(CudaGraph, TheMeanOfARegressionOfFunctions) {
  const std::int64_t n = 200, m = 60, t = 50, p = 7;
  DeviceMatrix<double> x(device(), random_matrix<double>(1, n, p));
  DeviceMatrix<double> x_new(device(), random_matrix<double>(2, m, p));
  DeviceMatrix<double> theta(device(), random_matrix<double>(3, n, t));
  DeviceMatrix<double> k_t(device(), random_matrix<double>(4, t, t));
  DeviceMatrix<double> constant(device(), random_matrix<double>(5, n, t));
  Array<double> g(device(), m, n), z(device(), m, t), mean(device(), m, t);
  LinalgOps<double>& linalg = device().backend().linalg(double{});
  KernelOps<double>& kernels = device().backend().kernels(double{});
  replays_as_it_runs(
      [&] {
        kernels.gram(KernelKind::gaussian, 1.5, x_new.view(), x.view(), g.view());
        linalg.gemm(1.0, g.view(), Op::none, theta.view(), Op::none, 0.0, z.view());
        linalg.gemm(1.0, z.view(), Op::none, k_t.view(), Op::none, 0.0, mean.view());
        kernels.gram(KernelKind::laplacian, 2.5, x_new.view(), x.view(), g.view());
        linalg.gemm(1.0, g.view(), Op::none, constant.view(), Op::none, 1.0, mean.view());
      },
      [&](int seed) {
        put(random_matrix<double>(static_cast<std::uint64_t>(10 + seed), m, p), x_new);
      },
      [&] { return mean.to_host(); });
}

}  // namespace
}  // namespace kronite::test
