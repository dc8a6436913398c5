// Experiments: strict settings and tables, splits that keep groups and classes, intervals against
// numbers by hand, and a whole run on data with a known answer.
#include "kmd/experiment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "kmd/experiment_report.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::kmd {
namespace {

constexpr const char* kValues = R"([data]
formula = "f"
target = "y"
[[descriptor]]
kind = "kmd"
n_grids = 5
[[descriptor]]
kind = "statistics"
[[learner]]
kind = "kernel_ridge"
)";

std::string refusal(const std::string& text) {
  try {
    parse_experiment_config(text, "e.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::parse);
    return error.what();
  }
  return "nothing was refused";
}

// --- settings ------------------------------------------------------------------------------------

TEST(ExperimentConfig, ReadsWhatItSays) {
  const ExperimentSettings s = parse_experiment_config(R"(title = "T"
[data]
formula = "f"
class = "c"
unknown = "skip"
[splits]
kind = "folds"
count = 7
validation = 0.2
by_formula = false
seed = 3
[[descriptor]]
name = "D"
kind = "kmd"
kernel = "laplacian"
[[learner]]
name = "L"
kind = "network"
members = 2
hidden = [8, 4]
balance = 0.5
)",
                                                       "e.toml");

  EXPECT_EQ(s.title, "T");
  EXPECT_TRUE(s.classifies());
  EXPECT_EQ(s.data.formula, "f");
  EXPECT_EQ(s.data.classes, "c");
  EXPECT_EQ(s.data.unknown, Unknown::skip);
  EXPECT_EQ(s.splits.kind, SplitKind::folds);
  EXPECT_EQ(s.splits.count, 7);
  EXPECT_EQ(s.splits.validation, 0.2);
  EXPECT_FALSE(s.splits.by_formula);
  EXPECT_EQ(s.splits.seed, 3U);
  ASSERT_EQ(s.descriptors.size(), 1U);
  EXPECT_EQ(s.descriptors[0].name, "D");
  EXPECT_EQ(s.descriptors[0].settings.kernel, KernelKind::laplacian);
  ASSERT_EQ(s.learners.size(), 1U);
  EXPECT_EQ(s.learners[0].name, "L");
  EXPECT_EQ(s.learners[0].members, 2);
  EXPECT_EQ(s.learners[0].network.shape.hidden, (std::vector<std::int64_t>{8, 4}));
  EXPECT_EQ(s.learners[0].balance, 0.5);
}

TEST(ExperimentConfig, RefusesWhatMakesNoSense) {
  const std::string descriptor = "[[descriptor]]\nkind = \"kmd\"\n";
  const std::string network = "[[learner]]\nkind = \"network\"\n";
  const std::string data = "[data]\ntarget = \"y\"\n";

  EXPECT_EQ(refusal("[data]\n" + descriptor + network),
            "e.toml:1: one of target, targets and class is expected in [data]");
  EXPECT_EQ(refusal("[data]\ntarget = \"y\"\nclass = \"c\"\n" + descriptor + network),
            "e.toml:1: one of target, targets and class is expected in [data]");
  EXPECT_EQ(refusal(data + network), "e.toml:1: at least one [[descriptor]] is expected");
  EXPECT_EQ(refusal(data + descriptor + descriptor + network),
            "e.toml:5: two of [[descriptor]] are called \"KMD\"");
  EXPECT_EQ(
      refusal(data + "[splits]\nparts = [0.8, 0.1, 0.2]\n" + descriptor + network).substr(0, 49),
      "e.toml:4: parts are expected to add up to 1, not ");
  EXPECT_EQ(
      refusal("[data]\nclass = \"c\"\n" + descriptor + "[[learner]]\nkind = \"kernel_ridge\"\n"),
      "e.toml:6: kernel_ridge predicts values, and classes are asked for; a network or a forest is "
      "expected");
  EXPECT_EQ(refusal(data + descriptor + network + "balance = 1\n").substr(0, 50),
            "e.toml:7: there is no setting \"learner[1].balance\"");
  EXPECT_EQ(refusal(data + descriptor + "[learner]\nkind = \"network\"\n"),
            "e.toml:5: learner is a table; expected tables, each written [[learner]]");
}

