// The contract of a backend: every operation with its shapes, layout and formula. Read this first.
//
// Operations are matrix-level steps on row-major views that live on the backend's device; inner
// code trusts its views (the public doors check). Each is queued on the device's stream unless its
// line says that it waits. A numerical failure is kept as the backend's status (backend.hpp).
// Coarse operations have a default body made of smaller ones; a backend overrides it when it has a
// fused kernel, and the default body is then that kernel's oracle.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kronite/kernel.hpp"   // for KernelKind
#include "kronite/network.hpp"  // for EnsembleView, PairView, ScoreBlock, Precision, ValueLossKind
#include "kronite/view.hpp"     // for MatrixView, VectorView

namespace kronite {

class Backend;

enum class Op { none, transpose };
enum class Side { left, right };

/// Dense linear algebra.
template <class T>
class LinalgOps {
 public:
  virtual ~LinalgOps() = default;

  /// C <- alpha op(A) op(B) + beta C. With beta = 0, C is not read. C must not overlap A or B.
  virtual void gemm(T alpha, MatrixView<const T> a, Op op_a, MatrixView<const T> b, Op op_b, T beta,
                    MatrixView<T> c) = 0;

  /// Lower triangle of A (n x n, symmetric, only the lower triangle is read) <- L with A = L L'.
  /// The strict upper triangle is left as it was. Status numerical when A is not positive definite.
  virtual void cholesky(MatrixView<T> a) = 0;

  /// L: lower triangle, n x n, its strict upper triangle is not read. left: B (n x m) <- op(L)^-1
  /// B; right: B (m x n) <- B op(L)^-1.
  virtual void triangular_solve(Side side, Op op, MatrixView<const T> l, MatrixView<T> b) = 0;

  /// With L from cholesky(): left: B (n x m) <- A^-1 B; right: B (m x n) <- B A^-1. Two triangular
  /// solves.
  void cholesky_solve(Side side, MatrixView<const T> l, MatrixView<T> b) {
    const bool left = side == Side::left;
    triangular_solve(side, left ? Op::none : Op::transpose, l, b);
    triangular_solve(side, left ? Op::transpose : Op::none, l, b);
  }

  /// A = V diag(w) V' for symmetric A (lower triangle is read). A is overwritten by V, whose
  /// columns are the eigenvectors; w (n) ascends. Status numerical when the iteration does not
  /// converge.
  virtual void eigh(MatrixView<T> a, VectorView<T> w) = 0;
};

/// Distances and Gram matrices of kernel functions.
template <class T>
class KernelOps {
 public:
  virtual ~KernelOps() = default;

  /// out_ij = ||x_i - y_j||_2^2. x: n x d, y: m x d, out: n x m. Never negative, and exactly zero
  /// for equal rows (no cancellation: x and y are not expanded into |x|^2 + |y|^2 - 2 x'y as they
  /// are).
  virtual void squared_distances(MatrixView<const T> x, MatrixView<const T> y,
                                 MatrixView<T> out) = 0;

  /// out_ij = k(x_i, y_j) with length scale s > 0. x: n x d, y: m x d, out: n x m.
  virtual void gram(KernelKind kind, T s, MatrixView<const T> x, MatrixView<const T> y,
                    MatrixView<T> out) = 0;

  /// out_ij = what the kernel function makes its value of: ||x_i - y_j||_1 for the Laplacian,
  /// ||x_i - y_j||_2^2 for the others. x: n x d, y: m x d, out: n x m.
  virtual void kernel_distances(KernelKind kind, MatrixView<const T> x, MatrixView<const T> y,
                                MatrixView<T> out) = 0;

  /// out_ij = the kernel function with length scale s > 0 of such a distance. distances, out: n x
  /// m, may be the same.
  virtual void gram_of_distances(KernelKind kind, T s, MatrixView<const T> distances,
                                 MatrixView<T> out) = 0;
};

/// How score_top_k() goes through its blocks.
struct TopKScoring {
  /// queries and candidates are the same rows: only the pairs i < j of each block are scored, and
  /// each enters the lists of both, i and j.
  bool self = false;
  bool append = false;  ///< go on from the lists that are in p and index, instead of empty ones
  Precision precision = Precision::fp32;
};

/// Networks on pairs of descriptors.
template <class T>
class NetworkOps {
 public:
  virtual ~NetworkOps() = default;

