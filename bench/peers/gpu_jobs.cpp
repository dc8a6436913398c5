// What bench/peers/gpu_kmd.py and gpu_krfd.py time beside PyTorch and CuPy: kernel means and their
// inverse, or a fit of curves, on any device. Arguments: kmd|krfd FOLDER DEVICE REPEAT. Reads its
// inputs from FOLDER and leaves its results there (.npy), and prints a line "name seconds" for each
// step: on the clock, the least of several, each of which ends by waiting for the device.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <kronite/kronite.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "device/backend.hpp"  // for MixtureOps

namespace {

namespace kmd = kronite::kmd;
namespace krfd = kronite::krfd;
using kronite::Array;

struct Run {
  kronite::Device device;
  std::string folder;
  int repeat;

  template <class F>
  void time_it(const char* name, const F& work) {
    using Clock = std::chrono::steady_clock;
    double least = 1e9;
    work();  // what is made on first use is not timed
    device.synchronize();
    for (int i = 0; i < repeat; ++i) {
      const auto begin = Clock::now();
      work();
      device.synchronize();
      least = std::min(least, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    std::printf("%s %.9f\n", name, least);
  }
  kronite::NpyMatrix read(const char* name) const {
    return kronite::read_npy(folder + "/" + name + ".npy");
  }
  void write(const char* name, const std::vector<double>& values, std::int64_t rows) const {
    const auto size = static_cast<std::int64_t>(values.size());
    kronite::write_npy(folder + "/" + name + ".npy", {values.data(), rows, size / rows});
  }
};

std::vector<double> dense(const kmd::Weights& w) {
  std::vector<double> values(static_cast<std::size_t>(w.rows() * w.components), 0.0);
  for (std::int64_t i = 0; i < w.rows(); ++i)
    for (auto e = static_cast<std::size_t>(w.first[static_cast<std::size_t>(i)]);
         std::cmp_less(e, w.first[static_cast<std::size_t>(i) + 1]); ++e)
      values[static_cast<std::size_t>(i * w.components + w.component[e])] = w.weight[e];
  return values;
}

/// formulas.txt -> w (rows x 94), h (94 x 580), phi = w h, and back, the weights of phi.
void kernel_means(Run& run) {
  std::vector<kronite::Composition> compositions;
  std::ifstream file(run.folder + "/formulas.txt");
  for (std::string line; std::getline(file, line);)
    compositions.push_back(kronite::Composition::parse(line));
  kmd::Settings settings;
  settings.n_grids = 10;
  const kmd::Descriptor descriptor(kmd::Components::of(kronite::ElementTable::embedded()),
                                   settings);
  const kmd::Weights w = kmd::weights_of(compositions, descriptor.components());
  const std::int64_t rows = w.rows(), width = descriptor.width(), n = w.components;
  const std::vector<double> h(descriptor.h().data, descriptor.h().data + n * width);
  run.write("w", dense(w), rows);
  run.write("h", h, n);

  const auto entries = static_cast<std::int64_t>(w.weight.size());
  const Array<std::int64_t> first(run.device, w.first, rows + 1, 1);
  const Array<std::int32_t> component(run.device, w.component, entries, 1);
  const Array<double> weight(run.device, w.weight, entries, 1), on(run.device, h, n, width);
  Array<double> out(run.device, rows, width);
  run.time_it("forward", [&] {
    run.device.backend().mixtures().mix_rows({first.vector(), component.vector(), weight.vector()},
                                             on.view(), out.view());
  });
  std::vector<double> phi(static_cast<std::size_t>(rows * width));
  const kronite::MatrixView<double> view(phi.data(), rows, width);
  run.time_it("transform", [&] { descriptor.transform(run.device, w, view); });
  run.write("phi", phi, rows);
  const kmd::Inverter inverter(run.device, descriptor);
  kmd::Inverted inverted;
  run.time_it("inverse", [&] { inverted = inverter.invert(view); });
  run.write("back", dense(inverted.weights), rows);
}

/// x (N x features), y (N x T), t (T x 1), x_test, numbers (sigma_g, sigma_t, sigma_m, lambda_g,
/// lambda_t, lambda_m) -> mean, the curves of x_test.
void regression(Run& run) {
  const auto x = run.read("x"), y = run.read("y"), t = run.read("t"), x_test = run.read("x_test"),
             numbers = run.read("numbers");
  const auto view = [](const kronite::NpyMatrix& m) {
    return kronite::MatrixView<const double>(m.values.data(), m.rows, m.cols);
  };
  krfd::Hyperparameters hyper;
  hyper.g.length_scales = {numbers.values.at(0)};
  hyper.t.length_scales = {numbers.values.at(1)};
  hyper.m.length_scales = {numbers.values.at(2)};
  hyper.lambda_g = numbers.values.at(3);
  hyper.lambda_t = numbers.values.at(4);
  hyper.lambda_m = numbers.values.at(5);
  krfd::FitOptions options;
  options.path = krfd::FitPath::cholesky;
  options.uncertainty = false;
  std::vector<krfd::Model> model;
  run.time_it("fit", [&] {
    model.assign(1, krfd::fit(run.device, view(x), view(t), view(y), hyper, options));
  });
  std::vector<double> mean;
  run.time_it("mean", [&] { mean = model.front().mean(run.device, view(x_test), view(t)); });
  run.write("mean", mean, x_test.rows);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s kmd|krfd FOLDER DEVICE REPEAT\n", argv[0]);
    return 2;
  }
  Run run{kronite::Device::parse(argv[3]), argv[2], std::atoi(argv[4])};
  const std::string task = argv[1];
  if (task == "kmd")
    kernel_means(run);
  else if (task == "krfd")
    regression(run);
  else
    throw std::runtime_error("no such task: " + task);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