// --- data ----------------------------------------------------------------------------------------

class Table : public ::testing::Test {
 protected:
  std::string write(const std::string& text) { return folder_.write("t.csv", text); }
  std::string refusal_of(const std::string& text, const DataSettings& settings) {
    try {
      read_experiment_data(write(text), settings, elements_);
    } catch (const Error& error) {
      const std::string what = error.what();
      return what.substr(what.rfind("t.csv"));
    }
    return "nothing was refused";
  }

  test::TemporaryFolder folder_;
  Components elements_ = Components::of(ElementTable::embedded());
  DataSettings values_{"f", {"y"}, "", "", Unknown::refuse};
};

TEST_F(Table, ReadsFormulasAndDictionaries) {
  DataSettings settings{"f", {}, "c", "", Unknown::refuse};

  const ExperimentData data = read_experiment_data(
      write("f,c\nSiO2,b\n\"{'Si': 2, 'O': 4.0}\",a\nNaCl,\nNaCl,b\n"), settings, elements_);

  EXPECT_EQ(data.names, (std::vector<std::string>{"SiO2", "{'Si': 2, 'O': 4.0}", "NaCl"}));
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(data.classes, (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_EQ(data.groups, (std::vector<std::int64_t>{0, 0, 1}));  // one reduced formula
  EXPECT_EQ(data.without_target, 1);
  EXPECT_EQ(data.weights.component, (std::vector<std::int32_t>{7, 13, 7, 13, 10, 16}));
  EXPECT_EQ(data.weights.weight[2], 4.0 / 6);
}

TEST_F(Table, RefusesWithFileAndLine) {
  EXPECT_EQ(refusal_of("f,z\nSiO2,1\n", values_),
            "t.csv:1: there is no column \"y\"; the header has f, z");
  EXPECT_EQ(refusal_of("f,y\nSiO2,1\nNaCl,much\n", values_),
            "t.csv:3: a number is expected in the column y, not \"much\"");
  EXPECT_EQ(refusal_of("f,y\nSiO2,1\nNaCl\n", values_), "t.csv:3: 1 cells, the header has 2");
  EXPECT_EQ(refusal_of("f,y\n\"{'Qq': 1}\",1\n", values_),
            "t.csv:2: there is no element \"Qq\" in {'Qq': 1}");
  EXPECT_EQ(refusal_of("f,y\n\"{'Si' 1}\",1\n", values_),
            "t.csv:2: {'Si' 1}: a dictionary such as {'Si': 1, 'O': 2} is expected");
  EXPECT_EQ(refusal_of("f,y\nSiO2,\n", values_), "t.csv: no row has all that is asked for");
  EXPECT_EQ(refusal_of("f,y\nSiO2,1\nAmO2,2\n", values_).substr(0, 8), "t.csv:3:");
}

// --- splits --------------------------------------------------------------------------------------

/// Every row in one part, no group in two.
void expect_partition(const learn::RowParts& parts, const std::vector<std::int64_t>& groups) {
  std::multiset<std::int64_t> rows;
  std::set<std::int64_t> seen;
  for (const auto* part : {&parts.training, &parts.validation, &parts.test}) {
    rows.insert(part->begin(), part->end());
    std::set<std::int64_t> here;
    for (const std::int64_t row : *part) here.insert(groups[row]);
    for (const std::int64_t group : here) EXPECT_TRUE(seen.insert(group).second) << group;
  }
  std::multiset<std::int64_t> all;
  for (std::size_t i = 0; i < groups.size(); ++i) all.insert(static_cast<std::int64_t>(i));
  EXPECT_EQ(rows, all);
}

TEST(ExperimentSplits, KeepGroupsTogether) {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 300; ++i) groups.push_back(i % 100);  // three rows each
  SplitSettings settings;
  settings.count = 4;

  const auto splits = experiment_splits(settings, groups, {});

  ASSERT_EQ(splits.size(), 4U);
  for (const auto& parts : splits) {
    expect_partition(parts, groups);
    EXPECT_EQ(parts.training.size(), 240U);
    EXPECT_EQ(parts.test.size(), 30U);
  }
  EXPECT_NE(splits[0].test, splits[1].test);
}

TEST(ExperimentSplits, GiveEachPartItsShareOfEachClass) {
  std::vector<std::int64_t> groups(1000);
  std::iota(groups.begin(), groups.end(), 0);
  std::vector<std::int32_t> classes(1000, 0);
  for (std::size_t i = 0; i < 1000; i += 25) classes[i] = 1;  // 40 of them
  SplitSettings settings;

  for (const auto& parts : experiment_splits(settings, groups, classes)) {
    expect_partition(parts, groups);
    const auto rare = [&](const std::vector<std::int64_t>& rows) {
      return std::count_if(rows.begin(), rows.end(),
                           [&](std::int64_t i) { return classes[i] == 1; });
    };
    EXPECT_EQ(rare(parts.training), 32);
    EXPECT_EQ(rare(parts.validation), 4);
    EXPECT_EQ(rare(parts.test), 4);
  }
}

TEST(ExperimentSplits, FoldsAreDisjointAndComplete) {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 103; ++i) groups.push_back(i / 2);  // 52 groups
  std::vector<std::int32_t> classes;
  for (std::int64_t i = 0; i < 103; ++i) classes.push_back(i / 2 % 4 == 0 ? 1 : 0);  // 13 groups
  SplitSettings settings;
  settings.kind = SplitKind::folds;
  settings.validation = 0.25;

  const auto splits = experiment_splits(settings, groups, classes);

  ASSERT_EQ(splits.size(), 5U);
  std::vector<std::int64_t> tested;
  for (const auto& parts : splits) {
    expect_partition(parts, groups);
    EXPECT_FALSE(parts.validation.empty());
    tested.insert(tested.end(), parts.test.begin(), parts.test.end());
    std::set<std::int64_t> rare;
    for (const std::int64_t i : parts.test)
      if (classes[i] == 1) rare.insert(groups[i]);
    EXPECT_GE(rare.size(), 2U);  // 13 groups dealt to 5 folds
    EXPECT_LE(rare.size(), 3U);
  }
  std::sort(tested.begin(), tested.end());
  std::vector<std::int64_t> all(103);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(tested, all);
}