  /// out_p = |queries_{i_p} - candidates_{j_p}|, value by value. queries: nq x d, candidates: nt x
  /// d, out: pairs x d.
  virtual void pair_differences(MatrixView<const T> queries, MatrixView<const T> candidates,
                                PairView pairs, MatrixView<T> out) = 0;

  /// out = activation(x W' + b). x: n x in, W: units x in, out: n x units.
  virtual void dense(const DenseLayerView<T>& layer, MatrixView<const T> x, MatrixView<T> out) = 0;

  /// p_n <- scale * P + beta * p_n with P = softmax(z)_1 of two logits, 1 / (1 + exp(-z)) of one.
  /// With beta = 0, p is not read.
  virtual void probability(MatrixView<const T> logits, T scale, T beta, VectorView<T> p) = 0;

  /// Why this backend cannot score in `precision`, in one sentence; empty when it can. Asked by the
  /// public doors; the two below are called with a precision that is there. fp32 stands for T.
  virtual std::string refuses(Precision precision) const;

  /// p_n = mean over members of P(alike | |queries_{i_n} - candidates_{j_n}|). Coarse: the default
  /// body cuts the pairs into tiles that fit the scratch limit and chains the three above, always
  /// in fp32.
  virtual void score_pairs(MatrixView<const T> queries, MatrixView<const T> candidates,
                           PairView pairs, const EnsembleView<T>& ensemble, Precision precision,
                           VectorView<T> p);

  /// Row i of p and index (nq x k) <- the k best scores of query i over all blocks, and their
  /// candidates: best first, equal scores by index, NaN behind every number, index -1 and p NaN
  /// where there are fewer than k. Pairs of different blocks must differ. The result depends on
  /// neither the order of blocks nor on tiles. May wait. Coarse: the default body lists the pairs
  /// tile by tile for score_pairs and keeps the k best on the host.
  virtual void score_top_k(MatrixView<const T> queries, MatrixView<const T> candidates,
                           const std::vector<ScoreBlock>& blocks, const EnsembleView<T>& ensemble,
                           const TopKScoring& how, MatrixView<T> p, MatrixView<std::int32_t> index);

 protected:
  /// The backend whose scratch memory the default bodies use.
  virtual Backend& backend() = 0;
};

/// Which random bits a layer's dropout takes: the same key drops the same values on every device.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;  ///< batches so far
  std::uint32_t layer = 0;
};

/// What lies between the affine map of a hidden layer and the next layer, of u units:
///   a = gamma (z - mean) / sqrt(variance + epsilon) + beta   with batch normalisation,
///   a = z + beta                                             without (gamma is empty),
///   y = relu(a) / (1 - dropout), or 0 relu(a) where dropped_out() says so (kernels/dropout.hpp).
template <class T>
struct HiddenView {
  VectorView<const T> gamma;  ///< u, or empty
  VectorView<const T> beta;   ///< u
  T epsilon = static_cast<T>(1e-3);
  double dropout = 0;  ///< share of values dropped, in [0, 1)
  DropoutKey key;
};

/// One step of Adam (Kingma and Ba 2015, algorithm 1); step counts from 1. With weight_decay every
/// parameter also loses that share of itself times the learning rate (AdamW, Loshchilov and Hutter
/// 2019).
struct AdamStep {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-7;
  double weight_decay = 0;
  std::int64_t step = 1;
};

/// How a candidate stands to the query whose list it is in. A query's list may hold what it must
/// not meet: itself, or others of its own formula.
enum class Relation : std::uint8_t { unlike = 0, alike = 1, left_out = 2 };

/// What an error e of a continuous value costs: e^2 (squared), |e| (absolute), or (huber) e^2 / 2
/// up to |e| = knee and knee (|e| - knee / 2) beyond.
struct ValueLoss {
  ValueLossKind kind = ValueLossKind::squared;
  double knee = 1;  ///< of huber, above 0
};

