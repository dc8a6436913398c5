// What bench/peers/krfd.py times beside numpy: a search by cross-validation, climbs of the
// evidence, one evidence with its derivatives, one fit, bands. Arguments: a task, a folder with the
// data, and what the task takes. The data are float64 files: shape (systems, features, points,
// tested systems), x, y, t, x_test, fold. Output: processor seconds on the first line, then what
// the task found; arrays go into the folder.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <kronite/kronite.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace krfd = kronite::krfd;
using View = kronite::MatrixView<const double>;

std::vector<double> read(const std::string& path, std::int64_t count) {
  std::ifstream file(path, std::ios::binary);
  std::vector<double> values(static_cast<std::size_t>(count));
  file.read(reinterpret_cast<char*>(values.data()), 8 * count);
  if (!file) throw std::runtime_error(path + " is too short");
  return values;
}

void write(const std::string& path, const std::vector<double>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(8 * values.size()));
  if (!file) throw std::runtime_error(path + " cannot be written");
}

struct Data {
  explicit Data(const std::string& name) : folder(name + "/") {
    const std::vector<double> shape = read(folder + "shape", 4);
    const auto of = [&](std::size_t k) { return static_cast<std::int64_t>(shape[k]); };
    n = of(0), features = of(1), points = of(2), tested = of(3);
    x_values = read(folder + "x", n * features);
    y_values = read(folder + "y", n * points);
    t_values = read(folder + "t", points);
    x_test_values = read(folder + "x_test", tested * features);
  }
  View x() const { return {x_values.data(), n, features}; }
  View y() const { return {y_values.data(), n, points}; }
  View t() const { return {t_values.data(), points, 1}; }
  View x_test() const { return {x_test_values.data(), tested, features}; }

  std::string folder;
  std::int64_t n = 0, features = 0, points = 0, tested = 0;
  std::vector<double> x_values, y_values, t_values, x_test_values;
};

/// Gaussian kernels; the six numbers in the order of the published program.
krfd::Hyperparameters hyper_of(char** numbers) {
  const auto number = [&](int k) { return std::atof(numbers[k]); };
  krfd::Hyperparameters h;
  h.g.length_scales = {number(0)};
  h.t.length_scales = {number(1)};
  h.m.length_scales = {number(2)};
  h.lambda_g = number(3), h.lambda_t = number(4), h.lambda_m = number(5);
  return h;
}

class Clock {
 public:
  double seconds() const { return static_cast<double>(std::clock() - begin_) / CLOCKS_PER_SEC; }

 private:
  std::clock_t begin_ = std::clock();
};

void run(kronite::Device& device, const std::string& task, const Data& data, int count,
         char** more) {
  if (task == "search" && count == 2) {  // TRIALS JOURNAL
    krfd::SearchOptions options;
    options.trials = std::atoi(more[0]);
    options.seed = 42;
    options.journal = more[1];
    for (const double fold : read(data.folder + "fold", data.n))
      options.fold.push_back(static_cast<std::int32_t>(fold));
    const Clock clock;
    const auto found =
        krfd::tune_by_cross_validation(device, data.x(), data.t(), data.y(), options);
    std::printf("%.6f\n%.12g\n%lld\n", clock.seconds(), found.mae,
                static_cast<long long>(found.trial));
  } else if (task == "climb" && count == 1) {  // SYSTEMS, the first ones, that the climb sees
    const std::int64_t seen = std::atoll(more[0]);
    krfd::EvidenceTuning options;
    options.starts = 1;
    const Clock clock;
    const auto tuned = krfd::tune_by_evidence(device, data.x().rows_from(0, seen), data.t(),
                                              data.y().rows_from(0, seen), options);
    const auto model = krfd::fit(device, data.x(), data.t(), data.y(), tuned.best.hyper);
    std::printf("%.6f\n%d\n", clock.seconds(), tuned.best.evaluations);
    write(data.folder + "mean", model.mean(device, data.x_test(), data.t()));
  } else if (task == "evidence" && count == 6) {  // six numbers
    const Clock clock;
    const auto found = krfd::evidence(device, data.x(), data.t(), data.y(), hyper_of(more));
    std::printf("%.6f\n%.12g\n", clock.seconds(), found.log);
  } else if (task == "fit" && count == 6) {  // six numbers
    krfd::FitOptions options;
    options.uncertainty = false;
    const Clock clock;
    const auto model = krfd::fit(device, data.x(), data.t(), data.y(), hyper_of(more), options);
    std::printf("%.6f\n", clock.seconds());
    write(data.folder + "mean", model.mean(device, data.x_test(), data.t()));
  } else if (task == "bands" && count == 6) {  // six numbers
    const auto model = krfd::fit(device, data.x(), data.t(), data.y(), hyper_of(more));
    krfd::PosteriorOptions options;
    options.form = krfd::PosteriorForm::independent;
    options.complete = false;
    model.deviation(device, data.x_test().rows_from(0, 1), data.t(), options);  // what is kept
    const Clock clock;
    const auto deviation = model.deviation(device, data.x_test(), data.t(), options);
    const double original = clock.seconds();
    const Clock again;
    model.deviation(device, data.x_test(), data.t());
    std::printf("%.6f\n%.6f\n", original, again.seconds());
    write(data.folder + "deviation", deviation);
  } else {
    throw std::runtime_error("no such task: " + task);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s search|climb|evidence|fit|bands FOLDER ...\n", argv[0]);
    return 2;
  }
  kronite::DeviceOptions one_thread;
  one_thread.threads = 1;
  kronite::Device device = kronite::Device::cpu(one_thread);
  run(device, argv[1], Data(argv[2]), argc - 3, argv + 3);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
