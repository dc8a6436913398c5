// The search by cross-validation: what it returns, and its journal.
#include <gtest/gtest.h>

#include <filesystem>

#include "io/input.hpp"               // for read_file
#include "krfd/cross_validation.hpp"  // for FoldTrials
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdSearch : public ::testing::Test {
 protected:
  SearchResult search(const SearchOptions& options) {
    return tune_by_cross_validation(device, p.x.view(), p.t.view(), p.y.view(), options);
  }
  double mae_of(const Hyperparameters& hyper, const std::vector<std::int32_t>& fold) {
    const auto out = cross_validate(device, p.x.view(), p.t.view(), p.y.view(), hyper, fold);
    return errors({out.data(), p.n(), p.points()}, p.y.view()).mae;
  }

  Device device = Device::cpu();
  Problem p = random_problem(12, 5);
  kronite::test::TemporaryFolder folder;
};

TEST_F(KrfdSearch, ReturnsTheBestTrialAndItsError) {
  SearchOptions options;
  options.trials = 15;
  options.fold = random_folds(12, 3, 1);
  const SearchResult result = search(options);
  EXPECT_EQ(result.trials, 15);
  EXPECT_NEAR(mae_of(result.hyper, options.fold), result.mae, 1e-14);
  options.trials = 5;
  EXPECT_GE(search(options).mae, result.mae);  // the first trials are the same
}

/// What a trial takes over from those before it must not show.
TEST_F(KrfdSearch, TrialsAfterOneAnotherAreThoseOfRefittingFromScratch) {
  p = random_problem(40, 9);
  const std::vector<std::int32_t> fold = random_folds(40, 4, 2);
  FoldTrials trials(p.x.view(), p.t.view(), p.y.view(), fold, Spectra::Distances::keep);
  std::vector<Hyperparameters> all(9, p.hyper);
  all[1].lambda_g = 0.01;  // each differs from the one before in this
  all[2].lambda_t = 0.03;
  all[3].lambda_m = 2;
  all[4].t = kernel(KernelKind::laplacian, {0.7});
  all[5].m = kernel(KernelKind::gaussian, {3.0});
  all[6].g = kernel(KernelKind::laplacian, {1.2});
  all[7].g = all[7].m = kernel(KernelKind::matern32, {0.8});
  all[8].g = kernel(KernelKind::matern52, {0.8, 1.1});
  all.push_back(all[0]);
  for (const Hyperparameters& hyper : all) {
    const auto kept = trials.predictions(device, hyper);
    const auto afresh = cross_validate(device, p.x.view(), p.t.view(), p.y.view(), hyper, fold);
    double largest = 0;
    for (const double value : afresh) largest = std::max(largest, std::abs(value));
    EXPECT_LT(largest_difference(kept, afresh), 1e-9 * largest);
  }
}

TEST_F(KrfdSearch, GoesOnFromItsJournal) {
  SearchOptions options;
  options.trials = 12;
  options.random_only = true;
  const SearchResult whole = search(options);
  options.journal = folder.path("trials.jsonl");
  options.trials = 4;
  search(options);
  options.trials = 12;
  int trials = 0;
  options.progress = [&](long long, long long) { return ++trials > 0; };
  const SearchResult resumed = search(options);
  EXPECT_EQ(trials, 8);
  EXPECT_EQ(resumed.trial, whole.trial);
  EXPECT_EQ(resumed.mae, whole.mae);
}

TEST_F(KrfdSearch, AJournalOfOtherDataIsRefused) {
  SearchOptions options;
  options.trials = 2;
  options.journal = folder.path("trials.jsonl");
  search(options);
  const std::string before = io::read_file(options.journal);
  p.y.at(0, 0) += 1;
  EXPECT_THROW(search(options), Error);
  EXPECT_EQ(io::read_file(options.journal), before);
}

TEST_F(KrfdSearch, WrongInputLeavesNoJournal) {
  SearchOptions options;
  options.journal = folder.path("trials.jsonl");
  p.y.at(0, 0) = std::nan("");
  EXPECT_THROW(search(options), Error);
  EXPECT_FALSE(std::filesystem::exists(options.journal));
}

}  // namespace
}  // namespace kronite::krfd::test
