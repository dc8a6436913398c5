// Fits KRSFD to curves and says how long it took, for bench/peers/krsfd.py. Input: float64 values,
// of which the first three are the numbers of curves, inputs and points; then the inputs, the curve
// of each point, t, and (for training) y and a grid with its number of points in front. Output: one
// line per test point, then the processor seconds of the fit, the least of several, and iterations;
// with `deviations`, standard deviations at the test points and the seconds that those took.
#include <algorithm>
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

class Values {
 public:
  explicit Values(const char* path) : file_(path, std::ios::binary) {}
  std::vector<double> next(std::int64_t count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    file_.read(reinterpret_cast<char*>(values.data()), 8 * count);
    if (!file_) throw std::runtime_error("the file is too short");
    return values;
  }
  std::int64_t number() { return static_cast<std::int64_t>(next(1)[0]); }

 private:
  std::ifstream file_;
};

struct Curves {
  explicit Curves(Values& values)
      : rows(values.number()),
        inputs(values.number()),
        points(values.number()),
        x(values.next(rows * inputs)) {
    for (const double number : values.next(points))
      curve.push_back(static_cast<std::int64_t>(number));
    t = values.next(points);
  }
  std::int64_t rows, inputs, points;
  std::vector<double> x, t;
  std::vector<std::int64_t> curve;
};

}  // namespace

int main(int argc, char** argv) try {
  const bool deviations = argc == 12 && std::string(argv[11]) == "deviations";
  if (argc != 11 && !deviations) {
    std::fprintf(stderr,
                 "usage: %s TRAINING TEST SIGMA_X SIGMA_T LAMBDA ZERO_RATIO_X ZERO_RATIO_T COMPAT "
                 "TOLERANCE REPEAT [deviations]\n",
                 argv[0]);
    return 2;
  }
  Values training_file(argv[1]), test_file(argv[2]);
  const Curves training(training_file), test(test_file);
  const std::vector<double> y = training_file.next(training.points);
  const std::int64_t grid_points = training_file.number();
  const std::vector<double> grid = training_file.next(grid_points);
  kronite::krfd::KrsfdOptions options;
  options.sigma_x = std::atof(argv[3]);
  options.sigma_t = std::atof(argv[4]);
  options.lambda = std::atof(argv[5]);
  options.zero_ratio_x = std::atof(argv[6]);
  options.zero_ratio_t = std::atof(argv[7]);
  options.compat = std::string(argv[8]) == "1";
  options.solver.tolerance = std::atof(argv[9]);

  kronite::DeviceOptions one_thread;
  one_thread.threads = 1;
  kronite::Device device = kronite::Device::cpu(one_thread);
  kronite::krfd::KrsfdModel model;
  double least = 1e9;
  for (int i = 0; i < std::atoi(argv[10]); ++i) {
    const std::clock_t begin = std::clock();
    model = kronite::krfd::fit_krsfd(device, {training.x.data(), training.rows, training.inputs},
                                     {{training.curve.data(), training.points},
                                      {training.t.data(), training.points, 1},
                                      {y.data(), training.points}},
                                     {grid.data(), grid_points, 1}, options);
    least = std::min(least, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  const kronite::MatrixView<const double> x(test.x.data(), test.rows, test.inputs);
  const kronite::krfd::CurvePoints points{{test.curve.data(), test.points},
                                          {test.t.data(), test.points, 1}};
  std::vector<double> values;
  if (deviations) {
    const std::clock_t begin = std::clock();
    values = model.predict_std(device, x, points).std;
    least = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  } else {
    values = model.predict(device, x, points);
  }
  for (const double value : values) std::printf("%.17g\n", value);
  std::printf("%.6f,%d\n", least, model.report.iterations);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
