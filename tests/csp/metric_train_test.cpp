// Trainings of metrics, their checkpoints and settings, and their files.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "csp/metric_config.hpp"
#include "csp/metric_report.hpp"
#include "csp/small_metric.hpp"
#include "io/atomic_file.hpp"
#include "io/input.hpp"
#include "kronite/metric.hpp"
#include "kronite/model.hpp"
#include "support/on_several_devices.hpp"
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite::csp {
namespace {

using test::expect_contains;
using test::refusal;
using test::small_metric;
using test::small_options;
using test::train_small;

// --- training -----------------------------------------------------------------------------------

class MetricTraining : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path(name); }
  std::string bytes_of(const Metric& metric) const {
    write_metric(metric, file("metric.safetensors"));
    return io::read_file(file("metric.safetensors"));
  }
  /// Stops after `epochs` epochs; true when the run came to its end before.
  bool stop_after(int epochs, const std::string& checkpoint) const {
    TrainHooks hooks;
    hooks.checkpoint = checkpoint;
    hooks.progress = [&](const TrainProgress&) { return --epochs > 0; };
    try {
      train_small(small_options(), hooks);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::cancelled);
      return false;
    }
    return true;
  }

  const test::TemporaryFolder folder_;
};

TEST_F(MetricTraining, GivesAMetricWithACardAndAReport) {
  MetricOptions options = small_options();
  options.temperature = 1;
  const MetricResult result = train_small(options);

  ASSERT_EQ(result.members.size(), 2U);
  for (const MetricReport& member : result.members) {
    const auto& kept = member.history[static_cast<std::size_t>(member.best_epoch) - 1];
    EXPECT_NEAR(kept.validation_accuracy, member.validation.top1, 1e-12);
    EXPECT_NEAR(kept.validation_loss, member.validation.loss, 1e-9);
    EXPECT_LE(member.validation.top1, member.validation.top10);
    EXPECT_GE(member.validation.queries, member.validation.answerable);
    EXPECT_GT(member.test.queries, 0);
  }
  EXPECT_EQ(result.metric.card_value("name"), "small");
  EXPECT_EQ(result.metric.card_value("setting.metric.vector"), "2");
  EXPECT_FALSE(result.metric.card_value("test_top1").empty());
  const std::string report = file("report");
  prepare_report_folder(report);
  write_metric_report(report, options, result, {"command", "CPU", "m", {{"a", "b"}}});
  for (const char* name : {"learning_curves.svg", "learning_curves.csv", "reliability.svg",
                           "reliability.csv", "metrics.csv", "metrics.json", "manifest.json"})
    EXPECT_GT(std::filesystem::file_size(report + "/" + name), 0U) << name;
  const std::string config = io::read_file(report + "/config.toml");
  EXPECT_EQ(to_toml(parse_metric_config(config, "config.toml")), config);
}

class MetricSideBySide : public test::OnSeveralDevices {
 protected:
  std::string bytes_of(const Metric& metric) const {
    write_metric(metric, folder_.path("metric.safetensors"));
    return io::read_file(folder_.path("metric.safetensors"));
  }
  const test::TemporaryFolder folder_;
};
KRONITE_ON_SEVERAL_DEVICES(MetricSideBySide);

TEST_P(MetricSideBySide, GivesTheBytesOfOneAfterTheOther) {
  const TemplateLibrary library = TemplateLibrary::embedded();
  const MetricResult by_one = train_metric(one, library, small_options());
  const MetricResult by_all = train_metric(devices, library, small_options());
  EXPECT_EQ(bytes_of(by_all.metric), bytes_of(by_one.metric));
  EXPECT_EQ(by_all.temperature, by_one.temperature);
}

TEST_P(MetricSideBySide, GoesOnWhereItWasStopped) {
  const TemplateLibrary library = TemplateLibrary::embedded();
  TrainHooks hooks;
  hooks.checkpoint = folder_.path("run.checkpoint");
  int epochs = 0;
  hooks.progress = [&](const TrainProgress&) { return ++epochs < 3; };
  EXPECT_THROW(train_metric(devices, library, small_options(), {}, hooks), Error);
  hooks.progress = {};
  EXPECT_EQ(bytes_of(train_metric(devices, library, small_options(), {}, hooks).metric),
            bytes_of(train_metric(one, library, small_options()).metric));
}