TEST(ExperimentSplits, RefuseTooFewRows) {
  SplitSettings settings;
  EXPECT_THROW(experiment_splits(settings, {0, 1, 2}, {}), Error);  // no validation part
  settings.kind = SplitKind::folds;
  EXPECT_THROW(experiment_splits(settings, {0, 0, 1, 1, 2, 2}, {}), Error);  // three groups
}

// --- summaries -----------------------------------------------------------------------------------

TEST(ExperimentSummary, QuantilesAreThoseOfTables) {
  // Published tables have three decimals; 63.657 is 1 / tan(0.01 pi / 2).
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706, 5e-4);
  EXPECT_NEAR(student_quantile(0.975, 2), 4.303, 5e-4);
  EXPECT_NEAR(student_quantile(0.975, 4), 2.776, 5e-4);
  EXPECT_NEAR(student_quantile(0.975, 19), 2.093, 5e-4);
  EXPECT_NEAR(student_quantile(0.995, 1), 63.657, 5e-4);
  EXPECT_NEAR(student_quantile(0.025, 4), -2.776, 5e-4);
}

TEST(ExperimentSummary, PairedDifferencesAreThoseByHand) {
  // Differences 1, 2, 3, 2, 2: mean 2, variance (1 + 1) / 4 = 0.5, t(0.975, 4) = 2.776445.
  const PairedDifference off = paired_difference({5, 7, 9, 4, 3}, {4, 5, 6, 2, 1}, 0.125);

  EXPECT_DOUBLE_EQ(off.mean, 2);
  EXPECT_NEAR(off.high - 2, 2.776445 * std::sqrt(0.5 / 5), 1e-6);
  EXPECT_NEAR(2 - off.low, 2.776445 * std::sqrt(0.5 / 5), 1e-6);
  EXPECT_NEAR(off.wide_high - 2, 2.776445 * std::sqrt(0.5 * (0.2 + 0.125)), 1e-6);
  EXPECT_NEAR(2 - off.wide_low, 2.776445 * std::sqrt(0.5 * (0.2 + 0.125)), 1e-6);
  EXPECT_TRUE(std::isnan(paired_difference({1}, {2}, 0.1).low));
  EXPECT_THROW(paired_difference({1, 2}, {1}, 0.1), Error);
}

