// Rank and condition of a matrix: QR first, so that the SVD is of n x n.
#include "kmd/condition.hpp"

#include <Eigen/QR>
#include <Eigen/SVD>
#include <limits>

namespace kronite::kmd {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Singular values, descending, of a matrix with at least as many rows as columns.
Eigen::VectorXd singular_values(const Eigen::MatrixXd& tall) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(tall);
  const Eigen::MatrixXd r =
      qr.matrixQR().topRows(tall.cols()).template triangularView<Eigen::Upper>();
  return Eigen::BDCSVD<Eigen::MatrixXd>(r).singularValues();
}

}  // namespace

Condition condition_of(MatrixView<const double> h) {
  const Eigen::Map<const RowMajor, Eigen::Unaligned, Eigen::OuterStride<>> map(
      h.data, h.rows, h.cols, Eigen::OuterStride<>(h.ld));
  const bool wide = h.cols >= h.rows;
  const Eigen::VectorXd values = wide ? singular_values(map.transpose()) : singular_values(map);
  const double least =
      static_cast<double>(h.rows) * std::numeric_limits<double>::epsilon() * values[0];
  Condition condition;
  for (const double value : values)
    if (value > least) ++condition.rank;
  condition.of_h = wide && values[values.size() - 1] > 0 ? values[0] / values[values.size() - 1]
                                                         : std::numeric_limits<double>::infinity();
  condition.of_p = condition.of_h * condition.of_h;
  return condition;
}

}  // namespace kronite::kmd
