// The artificial data of the KRFD tutorial, and the measures that it reports.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/csv.hpp"  // for CsvReader
#include "io/npy.hpp"  // for parse_npy
#include "krfd/curves.hpp"
#include "support/data.hpp"

namespace kronite::test {

inline std::string tutorial(const std::string& name) {
  return shared_data("golden/krfd_tutorial/" + name);
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Matrix npy_matrix(const std::string& name) {
  const io::NpyArray array = io::parse_npy(bytes_of(tutorial(name)), name);
  Matrix m(array.shape[0], array.shape.size() == 2 ? array.shape[1] : 1);
  m.values = array.values;
  return m;
}

/// A vector of int64: what follows the header, whose length is in the bytes 8 and 9.
inline std::vector<std::int64_t> npy_integers(const std::string& name) {
  const std::string file = bytes_of(tutorial(name));
  const std::size_t header =
      10 + static_cast<unsigned char>(file[8]) + 256 * static_cast<unsigned char>(file[9]);
  std::vector<std::int64_t> values((file.size() - header) / sizeof(std::int64_t));
  std::memcpy(values.data(), file.data() + header, values.size() * sizeof(std::int64_t));
  return values;
}

/// The observations of some of the systems, with their inputs.
inline CurveData sparse_part(const std::string& ids) {
  const Matrix all = npy_matrix("sparse_X.npy");
  const std::vector<std::int64_t> systems = npy_integers(ids);
  std::vector<std::int64_t> row(static_cast<std::size_t>(all.rows), -1);
  CurveData part{Matrix(static_cast<std::int64_t>(systems.size()), all.cols), Matrix(0, 1), {}, {}};
  for (std::int64_t i = 0; i < part.x.rows; ++i) {
    row[static_cast<std::size_t>(systems[static_cast<std::size_t>(i)])] = i;
    for (std::int64_t j = 0; j < all.cols; ++j)
      part.x.at(i, j) = all.at(systems[static_cast<std::size_t>(i)], j);
  }
  std::vector<double> t;
  io::CsvReader reader(tutorial("sparse_observations.csv"));
  std::vector<std::string> cells;
  reader.next(cells);  // names
  while (reader.next(cells)) {
    const std::int64_t i = row[std::stoul(cells[0])];
    if (i < 0) continue;
    part.curve.push_back(i);
    t.push_back(std::stod(cells[1]));
    part.y.push_back(std::stod(cells[2]));
  }
  part.t = column(t);
  return part;
}

/// The first `count` of them.
inline CurveData first_curves(const CurveData& all, std::int64_t count) {
  CurveData some{Matrix(count, all.x.cols), Matrix(0, 1), {}, {}};
  some.x.fill([&](std::int64_t i, std::int64_t j) { return all.x.at(i, j); });
  std::vector<double> t;
  for (std::size_t n = 0; n < all.y.size(); ++n)
    if (all.curve[n] < count) {
      some.curve.push_back(all.curve[n]);
      t.push_back(all.t.at(static_cast<std::int64_t>(n), 0));
      some.y.push_back(all.y[n]);
    }
  some.t = column(t);
  return some;
}

struct Measures {
  double mae = 0, rmse = 0;
  double squared_correlation = 0;  ///< what the tutorial calls R2
};

inline Measures measure(const std::vector<double>& predicted, const std::vector<double>& observed) {
  const auto n = static_cast<double>(observed.size());
  double mean_p = 0, mean_o = 0, pp = 0, oo = 0, po = 0;
  Measures m;
  for (std::size_t k = 0; k < observed.size(); ++k) {
    const double e = predicted[k] - observed[k];
    m.mae += std::abs(e) / n;
    m.rmse += e * e / n;
    mean_p += predicted[k] / n;
    mean_o += observed[k] / n;
  }
  m.rmse = std::sqrt(m.rmse);
  for (std::size_t k = 0; k < observed.size(); ++k) {
    pp += (predicted[k] - mean_p) * (predicted[k] - mean_p);
    oo += (observed[k] - mean_o) * (observed[k] - mean_o);
    po += (predicted[k] - mean_p) * (observed[k] - mean_o);
  }
  m.squared_correlation = po * po / (pp * oo);
  return m;
}

/// What the tutorial's search found for the curves with points of their own.
inline krfd::KrsfdOptions tutorial_options() {
  krfd::KrsfdOptions options;
  options.sigma_x = 1.3773098170466815;
  options.sigma_t = 0.13425399095421187;
  options.lambda = 0.056520743745891514;
  options.zero_ratio_x = 0.4034497081712135;
  options.zero_ratio_t = (0.9 - options.zero_ratio_x) / (1 - options.zero_ratio_x);
  return options;
}

}  // namespace kronite::test