TEST(Rounded, KeepsWhatTheScaleOfAColumnNeeds) {
  EXPECT_EQ(rounded(2988.3208, 3000), "2988");
  EXPECT_EQ(rounded(95.0213, 95), "95.02");
  EXPECT_EQ(rounded(-0.02573, 0.4), "-0.0257");
  EXPECT_EQ(rounded(-5.2239e-7, 2e-5), "-5.22e-07");
  EXPECT_EQ(rounded(0, 0), "0.0000");
  EXPECT_EQ(rounded(NAN, 1), "-");
}

// --- a run ---------------------------------------------------------------------------------------

/// Binary compounds, whose property is a smooth function of the composition.
ExperimentData binaries(const Components& elements) {
  std::vector<Composition> compositions;
  ExperimentData data;
  const std::vector<int> anions{8, 9, 16, 17};
  for (int a = 3; a < 40; ++a) {
    if (std::count(anions.begin(), anions.end(), a) > 0) continue;
    for (const int b : anions) {
      compositions.emplace_back(std::vector<ElementAmount>{{a, 1.0 + a % 3}, {b, 2}});
      data.names.push_back(compositions.back().reduced_formula());
      data.groups.push_back(std::ssize(data.groups));
      data.values.push_back(0.1 * a * (1 + a % 3) / (3 + a % 3) + (b > 10 ? 1 : 0));
      data.classes.push_back(b > 10 ? 1 : 0);
    }
  }
  data.weights = weights_of(compositions, elements);
  return data;
}

using ExperimentRuns = test::OnEachDevice;

TEST_P(ExperimentRuns, PredictsValuesOnTheSameSplits) {
  const Components elements = Components::of(ElementTable::embedded());
  ExperimentData data = binaries(elements);
  data.classes.clear();
  ExperimentSettings settings = parse_experiment_config(kValues, "e.toml");
  settings.splits.count = 2;
  std::size_t finished = 0;

  const Experiment e =
      run_experiment(device, settings, data, elements, {{}, [&](const Trial&) { ++finished; }});

  ASSERT_EQ(e.trials.size(), 4U);
  EXPECT_EQ(finished, 4U);
  EXPECT_EQ(e.descriptors[0].width, 58 * 5);
  EXPECT_EQ(e.descriptors[1].width, 58 * 4);
  for (const Trial& trial : e.trials) {
    const auto& test = e.splits[trial.split].test;
    ASSERT_EQ(trial.predicted.size(), test.size());
    double absolute = 0;
    for (std::size_t i = 0; i < test.size(); ++i)
      absolute += std::abs(trial.predicted[i] - data.values[test[i]]);
    EXPECT_NEAR(trial.metrics[0], absolute / static_cast<double>(test.size()), 1e-12);
    EXPECT_GT(trial.metrics[2], 0.8);  // R2: smooth, so far better than the mean
    EXPECT_GT(trial.ridge, 0);
  }
  EXPECT_EQ(metric_over_splits(e, 1, 0, 0),
            (std::vector<double>{e.trials[1].metrics[0], e.trials[3].metrics[0]}));
}