TEST_F(MetricTraining, TheTemperatureMakesTheValidationLossLeast) {
  const auto loss = [](double temperature) {
    MetricOptions options = small_options();
    options.temperature = temperature;
    return train_small(options).all.validation.loss;
  };

  const MetricResult fitted = train_small(small_options());

  EXPECT_EQ(fitted.metric.card_value("temperature"), fmt::format("{:.3f}", fitted.temperature));
  const double t = fitted.temperature, least = fitted.all.validation.loss;
  EXPECT_NEAR(loss(t), least, 1e-9);
  for (const double other : {0.5, 0.9, 1.1, 2.0}) EXPECT_GT(loss(other * t), least) << other;
}

TEST_F(MetricTraining, GoesOnToTheSameBytesWhereverItWasStopped) {
  const std::string whole = bytes_of(small_metric());
  const std::string checkpoint = file("run.checkpoint");

  int stops = 0;
  while (!stop_after(3, checkpoint)) ++stops;

  TrainHooks hooks;
  hooks.checkpoint = checkpoint;
  EXPECT_GT(stops, 1);  // in both members
  EXPECT_EQ(bytes_of(train_small(small_options(), hooks).metric), whole);
}

TEST_F(MetricTraining, RefusesACheckpointOfAnotherTraining) {
  TrainHooks hooks;
  hooks.checkpoint = file("run.checkpoint");
  stop_after(1, hooks.checkpoint);
  MetricOptions other = small_options();
  other.parts_of.vector = 3;

  const auto text = refusal([&] { train_small(other, hooks); }, Errc::invalid_argument);

  expect_contains(text, "begun with metric.vector = 2, now it is 3");
}

TEST_F(MetricTraining, WorksWithoutTraitsVectorsAndSlots) {
  MetricOptions options = small_options();
  options.members = 1;
  options.parts_of.slots = 0;
  options.parts_of.vector = 0;
  options.parts_of.shift_hidden = options.parts_of.bias_hidden = options.parts_of.none_hidden = {};

  const MetricResult result = train_small(options);

  EXPECT_TRUE(result.metric.trait_mean.empty());
  EXPECT_EQ(result.metric.inputs(), 290);
  EXPECT_TRUE(std::isfinite(result.members[0].validation.loss));
}

TEST_F(MetricTraining, LearnsNoVectorsWithoutSlots) {
  MetricOptions options = small_options();
  options.members = 1;
  options.parts_of.slots = 0;

  const Metric once = train_small(options).metric, again = train_small(options).metric;

  EXPECT_TRUE(once.members[0].embedding.vectors.table.empty());
  EXPECT_EQ(bytes_of(once), bytes_of(again));
}

TEST_F(MetricTraining, NamesWhatIsWrongWithOptions) {
  MetricOptions nothing = small_options(), nobody = small_options(), parts = small_options();
  nothing.parts_of.descriptor_linear = nothing.parts_of.descriptor_outputs = 0;
  nothing.parts_of.slots = 0;
  nobody.members = 0;
  parts.parts = {0.5, 0.1, 0.1};

  expect_contains(refusal([&] { train_small(nothing); }, Errc::invalid_argument), "no outputs");
  expect_contains(refusal([&] { train_small(nobody); }, Errc::invalid_argument), "at least 1");
  expect_contains(refusal([&] { train_small(parts); }, Errc::invalid_argument), "add up to 1");
}

TEST_F(MetricTraining, RefusesNumbersThatNoFileCouldHold) {
  MetricOptions slots = small_options(), vector = small_options(), temperature = small_options();
  slots.parts_of.slots = 65;
  vector.parts_of.vector = -1;
  temperature.temperature = std::numeric_limits<double>::quiet_NaN();

  expect_contains(refusal([&] { train_small(slots); }, Errc::invalid_argument), "65 slots");
  expect_contains(refusal([&] { train_small(vector); }, Errc::invalid_argument), "of -1 values");
  expect_contains(refusal([&] { train_small(temperature); }, Errc::invalid_argument),
                  "the temperature is nan");
}

TEST_F(MetricTraining, HeldOutByStructureTypeThereIsNothingToStopBy) {
  MetricOptions options = small_options();
  options.members = 1;
  options.hold_out = HoldOut::structure_type;
  MetricOptions patient = options;
  patient.fit.patience = 2;

  const MetricResult result = train_small(options);

  EXPECT_EQ(result.members[0].validation.answerable, 0);
  EXPECT_EQ(result.temperature, 1);
  expect_contains(refusal([&] { train_small(patient); }, Errc::invalid_argument),
                  "set patience = 0");
}