/// Steps of training on one batch of n rows. Sums over the rows run in a fixed order, so results do
/// not depend on the number of threads. Float on every device; double, for gradient checks, on the
/// CPU only.
template <class T>
class TrainOps {
 public:
  virtual ~TrainOps() = default;

  /// y as HiddenView says. With batch normalisation mean and variance (u, over the n rows, divided
  /// by n) are of this batch and are given back; else they are not touched, and y may be z itself.
  /// z, y: n x u.
  virtual void hidden_forward(const HiddenView<T>& hidden, MatrixView<const T> z,
                              VectorView<T> mean, VectorView<T> variance, MatrixView<T> y) = 0;

  /// From dL/dy in `gradient` (n x u) to dL/dz there, with dL/dgamma (u, untouched without batch
  /// normalisation) and dL/dbeta (u). z, mean, variance and y are those of hidden_forward().
  virtual void hidden_backward(const HiddenView<T>& hidden, MatrixView<const T> z,
                               VectorView<const T> mean, VectorView<const T> variance,
                               MatrixView<const T> y, MatrixView<T> gradient, VectorView<T> d_gamma,
                               VectorView<T> d_beta) = 0;

  /// sums_u = sum_n x_nu. x: n x u.
  virtual void column_sums(MatrixView<const T> x, VectorView<T> sums) = 0;

  /// logits_nu <- logits_nu + bias_u, then loss_n = -log softmax(logits_n) of the row's class
  /// (alike_n, 0 or 1) and gradient = d(mean loss)/d logits. logits, gradient: n x 2, loss: n.
  virtual void cross_entropy(VectorView<const T> bias, VectorView<const std::uint8_t> alike,
                             MatrixView<T> logits, VectorView<T> loss, MatrixView<T> gradient) = 0;

  /// logits_nu <- logits_nu + bias_u, then loss_n = -w_c log softmax(logits_n)_c of the row's class
  /// c = classes_n in [0, u), with its weight w_c (weight: u, or empty for 1), and gradient = share
  /// * d loss_n / d logits. logits, gradient: n x u, classes, loss: n.
  virtual void class_loss(VectorView<const T> bias, VectorView<const T> weight,
                          VectorView<const std::int32_t> classes, T share, MatrixView<T> logits,
                          VectorView<T> loss, MatrixView<T> gradient) = 0;

  /// values_nu <- values_nu + bias_u, then loss_n = mean over u of what the errors values_nu -
  /// target_nu cost, and gradient = share * d loss_n / d values. At an error of 0 the absolute loss
  /// has the gradient 0. target, values, gradient: n x u, loss: n.
  virtual void value_loss(const ValueLoss& how, VectorView<const T> bias,
                          MatrixView<const T> target, T share, MatrixView<T> values,
                          VectorView<T> loss, MatrixView<T> gradient) = 0;

  /// out_i = x_{rows_i}. x: m x d, rows: n, out: n x d.
  virtual void gather_rows(MatrixView<const T> x, VectorView<const std::int32_t> rows,
                           MatrixView<T> out) = 0;

  /// Row i is a query with m candidates, their logits z_ij = bias_j - distances_ij (bias: m, or
  /// empty for 0) and that of "none of these", none_i; P_i = softmax over none and the candidates
  /// whose relation_ij, a Relation, is not left_out. Then
  ///   loss_i = -log of the sum of P_ij over alike candidates, of P_i(none) where there is none,
  ///   distances_ij <- share * d loss_i / d z_ij, 0 where left out,
  ///   none_gradient_i = share * d loss_i / d none_i.
  /// distances, relation: n x m; none, loss, none_gradient: n.
  virtual void list_loss(VectorView<const T> bias, VectorView<const T> none,
                         MatrixView<const std::uint8_t> relation, T share, MatrixView<T> distances,
                         VectorView<T> loss, VectorView<T> none_gradient) = 0;

  /// y_i <- y_i + alpha * scale_i * x_i, row by row. x, y: n x d, scale: n.
  virtual void add_scaled_rows(T alpha, VectorView<const T> scale, MatrixView<const T> x,
                               MatrixView<T> y) = 0;

