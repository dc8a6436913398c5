// Factorisation, solutions and products by tiles.
#include "math/tiled_cholesky.hpp"

#include <algorithm>
#include <vector>

#include "base/fail.hpp"       // for fail
#include "base/parallel.hpp"   // for tiles_of
#include "device/backend.hpp"  // for linalg

namespace kronite::math {
namespace {

/// Tiles of a lower triangle, column after column: those that a tile needs come before it.
class ColumnOrder {
 public:
  explicit ColumnOrder(std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j) begin_.push_back(j * count - j * (j - 1) / 2);
    begin_.push_back(count * (count + 1) / 2);
  }

  std::int64_t size() const { return begin_.back(); }
  std::int64_t task(std::int64_t i, std::int64_t j) const {
    return begin_[static_cast<std::size_t>(j)] + i - j;
  }
  std::int64_t column(std::int64_t task) const {
    return std::upper_bound(begin_.begin(), begin_.end(), task) - begin_.begin() - 1;
  }
  std::int64_t row(std::int64_t task) const {
    const std::int64_t j = column(task);
    return j + task - begin_[static_cast<std::size_t>(j)];
  }

 private:
  std::vector<std::int64_t> begin_;  // of each column
};

/// rows x cols values at the beginning of a worker's tile.
MatrixView<double> part(Array<double>& tile, std::int64_t rows, std::int64_t cols) {
  return {tile.view().data, rows, cols, tile.view().place};
}

void load_tile(TileWorker& worker, const PackedTiles& l, std::int64_t i, std::int64_t j,
               double* to) {
  worker.load(l.view(i, j).data, to, l.rows(i) * l.rows(j));
}

/// One tile of L, with the row of tiles that its column needs in the panel.
class TileOfFactor {
 public:
  TileOfFactor(TileTeam& team, const ColumnOrder& order, TileWorker& worker, PackedTiles& l,
               std::int64_t i, std::int64_t j)
      : team_(team), order_(order), worker_(worker), l_(l), i_(i), j_(j) {
    if (worker_.holds == j_) return;
    worker_.holds = j_;
    worker_.loaded = 0;
  }

  void make(const TileSource& a) {
    LinalgOps<double>& la = linalg<double>(worker_.device);
    const MatrixView<double> tile = part(worker_.first, l_.rows(i_), l_.rows(j_));
    a(worker_, l_.first(i_), l_.first(j_), tile);
    for (std::int64_t k = 0; k < j_; ++k) {
      const MatrixView<const double> above = of_row(k);
      la.gemm(-1, i_ == j_ ? above : of_this(k), Op::none, above, Op::transpose, 1, tile);
    }
    if (i_ == j_)
      la.cholesky(tile);
    else
      la.triangular_solve(Side::right, Op::transpose, of_row(j_), tile);
    store(tile);
    team_.finished(order_.task(i_, j_));
    team_.advance(j_ + 1);
  }

 private:
  /// L(j, k), k <= j, which stays in the panel.
  MatrixView<const double> of_row(std::int64_t k) {
    double* at = worker_.panel.view().data + l_.rows(j_) * l_.first(k);
    if (worker_.loaded == k) {
      team_.wait_for(order_.task(j_, k));
      load_tile(worker_, l_, j_, k, at);
      worker_.loaded = k + 1;
    }
    return {at, l_.rows(j_), l_.rows(k), worker_.device.place()};
  }

  /// L(i, k), which is used once.
  MatrixView<const double> of_this(std::int64_t k) {
    team_.wait_for(order_.task(i_, k));
    const MatrixView<double> to = part(worker_.second, l_.rows(i_), l_.rows(k));
    load_tile(worker_, l_, i_, k, to.data);
    return to;
  }

  void store(MatrixView<const double> tile) {
    try {
      worker_.store(tile, l_.view(i_, j_).data);
    } catch (const Error& e) {
      if (e.code() != Errc::numerical) throw;
      fail(Errc::numerical, "Cholesky: the {0} x {0} matrix is not positive definite", l_.n());
    }
  }

  TileTeam& team_;
  const ColumnOrder& order_;
  TileWorker& worker_;
  PackedTiles& l_;
  std::int64_t i_, j_;
};

/// X <- L^-1 X, then rows [from, n) of A^-1 X there; x: n x m on the device.
void solve_panel(TileWorker& worker, const PackedTiles& l, MatrixView<double> x,
                 std::int64_t from) {
  LinalgOps<double>& la = linalg<double>(worker.device);
  const auto of = [&](std::int64_t i) { return x.rows_from(l.first(i), l.rows(i)); };
  const auto tile = [&](std::int64_t i, std::int64_t k) -> MatrixView<const double> {
    const MatrixView<double> to = part(worker.second, l.rows(i), l.rows(k));
    load_tile(worker, l, i, k, to.data);
    return to;
  };
  for (std::int64_t i = 0; i < l.count(); ++i) {
    for (std::int64_t k = 0; k < i; ++k)
      la.gemm(-1, tile(i, k), Op::none, of(k), Op::none, 1, of(i));
    la.triangular_solve(Side::left, Op::none, tile(i, i), of(i));
  }
  for (std::int64_t i = l.count() - 1; i >= from; --i) {
    for (std::int64_t k = i + 1; k < l.count(); ++k)
      la.gemm(-1, tile(k, i), Op::transpose, of(k), Op::none, 1, of(i));
    la.triangular_solve(Side::left, Op::transpose, tile(i, i), of(i));
  }
}

/// Columns [first, first + cols) of a matrix on the host, as one piece.
struct Columns {
  std::int64_t first, cols;

