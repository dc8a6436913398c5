// Training steps on one batch. Sums over its rows are one block per 32 columns (column_block.hpp);
// all else is one thread per value, or per few values that share their random bits.
#include <cstdint>

#include "cuda/cuda_backend.cuh"      // for CudaBackend
#include "kernels/adam.hpp"           // for adam_factors, adam_update
#include "kernels/column_block.hpp"   // for column_block
#include "kernels/cross_entropy.hpp"  // for cross_entropy_row
#include "kernels/element.hpp"        // for element
#include "kernels/hidden.hpp"         // for activate_draw
#include "kernels/list_loss.hpp"      // for list_block
#include "kernels/phases.hpp"         // for GpuThreads
#include "kernels/row_loss.hpp"       // for class_loss_row, value_loss_row

namespace kronite::cuda {
namespace {

// --- kernels -------------------------------------------------------------------------------------

constexpr int kThreads = 256;

/// Sums over the rows of each column, and what is made of them.
/// Grid: one block of 32 x 32 threads per 32 columns. Bounds: rows and columns past the end add
/// nothing and are not stored. 64-bit index. Per value: 4 bytes read for each matrix of the sum, 1
/// to 7 operations; per column 31 additions of doubles. A batch of 1,024 x 400 fills 13 blocks, so
/// the time is that of 32 dependent reads of the L2 cache.
template <class Sums>
__global__ void __launch_bounds__(kColumnThreads)
    column_sums_kernel(std::int64_t rows, std::int64_t columns, Sums what) {
  __shared__ ColumnShared<Sums::kKinds> shared;
  GpuThreads<ColumnRegisters> threads{static_cast<int>(threadIdx.x), {}};
  column_block<float>(blockIdx.x, rows, columns, what, shared, threads);
}

/// y from z, as HiddenView says.
/// Grid: one thread per row and draw of random bits, which has 8 units, 256 per block. Bounds:
/// threads past the last draw and units past the last one do nothing. 64-bit index. Per value: 4
/// bytes read and 4 written (what the layer has per unit stays in the L1 cache), some 30
/// operations, of which 13 are its share of the random bits. Neighbouring draws have neighbouring
/// units, four at a time.
__global__ void __launch_bounds__(kThreads)
    activate_kernel(HiddenView<float> hidden, std::uint32_t threshold, float kept_scale,
                    MatrixView<const float> z, const float* mean, const float* variance,
                    MatrixView<float> y) {
  const std::int64_t draws = dropout_draws(z.cols);
  const std::int64_t i = global_thread();
  if (i >= z.rows * draws) return;
  activate_draw(hidden, threshold, kept_scale, z, mean, variance, i / draws, i % draws, y);
}

/// gradient: dL/dy becomes dL/dz, once dL/dgamma and dL/dbeta are known.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 12 bytes read (8 without normalisation), 4 written; some 15 operations.
__global__ void __launch_bounds__(kThreads)
    hidden_gradient_kernel(HiddenView<float> hidden, float kept_scale, MatrixView<const float> z,
                           const float* mean, const float* variance, MatrixView<const float> y,
                           const float* d_gamma, const float* d_beta, MatrixView<float> gradient) {
  const std::int64_t i = global_thread();
  if (i >= z.rows * z.cols) return;
  const std::int64_t n = i / z.cols, u = i % z.cols;
  float& value = element(gradient, n, u);
  const float g = activation_gradient(element(y, n, u), kept_scale, value);
  if (hidden.gamma.size == 0) {
    value = g;
    return;
  }
  const auto unit =
      normalisation_gradient(hidden.gamma.data[u], inverse_deviation(variance[u], hidden.epsilon),
                             d_gamma[u], d_beta[u], static_cast<float>(z.rows));
  value = unit.slope * (g - unit.offset - (element(z, n, u) - mean[u]) * unit.along);
}

/// logits <- logits + bias; loss and gradient of each row.
/// Grid: one thread per row, 256 per block. Bounds: threads past the last row return. 64-bit index.
/// Per row: 17 bytes read, 20 written; some 40 operations.
__global__ void __launch_bounds__(kThreads)
    cross_entropy_kernel(const float* bias, const std::uint8_t* alike, float share,
                         MatrixView<float> logits, float* loss, MatrixView<float> gradient) {
  const std::int64_t n = global_thread();
  if (n >= logits.rows) return;
  loss[n] = cross_entropy_row(bias, alike[n] != 0, share, &element(logits, n, 0),
                              &element(gradient, n, 0));
}

/// logits <- logits + bias; loss and gradient of each row, of the class that it has.
/// Grid: one thread per row, 256 per block. Bounds: threads past the last row return. 64-bit index.
/// Per logit: 28 bytes read and written, of which 16 come from the caches; two exponentials and
/// some 10 operations.
__global__ void __launch_bounds__(kThreads)
    class_loss_kernel(const float* bias, const float* weight, const std::int32_t* classes,
                      float share, MatrixView<float> logits, float* loss,
                      MatrixView<float> gradient) {
  const std::int64_t n = global_thread();
  if (n >= logits.rows) return;
  const std::int64_t of_class = classes[n];
  loss[n] = class_loss_row(bias, weight ? weight[of_class] : 1.0F, of_class, share, logits.cols,
                           &element(logits, n, 0), &element(gradient, n, 0));
}

/// values <- values + bias; loss and gradient of each row.
/// Grid: one thread per row, 256 per block. Bounds: threads past the last row return. 64-bit index.
/// Per value: 12 bytes read, 8 written; some 10 operations.
__global__ void __launch_bounds__(kThreads)
    value_loss_kernel(ValueLossKind kind, float knee, const float* bias,
                      MatrixView<const float> target, float share, MatrixView<float> values,
                      float* loss, MatrixView<float> gradient) {
  const std::int64_t n = global_thread();
  if (n >= values.rows) return;
  loss[n] = value_loss_row(kind, knee, bias, &element(target, n, 0), share, values.cols,
                           &element(values, n, 0), &element(gradient, n, 0));
}

/// out_i = x_{rows_i}.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 4 bytes read (and its row's number, from the cache), 4 written; no operation.
__global__ void __launch_bounds__(kThreads)
    gather_rows_kernel(MatrixView<const float> x, const std::int32_t* rows, MatrixView<float> out) {
  const std::int64_t n = global_thread();
  if (n >= out.rows * out.cols) return;
  const std::int64_t i = n / out.cols, k = n % out.cols;
  element(out, i, k) = element(x, rows[i], k);
}

/// Loss and gradients of lists.
/// Grid: one block of 128 threads per row, eight of them to a multiprocessor: without that number
/// the compiler keeps a register in memory on 8.0. Bounds: candidates past the end are not read.
/// 64-bit index. Per candidate: three readings of 5 bytes, of which two come from the caches, and 4
/// bytes written; two or three exponentials and some 20 operations.
__global__ void __launch_bounds__(kListThreads, 8) list_loss_kernel(ListLoss<float> what) {
  __shared__ ListShared shared;
  GpuThreads<ListRegisters> threads{static_cast<int>(threadIdx.x), {}};
  list_block(static_cast<std::int64_t>(blockIdx.x), what, shared, threads);
}

/// y_i <- y_i + alpha scale_i x_i.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 8 bytes read, 4 written; 2 operations.
__global__ void __launch_bounds__(kThreads)
    add_scaled_rows_kernel(float alpha, const float* scale, MatrixView<const float> x,
                           MatrixView<float> y) {
  const std::int64_t n = global_thread();
  if (n >= x.rows * x.cols) return;
  const std::int64_t i = n / x.cols, k = n % x.cols;
  element(y, i, k) += alpha * scale[i] * element(x, i, k);
}

/// y <- keep y + (1 - keep) x.
/// Grid: one thread per value, 256 per block. Bounds: threads past the last value return. 64-bit
/// index. Per value: 8 bytes read, 4 written; 3 operations.
__global__ void __launch_bounds__(kThreads)
    blend_kernel(float keep, VectorView<const float> x, VectorView<float> y) {
  const std::int64_t i = global_thread();
  if (i < y.size) y.data[i] = keep * y.data[i] + (1.0F - keep) * x.data[i];
}

/// One step of Adam.
/// Grid: one thread per parameter, 256 per block. Bounds: threads past the last one return. 64-bit
/// index. Per parameter: 16 bytes read, 12 written; some 15 operations.
__global__ void __launch_bounds__(kThreads)
    adam_kernel(AdamFactors<float> factors, VectorView<const float> gradient,
                VectorView<float> moment1, VectorView<float> moment2,
                VectorView<float> parameters) {
  const std::int64_t i = global_thread();
  if (i >= parameters.size) return;
  adam_update(factors, gradient.data[i], moment1.data[i], moment2.data[i], parameters.data[i]);
}

// --- the group -----------------------------------------------------------------------------------
class CudaTraining final : public TrainOps<float> {
 public:
  explicit CudaTraining(CudaBackend& backend) : backend_(backend) {}