  /// y <- keep * y + (1 - keep) * x: running means.
  virtual void blend(T keep, VectorView<const T> x, VectorView<T> y) = 0;

  /// Moves the parameters; all vectors have one size.
  virtual void adam(const AdamStep& step, VectorView<const T> gradient, VectorView<T> moment1,
                    VectorView<T> moment2, VectorView<T> parameters) = 0;
};

enum class Largest { no, yes };

/// Selection and grouping.
template <class T>
class SelectOps {
 public:
  virtual ~SelectOps() = default;

  /// For each row of scores (n x m): the k <= m best, best first, into values and indices (n x k).
  /// Equal scores come in order of index; NaN counts as worse than everything.
  virtual void top_k_rows(MatrixView<const T> scores, Largest largest, MatrixView<T> values,
                          MatrixView<std::int32_t> indices) = 0;
};

/// Crystals side by side; the sites of crystal i are [first_site_i, first_site_{i+1}).
struct CrystalBatch {
  MatrixView<const double> lattice;           ///< crystals x 9, contiguous: rows a, b, c in Å
  MatrixView<const double> fractional;        ///< sites x 3, contiguous
  VectorView<const std::int64_t> first_site;  ///< crystals + 1
};

/// Surroundings of the sites of crystals, in double precision: the values jump where a weight
/// crosses an edge of its rounding.
class SiteOps {
 public:
  virtual ~SiteOps() = default;

  /// values_n = fingerprint of site sites_n of the batch, status_n = how that went, a SiteStatus;
  /// where it is not good, the values are NaN. Sites of a crystal are 0.1 Å apart at least.
  /// sites: n, values: n x 61, status: n. (kernels/site_fingerprint.hpp)
  virtual void site_fingerprints(const CrystalBatch& crystals, VectorView<const std::int64_t> sites,
                                 MatrixView<double> values, VectorView<std::int32_t> status) = 0;

  /// out_i = mean, standard deviation (over n), minimum and maximum of each column of the rows
  /// [first_i, first_{i+1}), row n counted count_n times. values: n x f, count: n, first: m + 1,
  /// out: m x 4 f, the four of a column side by side.
  virtual void site_statistics(MatrixView<const double> values, VectorView<const double> count,
                               VectorView<const std::int64_t> first, MatrixView<double> out) = 0;
};

/// Rows of a sparse matrix. Row i has value_e in column_e for e from first_i - first_0 up to
/// first_{i+1} - first_0, so that a run of rows is a view of the same memory. A row names no column
/// twice.
struct SparseRows {
  VectorView<const std::int64_t> first;  ///< rows + 1
  VectorView<const std::int32_t> column;
  VectorView<const double> value;

  std::int64_t rows() const { return first.size - 1; }
};

/// Kernel means of mixtures, in double precision: what is inverted later has a condition.
class MixtureOps {
 public:
  virtual ~MixtureOps() = default;

  /// out_{i, f g + j} = k(|x_if - grid_fj|), the kernel function of one feature with its length
  /// scale s_f > 0. x: n x K, grid: K x g, s: K, out: n x K g.
  virtual void grid_kernels(KernelKind kind, MatrixView<const double> x,
                            MatrixView<const double> grid, VectorView<const double> s,
                            MatrixView<double> out) = 0;

  /// out = W H. W: rows x n, H: n x width, out: rows x width. Each value is added up in the order
  /// in which the row of W is written.
  virtual void mix_rows(const SparseRows& w, MatrixView<const double> h,
                        MatrixView<double> out) = 0;

  /// distance_i = |phi_i - (W H)_i|_2, length_i = |phi_i|_2. W: rows x n, where zeros cost next to
  /// nothing, H: n x width, phi: rows x width, distance, length: rows.
  virtual void mixture_distances(MatrixView<const double> w, MatrixView<const double> h,
                                 MatrixView<const double> phi, VectorView<double> distance,
                                 VectorView<double> length) = 0;
};