  /// The piece; `room` holds it where the matrix has other columns, too.
  const double* read(MatrixView<const double> m, std::vector<double>& room) const {
    if (cols == m.cols) return m.data;
    room.clear();
    for (std::int64_t i = 0; i < m.rows; ++i)
      room.insert(room.end(), m.row(i) + first, m.row(i) + first + cols);
    return room.data();
  }

  /// Rows of the device back to where they belong.
  void write(TileWorker& worker, MatrixView<const double> from, MatrixView<double> to) const {
    if (cols == to.cols) return worker.store(from, to.data);
    std::vector<double> piece(static_cast<std::size_t>(from.rows * cols));
    worker.store(from, piece.data());
    for (std::int64_t i = 0; i < to.rows; ++i)
      std::copy_n(piece.data() + i * cols, cols, to.row(i) + first);
  }
};

/// All columns of m in pieces of at most `tile`.
Columns columns_of(std::int64_t m, std::int64_t tile, std::int64_t piece) {
  return {piece * tile, std::min(tile, m - piece * tile)};
}

}  // namespace

void tiled_cholesky(TileTeam& team, const TileSource& a, PackedTiles& l) {
  const ColumnOrder order(l.count());
  team.run(order.size(), [&](TileWorker& worker, std::int64_t task) {
    TileOfFactor(team, order, worker, l, order.row(task), order.column(task)).make(a);
  });
}

long long cholesky_steps(std::int64_t count) { return count * (count + 1) * (count + 2) / 6; }

void tiled_solve(TileTeam& team, const PackedTiles& l, MatrixView<double> b) {
  team.run(tiles_of(b.cols, l.tile()), [&](TileWorker& worker, std::int64_t task) {
    const Columns columns = columns_of(b.cols, l.tile(), task);
    std::vector<double> room;
    const MatrixView<double> x = worker.panel_view(b.rows, columns.cols);
    worker.load(columns.read(b, room), x.data, b.rows * columns.cols);
    solve_panel(worker, l, x, 0);
    columns.write(worker, x, b);
  });
}

void tiled_solve_lower(TileTeam& team, const PackedTiles& l, const TileSource& b,
                       const TileChange& f, PackedTiles& out) {
  // The longest panels come first, so that devices end at nearly the same time.
  team.run(l.count(), [&](TileWorker& worker, std::int64_t j) {
    const MatrixView<double> x = worker.panel_view(l.n(), l.rows(j));
    for (std::int64_t i = 0; i < l.count(); ++i)
      b(worker, l.first(i), l.first(j), x.rows_from(l.first(i), l.rows(i)));
    solve_panel(worker, l, x, j);
    for (std::int64_t i = j; i < l.count(); ++i) {
      const MatrixView<double> changed = part(worker.first, l.rows(i), l.rows(j));
      f(worker, l.first(i), l.first(j), x.rows_from(l.first(i), l.rows(i)), changed);
      worker.store(changed, out.view(i, j).data);
    }
    team.advance(l.count() * (l.count() + 1) / 2 + (l.count() - j) * (l.count() - j + 1) / 2);
  });
}

long long solve_lower_steps(std::int64_t count) {
  return count * (count * (count + 1) / 2) + cholesky_steps(count);
}

void tiled_product(TileTeam& team, const TileSource& k, MatrixView<const double> x,
                   MatrixView<double> out) {
  const std::int64_t tile = team.shape().tile, rows = tiles_of(x.rows, tile);
  for (std::int64_t piece = 0; piece < tiles_of(x.cols, tile); ++piece) {
    const Columns columns = columns_of(x.cols, tile, piece);
    std::vector<double> room;
    const double* from = columns.read(x, room);
    team.run(rows, [&](TileWorker& worker, std::int64_t i) {
      const MatrixView<double> there = worker.panel_view(x.rows, columns.cols);
      if (worker.holds != piece) worker.load(from, there.data, x.rows * columns.cols);
      worker.holds = piece;
      const auto count_of = [&](std::int64_t t) { return std::min(tile, x.rows - t * tile); };
      const MatrixView<double> sum = part(worker.second, count_of(i), columns.cols);
      for (std::int64_t j = 0; j < rows; ++j) {
        const MatrixView<double> of_k = part(worker.first, count_of(i), count_of(j));
        k(worker, i * tile, j * tile, of_k);
        linalg<double>(worker.device)
            .gemm(1, of_k, Op::none, there.rows_from(j * tile, count_of(j)), Op::none,
                  j == 0 ? 0 : 1, sum);
      }
      columns.write(worker, sum, out.rows_from(i * tile, count_of(i)));
    });
  }
}

}  // namespace kronite::math
