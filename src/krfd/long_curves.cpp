// Long tables joined with the systems that they name.
#include "krfd/long_curves.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/fail.hpp"       // for fail
#include "base/log.hpp"        // for notice
#include "base/printable.hpp"  // for printable

namespace kronite::krfd {
namespace {

using Rows = std::unordered_map<std::string, std::int64_t>;

Rows rows_by_name(const io::MatrixTable& x, const std::string& path) {
  if (x.names.empty())
    fail(Errc::invalid_argument,
         "{} has no names of systems, which the ids of {} refer to: a first column called id is "
         "expected",
         x.path, path);
  Rows rows;
  for (std::int64_t i = 0; i < x.rows; ++i)
    if (!rows.emplace(x.name_of(i), i).second)
      fail(Errc::invalid_argument, "{}: {} is there twice, and the ids of {} refer to one system",
           x.where(i), printable(x.name_of(i)), path);
  return rows;
}

/// What is read of a long table: y behind t where there is one.
io::LongColumns columns_of(const std::string& path, const LongNames& names, bool with_y,
                           std::int64_t coordinates) {
  std::vector<std::string> others = io::read_headings(path);
  io::LongColumns wanted{names.id.empty() ? others.front() : names.id, names.t};
  std::erase(others, wanted.name);
  std::erase(others, names.y);
  if (names.t.empty()) {
    const std::size_t least = with_y && names.y.empty() ? 2 : 1;
    if (others.size() < least)
      fail(Errc::parse, "{}:1: columns of numbers are expected beside the names: t{}", path,
           with_y ? " and y" : "");
    wanted.numbers = others;
    if (with_y && names.y.empty()) wanted.numbers.pop_back();
    if (!with_y && std::ssize(others) > coordinates)
      wanted.numbers.resize(static_cast<std::size_t>(coordinates));
  }
  if (with_y) {
    if (names.y.empty() && others.empty())
      fail(Errc::parse, "{}:1: a column of values y is expected", path);
    wanted.numbers.push_back(names.y.empty() ? others.back() : names.y);
  }
  return wanted;
}

/// Refuses the second one of two rows with the same system and point.
void check_repeated(const io::LongTable& table, const LongCurves& curves) {
  const std::int64_t q = curves.dimensions();
  std::vector<std::int64_t> order(curves.curve.size());
  std::iota(order.begin(), order.end(), 0);
  const auto at = [&](std::int64_t n) { return curves.t.data() + n * q; };
  const auto less = [&](std::int64_t a, std::int64_t b) {
    const auto i = curves.curve[static_cast<std::size_t>(a)],
               j = curves.curve[static_cast<std::size_t>(b)];
    if (i != j) return i < j;
    return std::lexicographical_compare(at(a), at(a) + q, at(b), at(b) + q);
  };
  std::stable_sort(order.begin(), order.end(), less);
  std::int64_t before = -1, second = -1;
  for (std::size_t k = 1; k < order.size(); ++k)
    if (!less(order[k - 1], order[k]) && (second < 0 || order[k] < second)) {
      before = order[k - 1];
      second = order[k];
    }
  if (second < 0) return;
  fail(Errc::parse, "{}:{}: {} has this point a second time; the first one is in line {}",
       table.path, table.lines[static_cast<std::size_t>(second)],
       printable(table.names[static_cast<std::size_t>(second)]),
       table.lines[static_cast<std::size_t>(before)]);
}

LongCurves join(const io::MatrixTable& x, const std::string& path, const LongNames& names,
                bool with_y, std::int64_t coordinates) {
  const Rows rows = rows_by_name(x, path);
  const io::LongTable table =
      io::read_long_table(path, columns_of(path, names, with_y, coordinates));
  LongCurves curves;
  curves.x = x;
  curves.path = path;
  curves.coordinates = table.columns;
  if (with_y) curves.coordinates.pop_back();
  const std::int64_t q = curves.dimensions();
  for (std::int64_t n = 0; n < table.rows(); ++n) {
    const std::string& name = table.names[static_cast<std::size_t>(n)];
    const auto found = rows.find(name);
    if (found == rows.end())
      fail(Errc::parse, "{}:{}: there is no system {} in {}", path,
           table.lines[static_cast<std::size_t>(n)], printable(name), x.path);
    curves.curve.push_back(found->second);
    const double* row = table.values.data() + n * table.cols();
    curves.t.insert(curves.t.end(), row, row + q);
    if (with_y) curves.y.push_back(row[q]);
  }
  check_repeated(table, curves);
  return curves;
}

}  // namespace

LongCurves LongCurves::rows(const std::vector<std::int64_t>& systems) const {
  LongCurves part{x.rows_of(systems), path, coordinates, {}, {}, {}};
  std::vector<std::vector<std::int64_t>> of_system(static_cast<std::size_t>(x.rows));
  for (std::size_t n = 0; n < curve.size(); ++n)
    of_system[static_cast<std::size_t>(curve[n])].push_back(static_cast<std::int64_t>(n));
  const std::int64_t q = dimensions();
  for (std::size_t i = 0; i < systems.size(); ++i)
    for (const std::int64_t n : of_system[static_cast<std::size_t>(systems[i])]) {
      part.curve.push_back(static_cast<std::int64_t>(i));
      part.t.insert(part.t.end(), t.data() + n * q, t.data() + (n + 1) * q);
      if (!y.empty()) part.y.push_back(y[static_cast<std::size_t>(n)]);
    }
  return part;
}

LongCurves read_long_curves(const std::string& x, const std::string& path, const LongNames& names) {
  const LongCurves all = join(io::read_matrix_table(x), path, names, true, 0);
  std::vector<char> observed(static_cast<std::size_t>(all.x.rows), 0);
  for (const std::int64_t i : all.curve) observed[static_cast<std::size_t>(i)] = 1;
  std::vector<std::int64_t> there;
  for (std::int64_t i = 0; i < all.x.rows; ++i)
    if (observed[static_cast<std::size_t>(i)]) there.push_back(i);
  if (std::ssize(there) == all.x.rows) return all;
  notice(fmt::format("{} of {} systems of {} have no row in {}; they are left out",
                     all.x.rows - std::ssize(there), all.x.rows, x, path));
  return all.rows(there);
}

LongCurves read_long_points(const io::MatrixTable& x, const std::string& path,
                            const LongNames& names, std::int64_t coordinates) {
  LongCurves points = join(x, path, names, false, coordinates);
  if (points.dimensions() != coordinates)
    fail(Errc::invalid_argument, "{} has {} coordinates a point; {} are expected", path,
         points.dimensions(), coordinates);
  return points;
}

std::vector<std::int64_t> equal_features(MatrixView<const double> x) {
  std::map<std::vector<double>, std::int64_t> known;
  std::vector<std::int64_t> number;
  for (std::int64_t i = 0; i < x.rows; ++i)
    number.push_back(
        known.emplace(std::vector<double>(x.row(i), x.row(i) + x.cols), std::ssize(known))
            .first->second);
  return number;
}

}  // namespace kronite::krfd
