// Kernel mean descriptors of a list of formulas, and the inverse of them and of other targets, for
// bench/peers/kmd.py. Writes OUT/phi.npy, OUT/back.npy and OUT/near.npy, and prints a line "name
// seconds" for each step, the least of several times: processor seconds of one thread, or seconds
// on the clock of several.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <kronite/kronite.hpp>
#include <string>
#include <vector>

namespace {

namespace kmd = kronite::kmd;

struct Timer {
  int repeat = 1;
  int threads = 1;

  double seconds() const {
    if (threads == 1) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  template <class F>
  void operator()(const char* name, const F& work) const {
    double least = 1e9;
    for (int i = 0; i < repeat; ++i) {
      const double begin = seconds();
      work();
      least = std::min(least, seconds() - begin);
    }
    std::printf("%s %.6f\n", name, least);
  }
};

void write_weights(const std::string& path, const kmd::Weights& w) {
  std::vector<double> values(static_cast<std::size_t>(w.rows() * w.components), 0.0);
  for (std::int64_t i = 0; i < w.rows(); ++i)
    for (std::int64_t e = w.first[static_cast<std::size_t>(i)];
         e < w.first[static_cast<std::size_t>(i) + 1]; ++e)
      values[static_cast<std::size_t>(i * w.components +
                                      w.component[static_cast<std::size_t>(e)])] =
          w.weight[static_cast<std::size_t>(e)];
  kronite::write_npy(path, {values.data(), w.rows(), w.components});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 7) {
    std::fprintf(stderr, "usage: %s FORMULAS.txt TARGETS.npy OUT N_GRIDS REPEAT THREADS\n",
                 argv[0]);
    return 2;
  }
  const std::string out = argv[3];
  const Timer time_it{std::atoi(argv[5]), std::atoi(argv[6])};
  std::vector<std::string> formulas;
  std::ifstream file(argv[1]);
  for (std::string line; std::getline(file, line);) formulas.push_back(line);

  kmd::Settings settings;
  settings.n_grids = std::atoi(argv[4]);
  const kmd::Descriptor descriptor(kmd::Components::of(kronite::ElementTable::embedded()),
                                   settings);
  kronite::DeviceOptions options;
  options.threads = time_it.threads;
  kronite::Device device = kronite::Device::cpu(options);

  kmd::Weights weights;
  time_it("weights", [&] {
    std::vector<kronite::Composition> compositions;
    for (const std::string& formula : formulas)
      compositions.push_back(kronite::Composition::parse(formula));
    weights = kmd::weights_of(compositions, descriptor.components());
  });
  std::vector<double> phi(static_cast<std::size_t>(weights.rows() * descriptor.width()));
  const kronite::MatrixView<double> view(phi.data(), weights.rows(), descriptor.width());
  time_it("fill", [&] { std::fill(phi.begin(), phi.end(), 1.0); });
  time_it("forward", [&] { descriptor.transform(device, weights, view); });
  const kmd::Inverter inverter(device, descriptor);
  kmd::Inverted inverted;
  time_it("inverse", [&] { inverted = inverter.invert(view); });
  kronite::write_npy(out + "/phi.npy", view);
  write_weights(out + "/back.npy", inverted.weights);

  const kronite::NpyMatrix targets = kronite::read_npy(argv[2]);
  time_it("nearest", [&] {
    inverted = inverter.invert({targets.values.data(), targets.rows, targets.cols});
  });
  write_weights(out + "/near.npy", inverted.weights);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
