// Training steps on the CPU. Threads share the columns, so every sum over the rows of a batch runs
// in one order, whatever the number of threads; a block of columns stays in the L2 cache between
// its passes.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "base/parallel.hpp"          // for parallel_tiles
#include "cpu/cpu_backend.hpp"        // for CpuBackend
#include "kernels/adam.hpp"           // for adam_update
#include "kernels/cross_entropy.hpp"  // for cross_entropy_row
#include "kernels/dropout.hpp"        // for DropoutKey, dropout_threshold
#include "kernels/hidden.hpp"         // for moments_about, unit_affine, activation_gradient
#include "kernels/list_loss.hpp"      // for list_row
#include "kernels/row_loss.hpp"       // for class_loss_row, value_loss_row

namespace kronite {
namespace {

constexpr int kColumns = 32;                   // per block: one or two cache lines of each row
constexpr std::int64_t kSumRows = 64;          // added up in T, then in double
constexpr std::int64_t kVectorTile = 1 << 14;  // parameters per tile
constexpr std::int64_t kLossRows = 256;
constexpr std::int64_t kListRows = 8;

// --- random bits --------------------------------------------------------------------------------

constexpr int kBatchRows = 4;  // rows whose draws are made together
constexpr int kDraws = kBatchRows * kDropoutDraws;
static_assert(kColumns == kDropoutBlock);

typedef std::uint32_t Lanes __attribute__((vector_size(kDraws * 4)));
typedef std::uint64_t WideLanes __attribute__((vector_size(kDraws * 4)));

/// High half of the products of 32-bit lanes with m.
Lanes multiply_high(Lanes x, std::uint64_t m) {
  const WideLanes even = ((WideLanes)x & 0xFFFFFFFF) * m, odd = ((WideLanes)x >> 32) * m;
  return (Lanes)((even >> 32) | (odd & ~std::uint64_t{0xFFFFFFFF}));
}

/// philox() of all lanes at once.
void philox_lanes(Lanes (&c)[4], std::uint64_t key) {
  constexpr std::uint32_t kFirst = 0xD2511F53, kSecond = 0xCD9E8D57;
  auto key0 = static_cast<std::uint32_t>(key), key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const Lanes high0 = multiply_high(c[0], kFirst), low0 = c[0] * kFirst;
    const Lanes high1 = multiply_high(c[2], kSecond), low1 = c[2] * kSecond;
    c[0] = high1 ^ c[1] ^ key0;
    c[2] = high0 ^ c[3] ^ key1;
    c[1] = low1;
    c[3] = low0;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

/// keep[r][c] = scale, or 0 where row first + r loses column c of the block.
template <class T>
void fill_keep(const DropoutKey& key, std::uint32_t threshold, T scale, std::int64_t first,
               std::int64_t first_draw, T (&keep)[kBatchRows][kColumns]) {
  Lanes c[4] = {Lanes{}, Lanes{}, key.step - Lanes{}, key.layer - Lanes{}};
  for (int i = 0; i < kDraws; ++i) {
    c[0][i] = static_cast<std::uint32_t>(first + i / kDropoutDraws);
    c[1][i] = static_cast<std::uint32_t>(first_draw + i % kDropoutDraws);
  }
  philox_lanes(c, key.seed);
  for (int slot = 0; slot < kColumns / kDropoutDraws; ++slot) {
    const Lanes bits = (c[slot / 2] >> (slot % 2 * 16)) & 0xFFFF;
    const Lanes lost = (Lanes)(bits < threshold);
    for (int i = 0; i < kDraws; ++i)
      keep[i / kDropoutDraws][slot * kDropoutDraws + i % kDropoutDraws] = lost[i] ? T{0} : scale;
  }
}

// --- columns ------------------------------------------------------------------------------------

/// f(first column, how many) for every block of columns; `how many` is a constant for whole blocks,
/// so that their sums stay in registers.
template <class F>
void for_column_blocks(int threads, std::int64_t columns, const F& f) {
  parallel_tiles(threads, tiles_of(columns, kColumns), [&](std::int64_t block, int) {
    const std::int64_t first = block * kColumns, left = columns - first;
    if (left >= kColumns)
      f(first, std::integral_constant<int, kColumns>{});
    else
      f(first, static_cast<int>(left));
  });
}

/// totals[k][c] = sum over rows of what add(n, sums) adds to sums[k][c].
template <int kinds, class T, class Add>
void sum_rows(std::int64_t rows, double (&totals)[kinds][kColumns], const Add& add) {
  for (auto& kind : totals) std::fill(kind, kind + kColumns, 0.0);
  for (std::int64_t begin = 0; begin < rows; begin += kSumRows) {
    T sums[kinds][kColumns] = {};
    for (std::int64_t n = begin; n < std::min(rows, begin + kSumRows); ++n) add(n, sums);
    for (int k = 0; k < kinds; ++k)
      for (int c = 0; c < kColumns; ++c) totals[k][c] += static_cast<double>(sums[k][c]);
  }
}

/// a = slope z + offset for the columns of a block.
template <class T>
struct Affine {
  T slope[kColumns], offset[kColumns];
};

template <class T, class Count>
void batch_moments(MatrixView<const T> z, std::int64_t first, Count count, T* mean, T* variance) {
  const T* const about = z.row(0) + first;
  double totals[2][kColumns];
  sum_rows<2, T>(z.rows, totals, [&](std::int64_t n, T(&sums)[2][kColumns]) {
    const T* const row = z.row(n) + first;
    for (int c = 0; c < count; ++c) {
      const T x = row[c] - about[c];
      sums[0][c] += x;
      sums[1][c] += x * x;
    }
  });
  const auto rows = static_cast<double>(z.rows);
  for (int c = 0; c < count; ++c) {
    const Moments<T> moments = moments_about(about[c], totals[0][c], totals[1][c], rows);
    mean[first + c] = moments.mean;
    variance[first + c] = moments.variance;
  }
}

template <class T, class Count>
Affine<T> affine_of(const HiddenView<T>& hidden, std::int64_t first, Count count, const T* mean,
                    const T* variance) {
  Affine<T> a{};
  for (int c = 0; c < count; ++c) {
    const UnitAffine<T> unit = unit_affine(hidden, mean, variance, first + c);
    a.slope[c] = unit.slope;
    a.offset[c] = unit.offset;
  }
  return a;
}

template <class T, class Count>
void activate_columns(const HiddenView<T>& hidden, const Affine<T>& a, MatrixView<const T> z,
                      std::int64_t first, Count count, MatrixView<T> y) {
  const std::uint32_t threshold = dropout_threshold(hidden.dropout);
  const T scale = kept_scale(hidden);
  T keep[kBatchRows][kColumns];
  for (auto& row : keep) std::fill(row, row + kColumns, T{1});
  for (std::int64_t begin = 0; begin < z.rows; begin += kBatchRows) {
    if (threshold != 0)
      fill_keep(hidden.key, threshold, scale, begin, first / kDropoutBlock * kDropoutDraws, keep);
    for (std::int64_t n = begin; n < std::min(z.rows, begin + kBatchRows); ++n) {
      const T* const from = z.row(n) + first;
      T* const to = y.row(n) + first;
      for (int c = 0; c < count; ++c)
        to[c] = relu(a.slope[c] * from[c] + a.offset[c]) * keep[n - begin][c];
    }
  }
}

// --- the group ----------------------------------------------------------------------------------

template <class T>
class CpuTraining final : public TrainOps<T> {
 public:
  explicit CpuTraining(CpuBackend& backend) : backend_(backend) {}

  void hidden_forward(const HiddenView<T>& hidden, MatrixView<const T> z, VectorView<T> mean,
                      VectorView<T> variance, MatrixView<T> y) override {
    if (z.rows == 0) return;
    for_column_blocks(backend_.threads(), z.cols, [&](std::int64_t first, auto count) {
      if (hidden.gamma.size != 0) batch_moments(z, first, count, mean.data, variance.data);
      const Affine<T> affine = affine_of(hidden, first, count, mean.data, variance.data);
      activate_columns(hidden, affine, z, first, count, y);
    });
  }

  void hidden_backward(const HiddenView<T>& hidden, MatrixView<const T> z, VectorView<const T> mean,
                       VectorView<const T> variance, MatrixView<const T> y, MatrixView<T> gradient,
                       VectorView<T> d_gamma, VectorView<T> d_beta) override {
    const T scale = kept_scale(hidden);
    for_column_blocks(backend_.threads(), z.cols, [&](std::int64_t first, auto count) {
      pass_activation(scale, y, first, count, gradient);
      if (hidden.gamma.size == 0)
        sum_columns(gradient, first, count, d_beta.data + first);
      else
        pass_normalisation(hidden, z, mean.data, variance.data, first, count, gradient,
                           d_gamma.data, d_beta.data);
    });
  }

  void column_sums(MatrixView<const T> x, VectorView<T> sums) override {
    for_column_blocks(backend_.threads(), x.cols, [&](std::int64_t first, auto count) {
      sum_columns(x, first, count, sums.data + first);
    });
  }

  void cross_entropy(VectorView<const T> bias, VectorView<const std::uint8_t> alike,
                     MatrixView<T> logits, VectorView<T> loss, MatrixView<T> gradient) override {
    const T share = T{1} / static_cast<T>(std::max<std::int64_t>(1, logits.rows));
    for_rows(logits.rows, kLossRows, [&](std::int64_t n) {
      loss.data[n] =
          cross_entropy_row(bias.data, alike.data[n] != 0, share, logits.row(n), gradient.row(n));
    });
  }

  void class_loss(VectorView<const T> bias, VectorView<const T> weight,
                  VectorView<const std::int32_t> classes, T share, MatrixView<T> logits,
                  VectorView<T> loss, MatrixView<T> gradient) override {
    for_rows(logits.rows, kLossRows, [&](std::int64_t n) {
      const std::int64_t of_class = classes.data[n];
      loss.data[n] = class_loss_row(bias.data, weight.size == 0 ? T{1} : weight.data[of_class],
                                    of_class, share, logits.cols, logits.row(n), gradient.row(n));
    });
  }

  void value_loss(const ValueLoss& how, VectorView<const T> bias, MatrixView<const T> target,
                  T share, MatrixView<T> values, VectorView<T> loss,
                  MatrixView<T> gradient) override {
    for_rows(values.rows, kLossRows, [&](std::int64_t n) {
      loss.data[n] = value_loss_row(how.kind, static_cast<T>(how.knee), bias.data, target.row(n),
                                    share, values.cols, values.row(n), gradient.row(n));
    });
  }

  void gather_rows(MatrixView<const T> x, VectorView<const std::int32_t> rows,
                   MatrixView<T> out) override {
    for_rows(out.rows, kLossRows,
             [&](std::int64_t i) { std::copy_n(x.row(rows.data[i]), x.cols, out.row(i)); });
  }

  void list_loss(VectorView<const T> bias, VectorView<const T> none,
                 MatrixView<const std::uint8_t> relation, T share, MatrixView<T> distances,
                 VectorView<T> loss, VectorView<T> none_gradient) override {
    const ListLoss<T> what{bias.size == 0 ? nullptr : bias.data,
                           none.data,
                           relation,
                           share,
                           distances,
                           loss.data,
                           none_gradient.data};
    for_rows(distances.rows, kListRows, [&](std::int64_t i) { list_row(what, i); });
  }

  void add_scaled_rows(T alpha, VectorView<const T> scale, MatrixView<const T> x,
                       MatrixView<T> y) override {
    for_rows(x.rows, kLossRows, [&](std::int64_t i) {
      const T factor = alpha * scale.data[i];
      const T* const from = x.row(i);
      T* const to = y.row(i);
      for (std::int64_t k = 0; k < x.cols; ++k) to[k] += factor * from[k];
    });
  }

  void blend(T keep, VectorView<const T> x, VectorView<T> y) override {
    for (std::int64_t i = 0; i < y.size; ++i)
      y.data[i] = keep * y.data[i] + (T{1} - keep) * x.data[i];
  }

  void adam(const AdamStep& step, VectorView<const T> gradient, VectorView<T> moment1,
            VectorView<T> moment2, VectorView<T> parameters) override {
    const AdamFactors<T> factors = adam_factors<T>(step);
    parallel_tiles(backend_.threads(), tiles_of(parameters.size, kVectorTile),
                   [&](std::int64_t tile, int) {
                     const std::int64_t end = std::min(parameters.size, (tile + 1) * kVectorTile);
                     for (std::int64_t i = tile * kVectorTile; i < end; ++i)
                       adam_update(factors, gradient.data[i], moment1.data[i], moment2.data[i],
                                   parameters.data[i]);
                   });
  }

 private:
  /// f(row) for every row; threads take `tile` of them at a time.
  template <class F>
  void for_rows(std::int64_t rows, std::int64_t tile, const F& f) {
    parallel_tiles(backend_.threads(), tiles_of(rows, tile), [&](std::int64_t t, int) {
      for (std::int64_t n = t * tile; n < std::min(rows, (t + 1) * tile); ++n) f(n);
    });
  }

  template <class Count>
  static void sum_columns(MatrixView<const T> x, std::int64_t first, Count count, T* to) {
    double totals[1][kColumns];
    sum_rows<1, T>(x.rows, totals, [&](std::int64_t n, T(&sums)[1][kColumns]) {
      const T* const row = x.row(n) + first;
      for (int c = 0; c < count; ++c) sums[0][c] += row[c];
    });
    for (int c = 0; c < count; ++c) to[c] = static_cast<T>(totals[0][c]);
  }

  /// gradient: dL/dy becomes dL/da.
  template <class Count>
  static void pass_activation(T scale, MatrixView<const T> y, std::int64_t first, Count count,
                              MatrixView<T> gradient) {
    for (std::int64_t n = 0; n < y.rows; ++n) {
      const T* const value = y.row(n) + first;
      T* const g = gradient.row(n) + first;
      for (int c = 0; c < count; ++c) g[c] = activation_gradient(value[c], scale, g[c]);
    }
  }

  template <class Count>
  static void pass_normalisation(const HiddenView<T>& hidden, MatrixView<const T> z, const T* mean,
                                 const T* variance, std::int64_t first, Count count,
                                 MatrixView<T> gradient, T* d_gamma, T* d_beta) {
    T centre[kColumns] = {}, inverse[kColumns] = {};
    for (int c = 0; c < count; ++c) {
      centre[c] = mean[first + c];
      inverse[c] = inverse_deviation(variance[first + c], hidden.epsilon);
    }
    double totals[2][kColumns];
    sum_rows<2, T>(z.rows, totals, [&](std::int64_t n, T(&sums)[2][kColumns]) {
      const T* const row = z.row(n) + first;
      const T* const g = gradient.row(n) + first;
      for (int c = 0; c < count; ++c) {
        sums[0][c] += g[c];
        sums[1][c] += g[c] * ((row[c] - centre[c]) * inverse[c]);
      }
    });
    T slope[kColumns] = {}, offset[kColumns] = {}, along[kColumns] = {};
    for (int c = 0; c < count; ++c) {
      const std::int64_t u = first + c;
      d_beta[u] = static_cast<T>(totals[0][c]);
      d_gamma[u] = static_cast<T>(totals[1][c]);
      const auto unit = normalisation_gradient(hidden.gamma.data[u], inverse[c], d_gamma[u],
                                               d_beta[u], static_cast<T>(z.rows));
      slope[c] = unit.slope;
      offset[c] = unit.offset;
      along[c] = unit.along;
    }
    for (std::int64_t n = 0; n < z.rows; ++n) {
      const T* const row = z.row(n) + first;
      T* const g = gradient.row(n) + first;
      for (int c = 0; c < count; ++c)
        g[c] = slope[c] * (g[c] - offset[c] - (row[c] - centre[c]) * along[c]);
    }
  }

  CpuBackend& backend_;
};

}  // namespace

template <class T>
std::unique_ptr<TrainOps<T>> make_cpu_training(CpuBackend& backend) {
  return std::make_unique<CpuTraining<T>>(backend);
}
template std::unique_ptr<TrainOps<float>> make_cpu_training(CpuBackend&);
template std::unique_ptr<TrainOps<double>> make_cpu_training(CpuBackend&);

}  // namespace kronite
