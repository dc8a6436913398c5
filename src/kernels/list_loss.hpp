// Loss and gradient of lists: a softmax over the candidates of a query and "none of these". The row
// of a query is worked by one thread on the CPU, by one block, in phases (kernels/phases.hpp), on
// the GPU.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "device/ops.hpp"           // for Relation
#include "kernels/element.hpp"      // for element
#include "kernels/host_device.hpp"  // for KRONITE_HD

namespace kronite {

/// The arguments of TrainOps::list_loss().
template <class T>
struct ListLoss {
  const T* bias;  ///< null: all 0
  const T* none;
  MatrixView<const std::uint8_t> relation;
  T share;
  MatrixView<T> z;  ///< squared distances, which become gradients
  T* loss;
  T* none_gradient;

  KRONITE_HD Relation relation_of(std::int64_t i, std::int64_t j) const {
    return static_cast<Relation>(element(relation, i, j));
  }
  KRONITE_HD T logit(std::int64_t i, std::int64_t j) const {
    return (bias ? bias[j] : T{0}) - element(z, i, j);
  }
};

/// Largest logits, and sums of exp(logit - largest), over the whole list (with none) and over its
/// alike candidates. Largest logits of nothing are -infinity.
struct ListSums {
  double largest, largest_alike;
  double sum, sum_alike;
};

/// Logarithms of the sums of exp(logit).
template <class T>
struct ListLogs {
  T all, alike;
  bool any_alike;
};

template <class T>
KRONITE_HD inline ListLogs<T> logs_of(const ListSums& s) {
  using std::log;
  const bool any = s.sum_alike > 0;
  return {static_cast<T>(s.largest + log(s.sum)),
          any ? static_cast<T>(s.largest_alike + log(s.sum_alike)) : T{0}, any};
}

// A constant, because std::numeric_limits has functions of the host alone.
inline constexpr double kNoLogit = -std::numeric_limits<double>::infinity();

/// Row i, from `first` on in steps of `step`: their largest logits.
template <class T>
KRONITE_HD inline void find_largest(const ListLoss<T>& what, std::int64_t i, std::int64_t first,
                                    std::int64_t step, ListSums& to) {
  for (std::int64_t j = first; j < what.z.cols; j += step) {
    const Relation relation = what.relation_of(i, j);
    if (relation == Relation::left_out) continue;
    const auto logit = static_cast<double>(what.logit(i, j));
    if (logit > to.largest) to.largest = logit;
    if (relation == Relation::alike && logit > to.largest_alike) to.largest_alike = logit;
  }
}

/// Likewise, their sums.
template <class T>
KRONITE_HD inline void add_exponentials(const ListLoss<T>& what, std::int64_t i, std::int64_t first,
                                        std::int64_t step, ListSums& to) {
  using std::exp;
  const T largest = static_cast<T>(to.largest), largest_alike = static_cast<T>(to.largest_alike);
  for (std::int64_t j = first; j < what.z.cols; j += step) {
    const Relation relation = what.relation_of(i, j);
    if (relation == Relation::left_out) continue;
    const T logit = what.logit(i, j);
    to.sum += static_cast<double>(exp(logit - largest));
    if (relation == Relation::alike)
      to.sum_alike += static_cast<double>(exp(logit - largest_alike));
  }
}

/// Likewise, distances become gradients.
template <class T>
KRONITE_HD inline void store_gradients(const ListLoss<T>& what, std::int64_t i, std::int64_t first,
                                       std::int64_t step, const ListLogs<T>& logs) {
  using std::exp;
  for (std::int64_t j = first; j < what.z.cols; j += step) {
    const Relation relation = what.relation_of(i, j);
    T gradient = 0;
    if (relation != Relation::left_out) {
      const T logit = what.logit(i, j);
      gradient = exp(logit - logs.all);
      if (relation == Relation::alike) gradient -= exp(logit - logs.alike);
    }
    element(what.z, i, j) = what.share * gradient;
  }
}

/// Loss of row i, and the gradient of its none.
template <class T>
KRONITE_HD inline void finish_list(const ListLoss<T>& what, std::int64_t i,
                                   const ListLogs<T>& logs) {
  using std::exp;
  const T none = what.none[i];
  what.loss[i] = logs.all - (logs.any_alike ? logs.alike : none);
  what.none_gradient[i] = what.share * (exp(none - logs.all) - (logs.any_alike ? T{0} : T{1}));
}

/// The whole of row i by one thread.
template <class T>
KRONITE_HD inline void list_row(const ListLoss<T>& what, std::int64_t i) {
  using std::exp;
  const auto none = static_cast<double>(what.none[i]);
  ListSums sums{none, kNoLogit, 0, 0};
  find_largest(what, i, 0, 1, sums);
  sums.sum = exp(none - sums.largest);
  add_exponentials(what, i, 0, 1, sums);
  const ListLogs<T> logs = logs_of<T>(sums);
  store_gradients(what, i, 0, 1, logs);
  finish_list(what, i, logs);
}

// --- the block ----------------------------------------------------------------------------------

inline constexpr int kListThreads = 128;

struct ListShared {
  ListSums sums[kListThreads];
};

struct ListRegisters {};

/// Row `block`: each thread takes every 128th candidate, and what they found meets in trees.
template <class T, class Each>
KRONITE_HD inline void list_block(std::int64_t block, const ListLoss<T>& what, ListShared& shared,
                                  Each& each) {
  each([&](int thread, ListRegisters&) {
    ListSums& own = shared.sums[thread];
    own = {static_cast<double>(what.none[block]), kNoLogit, 0, 0};
    find_largest(what, block, thread, kListThreads, own);
  });
  for (int reach = kListThreads / 2; reach > 0; reach /= 2)
    each([&](int thread, ListRegisters&) {
      if (thread >= reach) return;
      ListSums& own = shared.sums[thread];
      const ListSums& other = shared.sums[thread + reach];
      if (other.largest > own.largest) own.largest = other.largest;
      if (other.largest_alike > own.largest_alike) own.largest_alike = other.largest_alike;
    });
  // The largest values of all are read by every thread, and so lie where no sum is written.
  each([&](int thread, ListRegisters&) {
    using std::exp;
    const double none = static_cast<double>(what.none[block]);
    ListSums own{shared.sums[0].largest, shared.sums[0].largest_alike, 0, 0};
    if (thread == 0) own.sum = exp(none - own.largest);
    add_exponentials(what, block, thread, kListThreads, own);
    shared.sums[thread].sum = own.sum;
    shared.sums[thread].sum_alike = own.sum_alike;
  });
  for (int reach = kListThreads / 2; reach > 0; reach /= 2)
    each([&](int thread, ListRegisters&) {
      if (thread >= reach) return;
      shared.sums[thread].sum += shared.sums[thread + reach].sum;
      shared.sums[thread].sum_alike += shared.sums[thread + reach].sum_alike;
    });
  each([&](int thread, ListRegisters&) {
    const ListLogs<T> logs = logs_of<T>(shared.sums[0]);
    store_gradients(what, block, thread, kListThreads, logs);
    if (thread == 0) finish_list(what, block, logs);
  });
}

}  // namespace kronite