/// How minimise_on_simplex() goes about it.
struct SimplexOptions {
  double in_support = 1e-9;  ///< a row begins with those components whose w is above this
  /// Steps that exchange everything that is wrong and yet leave as much wrong as there was, after
  /// which single exchanges take over, which end. 0: single exchanges from the start.
  std::int32_t block_steps = 8;
};

enum class SimplexStatus : std::int32_t {
  solved = 0,
  stopped = 1,       ///< still not optimal after 20 n + 100 steps; w is as far as it came
  not_definite = 2,  ///< a part of P is not positive definite; w is the best single component
};

/// Of one row of minimise_on_simplex().
struct SimplexOutcome {
  SimplexStatus status;
  std::int32_t steps;  ///< linear systems solved
  double violation;    ///< largest violation of the optimality conditions over the largest |q_j|
};

/// Quadratic programs on the simplex of mixtures.
class SimplexOps {
 public:
  virtual ~SimplexOps() = default;

  /// w_i <- the w that minimises w'Pw / 2 - q_i'w subject to w >= 0 and sum w = 1, row by row for
  /// one symmetric positive definite P. w_i comes with a guess, whose support alone matters. Exact
  /// but for rounding: optimality is asked for to some (32 + |support|) eps (max |q| + max P_jj).
  /// P: n x n, q, w: rows x n, n >= 1, outcome: rows. (kernels/simplex_block.hpp)
  virtual void minimise_on_simplex(MatrixView<const double> p, MatrixView<const double> q,
                                   const SimplexOptions& options, MatrixView<double> w,
                                   VectorView<SimplexOutcome> outcome) = 0;
};

/// How smoothing along both sides weighs component ij of curves, in the eigenbases of two Gram
/// matrices with eigenvalues s_i and d_j >= 0 (kernels/smoothing.hpp):
///   a_i = s_i / (s_i + lambda_s),   b_j = d_j / (d_j + lambda_d),   omega_ij = 1 - a_i b_j,
/// the latter without cancellation. lambda_s, lambda_d > 0.
struct Smoothing {
  VectorView<const double> s;  ///< n
  VectorView<const double> d;  ///< m
  double lambda_s = 1, lambda_d = 1;
};

/// Columns of FunctionalOps::smoothing_sums().
enum SmoothingSum : int {
  kSumQ,     ///< sum_j v_j^2 omega_ij
  kSumR,     ///< sum_j v_j omega_ij y_ij
  kSumQuad,  ///< sum_j omega_ij y_ij^2
  kSumLog,   ///< sum_j log omega_ij
  kSumOver,  ///< sum_j b_j / omega_ij
  kSumQ2,    ///< sum_j v_j^2 omega_ij^2
  kSmoothingSums
};

/// Bands of curves whose covariances are sums of few outer products. Vectors of rows have n values,
/// those of columns m.
struct BandView {
  VectorView<const double> u;                   ///< rows, >= 0
  VectorView<const double> w;                   ///< columns, >= 0
  VectorView<const double> first, along, rest;  ///< rows
  VectorView<const double> beta;                ///< columns
  double variance = 1, noise = 0;
};

/// Regression of functions, in double precision: what is done to whole matrices between products
/// and factorisations. Sums over a row do not depend on the number of threads.
class FunctionalOps {
 public:
  virtual ~FunctionalOps() = default;

  /// out_ij = alpha row_i x_ij column_j + beta out_ij; an empty vector stands for ones. With beta =
  /// 0 out is not read. x, out: n x m, may be the same.
  virtual void scale(double alpha, VectorView<const double> row, MatrixView<const double> x,
                     VectorView<const double> column, double beta, MatrixView<double> out) = 0;

  /// x_ii <- x_ii + alpha + v_i; an empty v stands for zeros. x: n x n.
  virtual void add_to_diagonal(double alpha, VectorView<const double> v, MatrixView<double> x) = 0;

  /// out_i = x_ii. x: n x n, out: n.
  virtual void diagonal(MatrixView<const double> x, VectorView<double> out) = 0;

  /// out_i = sum_k x_ik y_ik. x, y: n x m, out: n.
  virtual void row_dots(MatrixView<const double> x, MatrixView<const double> y,
                        VectorView<double> out) = 0;

