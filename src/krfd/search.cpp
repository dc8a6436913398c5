// Hyper-parameters of least error in cross-validation, by random search or TPE.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/fail.hpp"              // for fail
#include "base/hash.hpp"              // for ContentHash
#include "base/log.hpp"               // for notice
#include "krfd/cross_validation.hpp"  // for FoldTrials
#include "kronite/krfd.hpp"           // for SearchOptions
#include "learn/search.hpp"           // for Search
#include "math/kernel_names.hpp"      // for name_of

namespace kronite::krfd {
namespace {

std::vector<std::string> names(const std::vector<KernelKind>& kinds) {
  std::vector<std::string> all;
  for (const KernelKind kind : kinds) all.push_back(math::name_of(kind));
  return all;
}

/// The order is that of at().
learn::Space space_of(const SearchOptions& options) {
  using learn::Dimension;
  const auto real = [](const char* name, const Range& range) {
    return Dimension::real(name, range.low, range.high, true);
  };
  return {Dimension::choice("kernel_x", names(options.kinds_x)),
          Dimension::choice("kernel_t", names(options.kinds_t)),
          real("length_scale_g", options.length_scale),
          real("length_scale_t", options.length_scale),
          real("length_scale_m", options.length_scale),
          real("lambda_g", options.lambda),
          real("lambda_t", options.lambda),
          real("lambda_m", options.lambda)};
}

Hyperparameters at(const learn::Point& point, const SearchOptions& options) {
  const KernelKind of_x = options.kinds_x[static_cast<std::size_t>(point[0])];
  const KernelKind of_t = options.kinds_t[static_cast<std::size_t>(point[1])];
  return {{of_x, {point[2]}}, {of_t, {point[3]}}, {of_x, {point[4]}}, point[5], point[6], point[7]};
}

/// What an error depends on beside the point, on one line.
std::string subject(MatrixView<const double> x, MatrixView<const double> t,
                    MatrixView<const double> y, const std::vector<std::int32_t>& fold) {
  ContentHash hash;
  for (const auto& m : {x, t, y})
    for (std::int64_t i = 0; i < m.rows; ++i)
      hash.take({reinterpret_cast<const char*>(m.row(i)),
                 static_cast<std::size_t>(m.cols) * sizeof(double)});
  hash.take({reinterpret_cast<const char*>(fold.data()), fold.size() * sizeof(std::int32_t)});
  return fmt::format("krfd: MAE of cross-validation, {} x {} curves of {} features, data {}",
                     x.rows, t.rows, x.cols, hash.hex());
}

}  // namespace

SearchResult tune_by_cross_validation(Device& device, MatrixView<const double> x,
                                      MatrixView<const double> t, MatrixView<const double> y,
                                      const SearchOptions& options) {
  // Before the first trial, and before a journal is written.
  prepare(x, t, y, EqualRows::keep);
  if (options.trials < 1)
    fail(Errc::invalid_argument, "{} trials were asked for; expected one at least", options.trials);
  constexpr int kFolds = 5;
  const std::vector<std::int32_t> fold =
      options.fold.empty()
          ? random_folds(x.rows, static_cast<int>(std::min<std::int64_t>(kFolds, x.rows)),
                         options.seed)
          : options.fold;
  FoldTrials trials(x, t, y, fold, Spectra::Distances::keep);
  learn::TpeOptions tpe;
  if (options.random_only) tpe.random_trials = std::numeric_limits<std::size_t>::max();
  learn::Search search(space_of(options), subject(x, t, y, fold), options.seed, options.journal,
                       tpe);
  while (search.finished() < options.trials) {
    const learn::Trial trial = search.ask();
    double mae = std::numeric_limits<double>::quiet_NaN();
    try {
      const auto predicted = trials.predictions(device, at(trial.point, options));
      mae = errors({predicted.data(), y.rows, y.cols}, y).mae;
    } catch (const Error& e) {
      if (e.code() != Errc::numerical) throw;
      notice(fmt::format("trial {}: {}", trial.number, e.what()));
    }
    search.tell(trial, mae);
    if (options.progress && !options.progress(search.finished(), options.trials))
      fail(Errc::cancelled, "the search for hyper-parameters was stopped");
  }
  const learn::Trial* best = search.best();
  if (!best) fail(Errc::numerical, "all {} trials have failed", search.finished());
  return {at(best->point, options), *best->loss, best->number, search.finished()};
}

}  // namespace kronite::krfd
