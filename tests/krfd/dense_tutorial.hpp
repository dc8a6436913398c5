// The artificial data of the original's tutorial, and the hyper-parameters that its search found.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "io/input.hpp"  // for read_file
#include "io/npy.hpp"    // for parse_npy
#include "kronite/krfd.hpp"
#include "support/data.hpp"  // for shared_data

namespace kronite::krfd::test {

inline std::string tutorial_file(const std::string& name) {
  return kronite::test::shared_data("golden/krfd_tutorial/dense_" + name + ".npy");
}

struct Table {
  std::vector<double> values;
  std::int64_t rows, cols;
  MatrixView<const double> view() const { return {values.data(), rows, cols}; }
};

inline Table tutorial_table(const std::string& name) {
  const std::string path = tutorial_file(name);
  io::NpyArray array = io::parse_npy(io::read_file(path), path);
  const std::int64_t cols = array.shape.size() > 1 ? array.shape[1] : 1;
  return {std::move(array.values), array.shape[0], cols};
}

/// The fold of each training system. Integers follow a header of 128 bytes.
inline std::vector<std::int32_t> tutorial_folds() {
  const std::string bytes = io::read_file(tutorial_file("fold_of_train_row"));
  std::vector<std::int32_t> folds;
  for (std::size_t at = 128; at + 8 <= bytes.size(); at += 8) {
    std::int64_t fold = 0;
    std::memcpy(&fold, bytes.data() + at, sizeof fold);
    folds.push_back(static_cast<std::int32_t>(fold));
  }
  return folds;
}

inline Hyperparameters tutorial_hyperparameters() {
  Hyperparameters h;
  h.g.length_scales = {1.9626636347382016};
  h.t.length_scales = {0.4655288516256745};
  h.m.length_scales = {13.026496743638353};
  h.lambda_g = 0.0001724627258593973;
  h.lambda_t = 0.05208350120142222;
  h.lambda_m = 1.4997737377282668e-05;
  return h;
}

/// 750 systems of 5 features for training, 250 for testing, 51 points.
struct Tutorial {
  Table x = tutorial_table("X_train"), y = tutorial_table("Y_train"), t = tutorial_table("t"),
        x_test = tutorial_table("X_test"), y_test = tutorial_table("Y_test");
  Hyperparameters hyper = tutorial_hyperparameters();

  Model fit(Device& device, const FitOptions& options) const {
    return krfd::fit(device, x.view(), t.view(), y.view(), hyper, options);
  }
};

}  // namespace kronite::krfd::test