// --- files --------------------------------------------------------------------------------------

TEST_F(MetricTraining, FilesReadBackTheSame) {
  write_metric(small_metric(), file("a.safetensors"));

  const Metric again = read_metric(file("a.safetensors"));

  EXPECT_EQ(again.hash(), small_metric().hash());
  EXPECT_EQ(again.card, small_metric().card);
  write_metric(again, file("b.safetensors"));
  EXPECT_EQ(io::read_file(file("a.safetensors")), io::read_file(file("b.safetensors")));
  EXPECT_TRUE(holds_metric(file("a.safetensors")));
}

TEST_F(MetricTraining, TellsAMetricFromAClassifier) {
  write_metric(small_metric(), file("metric.safetensors"));
  write_model(embedded_model(embedded_models().front()), file("model.safetensors"));

  const auto metric =
      refusal([&] { read_model(file("metric.safetensors")); }, Errc::invalid_argument);
  const auto model =
      refusal([&] { read_metric(file("model.safetensors")); }, Errc::invalid_argument);

  expect_contains(metric, "this is a learned metric, no classifier; --ranker metric takes it");
  expect_contains(model, "this is a classifier, no learned metric; --ranker classifier takes it");
  EXPECT_FALSE(holds_metric(file("model.safetensors")));
}

TEST_F(MetricTraining, RefusesMetricsWhosePartsDoNotFit) {
  const auto refused = [&](auto change) {
    Metric metric = small_metric();
    change(metric);
    return refusal([&] { write_metric(metric, file("wrong.safetensors")); },
                   Errc::invalid_argument);
  };

  expect_contains(refused([](Metric& m) { m.members.clear(); }), "no members");
  expect_contains(refused([](Metric& m) { m.slots = 1; }), "of the embedding reads");
  expect_contains(refused([](Metric& m) { m.trait_mean.pop_back(); }), "246 traits");
  expect_contains(refused([](Metric& m) { m.members[0].none = NAN; }), "logit of none");
  expect_contains(refused([](Metric& m) { m.members[0].bias = m.members[0].shift; }),
                  "is not one number");
}

TEST_F(MetricTraining, RefusesDamagedFiles) {
  write_metric(small_metric(), file("a.safetensors"));
  const std::string whole = io::read_file(file("a.safetensors"));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    text.replace(text.find(from), from.size(), to);
    io::write_file(file("b.safetensors"), text);
    return refusal([&] { read_metric(file("b.safetensors")); }, Errc::corrupt);
  };

  io::write_file(file("b.safetensors"), whole.substr(0, whole.size() / 2));
  refusal([&] { read_metric(file("b.safetensors")); }, Errc::corrupt);
  expect_contains(with("\"slots\":\"3\"", "\"slots\":\"x\""), "is no number");
  expect_contains(
      with("members.1.embedding.branches.0.layers", "members.1.embedding.branches.9.layers"),
      "layers");
}

// --- settings -----------------------------------------------------------------------------------

TEST(MetricConfig, ReadsTheShippedFile) {
  const auto options =
      read_metric_config(std::string(KRONITE_TEST_SOURCE) + "/../configs/metric.toml");

  EXPECT_EQ(options.tau, 0.1);
  EXPECT_EQ(options.parts_of.vector, 24);
  EXPECT_EQ(options.fit.weight_decay, 1e-4);
}

TEST(MetricConfig, NamesFileLineAndWhatWasExpected) {
  const auto message = [](const std::string& text) {
    return refusal([&] { parse_metric_config(text, "a.toml"); }, Errc::parse);
  };

  EXPECT_EQ(message("[metric]\nslot = 5\n"),
            "a.toml:2: there is no setting \"metric.slot\"; did you mean \"slots\"?");
  EXPECT_EQ(message("[training]\nwarm_up = 2\n"),
            "a.toml:2: training.warm_up is 2; expected a number from 0 to 0.99");
  expect_contains(message("[lists]\nparts = [1, 0, 0]\n[training]\npatience = 3\n"),
                  "lists.parts gives it no share");
}

}  // namespace
}  // namespace kronite::csp
