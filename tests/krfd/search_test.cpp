// The search by cross-validation: what it returns, and its journal.
#include <gtest/gtest.h>

#include <filesystem>

#include "io/input.hpp"  // for read_file
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