TEST_P(ExperimentRuns, PredictsClassesAndStopsWhenAsked) {
  const Components elements = Components::of(ElementTable::embedded());
  ExperimentData data = binaries(elements);
  data.values.clear();
  data.class_names = {"second row", "third row"};
  ExperimentSettings settings = parse_experiment_config(R"([data]
class = "c"
[splits]
count = 1
[[descriptor]]
kind = "statistics"
[[learner]]
kind = "network"
members = 2
hidden = [16]
batch = 32
learning_rate = 0.01
max_epochs = 100
patience = 0
)",
                                                        "e.toml");

  const Experiment e = run_experiment(device, settings, data, elements);

  ASSERT_EQ(e.trials.size(), 1U);
  EXPECT_GT(e.trials[0].metrics[main_metric(settings, data)], 0.9);
  EXPECT_EQ(e.trials[0].best_epochs, (std::vector<int>{100, 100}));
  EXPECT_EQ(metric_names(settings, data).size(), e.trials[0].metrics.size());
  EXPECT_THROW(run_experiment(device, settings, data, elements,
                              {[](const ExperimentProgress& now) { return now.epoch < 2; }, {}}),
               Error);
}

TEST_P(ExperimentRuns, ForestsPredictValuesAndClasses) {
  const Components elements = Components::of(ElementTable::embedded());
  const std::string rest = R"([splits]
count = 2
[[descriptor]]
kind = "statistics"
[[learner]]
kind = "forest"
trees = 60
tried = 20
seed = 5
)";
  ExperimentData data = binaries(elements);
  data.classes.clear();
  const ExperimentSettings values =
      parse_experiment_config("[data]\ntarget = \"y\"\n" + rest, "e.toml");
  EXPECT_EQ(values.learners[0].name, "forest");

  const Experiment of_values = run_experiment(device, values, data, elements);

  ASSERT_EQ(of_values.trials.size(), 2U);
  for (const Trial& trial : of_values.trials) EXPECT_GT(trial.metrics[2], 0.8);  // R2
  // Each split has trees of its own: those of the second are those of the seed 6.
  learn::ForestOptions options = values.learners[0].forest;
  options.seed = 6;
  std::vector<double> x(data.names.size() * 232);
  const MatrixView<double> rows{x.data(), data.rows(), 232};
  summary_statistics(data.weights, elements, false, rows);
  const auto predicted =
      learn::fit_forest(options, MatrixView<const double>(rows),
                        {data.values.data(), data.rows(), 1}, of_values.splits[1])
          .predict(rows);
  const auto& test = of_values.splits[1].test;
  for (std::size_t i = 0; i < test.size(); ++i)
    EXPECT_EQ(of_values.trials[1].predicted[i], predicted.at(test[i], 0));

  data = binaries(elements);
  data.values.clear();
  data.class_names = {"second row", "third row"};
  const ExperimentSettings classes =
      parse_experiment_config("[data]\nclass = \"c\"\n" + rest + "balance = 1\n", "e.toml");
  EXPECT_EQ(classes.learners[0].balance, 1);
  const Experiment of_classes = run_experiment(device, classes, data, elements);
  for (const Trial& trial : of_classes.trials)
    EXPECT_GT(trial.metrics[main_metric(classes, data)], 0.9);
  EXPECT_THROW(run_experiment(device, classes, data, elements,
                              {[](const ExperimentProgress& now) { return now.epoch < 30; }, {}}),
               Error);
}

KRONITE_ON_EACH_DEVICE(ExperimentRuns);

}  // namespace
}  // namespace kronite::kmd