  /// out_ik = the sum of that number (SmoothingSum). v: m; y: n x m, or without data, which stands
  /// for zeros; out: n x kSmoothingSums.
  virtual void smoothing_sums(const Smoothing& smoothing, VectorView<const double> v,
                              MatrixView<const double> y, MatrixView<double> out) = 0;

  /// out_ij = omega_ij y_ij. y, out: n x m, may be the same.
  virtual void smoothing_residual(const Smoothing& smoothing, MatrixView<const double> y,
                                  MatrixView<double> out) = 0;

  /// out_ij = sqrt(variance (u_i w_j + (first_i + along_i beta_j)^2 + (rest_i beta_j)^2) + noise).
  /// out: n x m.
  virtual void band(const BandView& band, MatrixView<double> out) = 0;

  /// out_ik = sum_j weight_ij dk(x_i, x_j) / d log(length scale of feature k), where all length
  /// scales are 1. x: n x p, weight: n x n, out: n x p.
  virtual void length_scale_sums(KernelKind kind, MatrixView<const double> x,
                                 MatrixView<const double> weight, MatrixView<double> out) = 0;
};

/// Curves of different lengths, their rows side by side.
struct RaggedRows {
  VectorView<const std::int64_t>
      first;  ///< curves + 1: the rows of curve i are [first_i, first_{i+1})
  VectorView<const std::int64_t> curve;  ///< of each row
};

/// Least squares on curves of different lengths, in double precision. S systems are solved at
/// once: system s has the columns [s K, (s + 1) K) of a matrix with S K columns, its block s.
class RaggedOps {
 public:
  virtual ~RaggedOps() = default;

  /// out_ns = sum_k basis_nk z_{i, sK + k}, i the curve of row n. basis: rows x K, z: curves x
  /// SK, out: rows x S.
  virtual void ragged_product(const RaggedRows& rows, MatrixView<const double> basis,
                              MatrixView<const double> z, MatrixView<double> out) = 0;

  /// The transpose: out_{i, sK + k} = sum of basis_nk r_ns over the rows n of curve i. basis:
  /// rows x K, r: rows x S, out: curves x SK.
  virtual void ragged_transpose_product(const RaggedRows& rows, MatrixView<const double> basis,
                                        MatrixView<const double> r, MatrixView<double> out) = 0;

  /// sums_s = sum of a_ij b_ij over block s, in a fixed order. a, b: n x SK, sums: S.
  virtual void block_dots(MatrixView<const double> a, MatrixView<const double> b,
                          VectorView<double> sums) = 0;

  /// y <- alpha_s x + beta_s y in block s; with beta_s = 0, y is not read. x, y: n x SK; alpha,
  /// beta: S.
  virtual void combine_blocks(VectorView<const double> alpha, MatrixView<const double> x,
                              VectorView<const double> beta, MatrixView<double> y) = 0;

  /// x_{i, sK + k} <- x_{i, sK + k} / (w_i d_k + lambda). x: n x SK, w: n, d: K.
  virtual void divide_by_spectrum(VectorView<const double> w, VectorView<const double> d,
                                  double lambda, MatrixView<double> x) = 0;

  /// b_nm <- b_nm c_ij with i = row_n, j = column_m. c: any size, b: row.size x column.size.
  virtual void multiply_by_curves(VectorView<const std::int64_t> row,
                                  VectorView<const std::int64_t> column, MatrixView<const double> c,
                                  MatrixView<double> b) = 0;
};

/// Integer selection, common to all precisions.
class GroupOps {
 public:
  virtual ~GroupOps() = default;

  /// Sorts n keys into groups of equal keys, ascending, stable. order (n): the permutation;
  /// begin (n + 1): begin[g] is the place in `order` where group g starts, begin[groups] = n; the
  /// rest is left alone. Returns the number of groups, and so waits.
  virtual std::int64_t group_by_key(VectorView<const std::int64_t> keys,
                                    VectorView<std::int32_t> order,
                                    VectorView<std::int64_t> begin) = 0;
};

}  // namespace kronite