  void hidden_forward(const HiddenView<float>& hidden, MatrixView<const float> z,
                      VectorView<float> mean, VectorView<float> variance,
                      MatrixView<float> y) override;
  void hidden_backward(const HiddenView<float>& hidden, MatrixView<const float> z,
                       VectorView<const float> mean, VectorView<const float> variance,
                       MatrixView<const float> y, MatrixView<float> gradient,
                       VectorView<float> d_gamma, VectorView<float> d_beta) override;
  void column_sums(MatrixView<const float> x, VectorView<float> sums) override;
  void cross_entropy(VectorView<const float> bias, VectorView<const std::uint8_t> alike,
                     MatrixView<float> logits, VectorView<float> loss,
                     MatrixView<float> gradient) override;
  void class_loss(VectorView<const float> bias, VectorView<const float> weight,
                  VectorView<const std::int32_t> classes, float share, MatrixView<float> logits,
                  VectorView<float> loss, MatrixView<float> gradient) override;
  void value_loss(const ValueLoss& how, VectorView<const float> bias,
                  MatrixView<const float> target, float share, MatrixView<float> values,
                  VectorView<float> loss, MatrixView<float> gradient) override;
  void gather_rows(MatrixView<const float> x, VectorView<const std::int32_t> rows,
                   MatrixView<float> out) override;
  void list_loss(VectorView<const float> bias, VectorView<const float> none,
                 MatrixView<const std::uint8_t> relation, float share, MatrixView<float> distances,
                 VectorView<float> loss, VectorView<float> none_gradient) override;
  void add_scaled_rows(float alpha, VectorView<const float> scale, MatrixView<const float> x,
                       MatrixView<float> y) override;
  void blend(float keep, VectorView<const float> x, VectorView<float> y) override;
  void adam(const AdamStep& step, VectorView<const float> gradient, VectorView<float> moment1,
            VectorView<float> moment2, VectorView<float> parameters) override;

 private:
  template <class Sums>
  void sum_columns(std::int64_t rows, std::int64_t columns, const Sums& what);
  /// Queues a kernel of one thread per item.
  template <class... Parameters, class... Args>
  void for_each(std::int64_t items, const char* name, void (*kernel)(Parameters...),
                const Args&... args);

  CudaBackend& backend_;
};

template <class Sums>
void CudaTraining::sum_columns(std::int64_t rows, std::int64_t columns, const Sums& what) {
  if (columns == 0) return;
  const CurrentDevice current(backend_.id());
  launch("column_sums_kernel", column_sums_kernel<Sums>, blocks_for(columns, kBlockColumns),
         kColumnThreads, backend_.stream(), rows, columns, what);
}

template <class... Parameters, class... Args>
void CudaTraining::for_each(std::int64_t items, const char* name, void (*kernel)(Parameters...),
                            const Args&... args) {
  if (items == 0) return;
  const CurrentDevice current(backend_.id());
  launch(name, kernel, blocks_for(items, kThreads), kThreads, backend_.stream(), args...);
}

void CudaTraining::hidden_forward(const HiddenView<float>& hidden, MatrixView<const float> z,
                                  VectorView<float> mean, VectorView<float> variance,
                                  MatrixView<float> y) {
  if (z.rows == 0) return;
  if (hidden.gamma.size != 0)
    sum_columns(z.rows, z.cols, MomentSums<float>{z, mean.data, variance.data});
  for_each(z.rows * dropout_draws(z.cols), "activate_kernel", activate_kernel, hidden,
           dropout_threshold(hidden.dropout), kept_scale(hidden), z, mean.data, variance.data, y);
}

void CudaTraining::hidden_backward(const HiddenView<float>& hidden, MatrixView<const float> z,
                                   VectorView<const float> mean, VectorView<const float> variance,
                                   MatrixView<const float> y, MatrixView<float> gradient,
                                   VectorView<float> d_gamma, VectorView<float> d_beta) {
  const float scale = kept_scale(hidden);
  if (hidden.gamma.size == 0)
    sum_columns(z.rows, z.cols, OffsetGradientSums<float>{y, gradient, scale, d_beta.data});
  else
    sum_columns(z.rows, z.cols,
                NormalisationGradientSums<float>{z, y, gradient, mean.data, variance.data,
                                                 hidden.epsilon, scale, d_gamma.data, d_beta.data});
  for_each(z.rows * z.cols, "hidden_gradient_kernel", hidden_gradient_kernel, hidden, scale, z,
           mean.data, variance.data, y, d_gamma.data, d_beta.data, gradient);
}

void CudaTraining::column_sums(MatrixView<const float> x, VectorView<float> sums) {
  sum_columns(x.rows, x.cols, PlainSums<float>{x, sums.data});
}

void CudaTraining::cross_entropy(VectorView<const float> bias, VectorView<const std::uint8_t> alike,
                                 MatrixView<float> logits, VectorView<float> loss,
                                 MatrixView<float> gradient) {
  if (logits.rows == 0) return;
  const float share = 1.0F / static_cast<float>(logits.rows);
  for_each(logits.rows, "cross_entropy_kernel", cross_entropy_kernel, bias.data, alike.data, share,
           logits, loss.data, gradient);
}

void CudaTraining::class_loss(VectorView<const float> bias, VectorView<const float> weight,
                              VectorView<const std::int32_t> classes, float share,
                              MatrixView<float> logits, VectorView<float> loss,
                              MatrixView<float> gradient) {
  for_each(logits.rows, "class_loss_kernel", class_loss_kernel, bias.data,
           weight.size == 0 ? nullptr : weight.data, classes.data, share, logits, loss.data,
           gradient);
}

void CudaTraining::value_loss(const ValueLoss& how, VectorView<const float> bias,
                              MatrixView<const float> target, float share, MatrixView<float> values,
                              VectorView<float> loss, MatrixView<float> gradient) {
  for_each(values.rows, "value_loss_kernel", value_loss_kernel, how.kind,
           static_cast<float>(how.knee), bias.data, target, share, values, loss.data, gradient);
}

void CudaTraining::gather_rows(MatrixView<const float> x, VectorView<const std::int32_t> rows,
                               MatrixView<float> out) {
  for_each(out.rows * out.cols, "gather_rows_kernel", gather_rows_kernel, x, rows.data, out);
}

void CudaTraining::list_loss(VectorView<const float> bias, VectorView<const float> none,
                             MatrixView<const std::uint8_t> relation, float share,
                             MatrixView<float> distances, VectorView<float> loss,
                             VectorView<float> none_gradient) {
  if (distances.rows == 0) return;
  const CurrentDevice current(backend_.id());
  const ListLoss<float> what{bias.size == 0 ? nullptr : bias.data,
                             none.data,
                             relation,
                             share,
                             distances,
                             loss.data,
                             none_gradient.data};
  launch("list_loss_kernel", list_loss_kernel, blocks_for(distances.rows, 1), kListThreads,
         backend_.stream(), what);
}

void CudaTraining::add_scaled_rows(float alpha, VectorView<const float> scale,
                                   MatrixView<const float> x, MatrixView<float> y) {
  for_each(x.rows * x.cols, "add_scaled_rows_kernel", add_scaled_rows_kernel, alpha, scale.data, x,
           y);
}

void CudaTraining::blend(float keep, VectorView<const float> x, VectorView<float> y) {
  for_each(y.size, "blend_kernel", blend_kernel, keep, x, y);
}

void CudaTraining::adam(const AdamStep& step, VectorView<const float> gradient,
                        VectorView<float> moment1, VectorView<float> moment2,
                        VectorView<float> parameters) {
  for_each(parameters.size, "adam_kernel", adam_kernel, adam_factors<float>(step), gradient,
           moment1, moment2, parameters);
}

}  // namespace

std::unique_ptr<TrainOps<float>> make_training(CudaBackend& backend) {
  return std::make_unique<CudaTraining>(backend);
}

}  // namespace kronite::cuda
