// Training runs on the embedded library with small networks: what comes out, and going on from a
// checkpoint.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "csp/fingerprint_library.hpp"  // for point, library_of
#include "csp/train_config.hpp"
#include "csp/train_report.hpp"
#include "csp/tune.hpp"
#include "io/atomic_file.hpp"
#include "io/input.hpp"
#include "kronite/csp_training.hpp"
#include "kronite/error.hpp"
#include "support/on_several_devices.hpp"
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite::csp {
namespace {

TrainOptions small_options() {
  TrainOptions options;
  options.name = "small";
  options.members = 2;
  options.pairs.cap = 1;
  options.network.hidden = {12, 8};
  options.fit.batch = 128;
  options.fit.max_epochs = 6;
  options.fit.patience = 4;
  return options;
}

TrainResult train_small(const TrainOptions& options, const TrainHooks& hooks = {},
                        const std::vector<std::string>& excluded = {}) {
  Device device = Device::cpu();
  return train(device, TemplateLibrary::embedded(), options, excluded, hooks);
}

template <class Run>
std::string refusal(const Run& run, Errc code) {
  try {
    run();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  return "nothing was refused";
}

class Train : public testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path(name); }
  std::string bytes_of(const Model& model) const {
    write_model(model, file("model.safetensors"));
    return io::read_file(file("model.safetensors"));
  }
  /// Stops after `epochs` epochs in all; true when the run came to its end before.
  bool stop_after(int epochs, const TrainOptions& options, const std::string& checkpoint) const {
    TrainHooks hooks;
    hooks.checkpoint = checkpoint;
    hooks.progress = [&](const TrainProgress&) { return --epochs > 0; };
    try {
      train_small(options, hooks);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::cancelled);
      return false;
    }
    return true;
  }

  const test::TemporaryFolder folder_;
};

TEST_F(Train, GivesAModelWithAFullCardAndAReportPerNetwork) {
  const TrainResult result = train_small(small_options());

  ASSERT_EQ(result.members.size(), 2U);
  EXPECT_EQ(result.members[0].split_seed, 0U);
  EXPECT_EQ(result.members[1].split_seed, 1U);
  for (const MemberReport& member : result.members) {
    EXPECT_GT(member.training_pairs, member.alike_training_pairs);
    EXPECT_GT(member.validation.pairs, 0);
    EXPECT_GT(member.test.pairs, 0);
    EXPECT_EQ(member.reliability.size(), 10U);
    ASSERT_FALSE(member.history.empty());
    // What learn::fit() saw in the kept epoch is what the network does.
    const auto& kept = member.history[static_cast<std::size_t>(member.best_epoch) - 1];
    EXPECT_DOUBLE_EQ(kept.validation_accuracy, member.validation.accuracy);
  }
  EXPECT_EQ(result.ensemble.test.pairs, 0);
  const Model& model = result.model;
  model.check();
  EXPECT_EQ(model.ensemble.members.size(), 2U);
  EXPECT_EQ(model.element_table, ElementTable::embedded().hash());
  EXPECT_EQ(model.card_value("name"), "small");
  EXPECT_EQ(model.card_value("training_data_hash"), TemplateLibrary::embedded().hash());
  EXPECT_EQ(model.card_value("setting.network.hidden"), "[12, 8]");
  EXPECT_NE(model.card_value("test_MAP").find(" ± "), std::string::npos);
  EXPECT_NE(model.card_value("not_good_for").find("Polymorphs"), std::string::npos);
}

TEST_F(Train, JudgesTheEnsembleWhereMembersShareASplit) {
  TrainOptions options = small_options();
  options.split_per_member = false;

  const TrainResult result = train_small(options);

  EXPECT_EQ(result.members[1].split_seed, 0U);
  EXPECT_GT(result.ensemble.validation.pairs, 0);
  EXPECT_EQ(result.ensemble.test.pairs, result.members[0].test.pairs);
  EXPECT_FALSE(result.model.card_value("ensemble_test_MAP").empty());
}

TEST_F(Train, TakesEverythingForAFixedNumberOfEpochs) {
  TrainOptions options = small_options();
  options.pairs.parts = {1, 0, 0};
  options.fit.patience = 0;
  options.fit.max_epochs = 3;

  const TrainResult result = train_small(options);

  EXPECT_EQ(result.members[0].best_epoch, 3);
  EXPECT_EQ(result.members[0].validation.pairs, 0);
  EXPECT_TRUE(result.members[0].reliability.empty());
  EXPECT_TRUE(result.model.card_value("test_MAP").empty());
}

TEST_F(Train, LeavesExcludedFormulasOut) {
  const auto whole = train_small(small_options());

  const auto part = train_small(small_options(), {}, {"NaCl", "KCl", "MgO", "LiF", "NaF"});

  EXPECT_EQ(part.model.card_value("excluded_formulas"), "5");
  EXPECT_NE(part.members[0].training_pairs, whole.members[0].training_pairs);
}

TEST_F(Train, GoesOnToTheSameBytesWhereverItWasStopped) {
  const TrainOptions options = small_options();
  const std::string whole = bytes_of(train_small(options).model);
  const std::string checkpoint = file("run.checkpoint");

  int stops = 0;
  while (!stop_after(2, options, checkpoint)) ++stops;

  TrainHooks hooks;
  hooks.checkpoint = checkpoint;
  const TrainResult resumed = train_small(options, hooks);
  EXPECT_GT(stops, 3);  // in both networks
  EXPECT_EQ(bytes_of(resumed.model), whole);
  EXPECT_FALSE(resumed.members[0].history.empty());
}

class TrainSideBySide : public test::OnSeveralDevices {
 protected:
  std::string file(const std::string& name) const { return folder_.path(name); }
  std::string bytes_of(const Model& model) const {
    write_model(model, file("model.safetensors"));
    return io::read_file(file("model.safetensors"));
  }
  static TrainOptions three_members() {
    TrainOptions options = small_options();
    options.members = 3;
    return options;
  }
  /// Stops after `epochs` epochs in all; no model when it was stopped.
  template <class On>
  std::optional<TrainResult> train_for(int epochs, On& on, const std::string& checkpoint) {
    TrainHooks hooks;
    hooks.checkpoint = checkpoint;
    hooks.progress = [&](const TrainProgress& now) {
      side_by_side_ = now.side_by_side;
      return --epochs > 0;
    };
    try {
      return train(on, TemplateLibrary::embedded(), three_members(), {}, hooks);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::cancelled);
      EXPECT_LE(epochs, 0);
      EXPECT_EQ(epochs, 0) << "nobody is asked again";
      return {};
    }
  }

  int side_by_side_ = 0;
  const test::TemporaryFolder folder_;
};
KRONITE_ON_SEVERAL_DEVICES(TrainSideBySide);

TEST_P(TrainSideBySide, GivesTheBytesOfOneAfterTheOther) {
  for (const bool split_per_member : {true, false}) {
    TrainOptions options = three_members();
    options.split_per_member = split_per_member;
    const TrainResult by_one = train(one, TemplateLibrary::embedded(), options);
    const TrainResult by_all = train(devices, TemplateLibrary::embedded(), options);
    EXPECT_EQ(bytes_of(by_all.model), bytes_of(by_one.model));
    ASSERT_EQ(by_all.members.size(), 3U);
    for (std::size_t m = 0; m < 3; ++m) {
      EXPECT_EQ(by_all.members[m].split_seed, by_one.members[m].split_seed);
      EXPECT_EQ(by_all.members[m].best_epoch, by_one.members[m].best_epoch);
      EXPECT_EQ(by_all.members[m].test.accuracy, by_one.members[m].test.accuracy);
    }
    EXPECT_EQ(by_all.ensemble.test.accuracy, by_one.ensemble.test.accuracy);
  }
}

TEST_P(TrainSideBySide, GoesOnWhereItWasStoppedOnAnyNumberOfDevices) {
  const std::string whole =
      bytes_of(train(one, TemplateLibrary::embedded(), three_members()).model);
  std::optional<TrainResult> result;
  int stops = -1;
  while (!result) {  // side by side and one after the other in turn, from one checkpoint
    result = ++stops % 2 == 0 ? train_for(4, devices, file("run.checkpoint"))
                              : train_for(4, one, file("run.checkpoint"));
    if (stops == 0) {
      EXPECT_EQ(side_by_side_, static_cast<int>(devices.size()));
    }
    ASSERT_LT(stops, 100);
  }
  EXPECT_GT(stops, 2);
  EXPECT_EQ(bytes_of(result->model), whole);
}

TEST_P(TrainSideBySide, AMemberThatFailsLeavesThoseBeforeItFinished) {
  const TemplateLibrary library = TemplateLibrary::embedded();
  TrainHooks hooks;
  hooks.checkpoint = file("run.checkpoint");
  hooks.progress = [](const TrainProgress& now) {
    if (now.member == 2) throw Error(Errc::io, "the disk is full");
    return true;
  };

  const auto text = refusal([&] { train(devices, library, three_members(), {}, hooks); }, Errc::io);

  EXPECT_EQ(text, "network 2 of 3: the disk is full");
  hooks.progress = [](const TrainProgress& now) {
    EXPECT_NE(now.member, 1) << "it is in the checkpoint";
    return true;
  };
  EXPECT_EQ(bytes_of(train(devices, library, three_members(), {}, hooks).model),
            bytes_of(train(one, library, three_members()).model));
}

TEST_P(TrainSideBySide, SaysWhichNetworkFailedFirst) {
  TrainOptions options = three_members();
  options.network.batch_norm = false;
  options.fit.learning_rate = 1e30;

  const auto text =
      refusal([&] { train(devices, TemplateLibrary::embedded(), options); }, Errc::numerical);

  EXPECT_TRUE(text.starts_with("network 1 of 3: the loss is no longer finite")) << text;
}

TEST_F(Train, RefusesACheckpointThatListsNoMembers) {
  TrainHooks hooks;
  hooks.checkpoint = file("run.checkpoint");
  stop_after(1, small_options(), hooks.checkpoint);
  std::string text = io::read_file(hooks.checkpoint);
  const std::string key = "\"current\":\"";
  const std::size_t at = text.find(key);
  ASSERT_NE(at, std::string::npos);
  text[at + key.size()] = 'x';
  io::write_file(hooks.checkpoint, text);

  const auto message = refusal([&] { train_small(small_options(), hooks); }, Errc::corrupt);

  EXPECT_NE(message.find("\"current\" is \"x\", expected numbers of members"), std::string::npos)
      << message;
}

TEST_F(Train, RefusesACheckpointOfAnotherTraining) {
  const std::string checkpoint = file("run.checkpoint");
  stop_after(1, small_options(), checkpoint);
  TrainHooks hooks;
  hooks.checkpoint = checkpoint;
  TrainOptions other = small_options();
  other.fit.learning_rate = 0.01;

  const auto text = refusal([&] { train_small(other, hooks); }, Errc::invalid_argument);
  const auto excluded =
      refusal([&] { train_small(small_options(), hooks, {"NaCl"}); }, Errc::invalid_argument);

  EXPECT_NE(text.find("begun with training.learning_rate = 0.001, now it is 0.01"),
            std::string::npos)
      << text;
  EXPECT_NE(excluded.find("excluded formulas"), std::string::npos) << excluded;
}

TEST_F(Train, RefusesACheckpointOfAnotherDrawOrCard) {
  TrainOptions begun = small_options();
  begun.pairs.draw = 3;
  begun.card.licence = "CC0-1.0";
  TrainOptions other_draw = begun, no_card = begun;
  other_draw.pairs.draw = 0;
  no_card.card.licence = "";
  TrainHooks hooks;
  hooks.checkpoint = file("run.checkpoint");
  stop_after(1, begun, hooks.checkpoint);

  const auto draw = refusal([&] { train_small(other_draw, hooks); }, Errc::invalid_argument);
  const auto card = refusal([&] { train_small(no_card, hooks); }, Errc::invalid_argument);

  EXPECT_NE(draw.find("begun with pairs.draw = 3"), std::string::npos) << draw;
  EXPECT_NE(card.find("begun with card.licence = \"CC0-1.0\", now it is nothing"),
            std::string::npos)
      << card;
}

TEST_F(Train, RefusesACheckpointWithABestEpochThatIsNone) {
  TrainHooks hooks;
  hooks.checkpoint = file("run.checkpoint");
  stop_after(1, small_options(), hooks.checkpoint);
  std::string text = io::read_file(hooks.checkpoint);
  const std::string key = "\"current.0.best_epoch\":\"";
  const std::size_t at = text.find(key);
  ASSERT_NE(at, std::string::npos);
  text.replace(at + key.size(), 1, "2147483648");
  std::uint64_t header = 0;
  std::memcpy(&header, text.data(), sizeof header);
  header += 9;
  std::memcpy(text.data(), &header, sizeof header);
  io::write_file(hooks.checkpoint, text);

  const auto message = refusal([&] { train_small(small_options(), hooks); }, Errc::corrupt);

  EXPECT_NE(message.find("its best epoch is 2147483648 of 1"), std::string::npos) << message;
}

TEST_F(Train, RefusesACheckpointThatIsDamagedOrNone) {
  const std::string checkpoint = file("run.checkpoint");
  stop_after(1, small_options(), checkpoint);
  const std::string whole = io::read_file(checkpoint);
  TrainHooks hooks;
  hooks.checkpoint = checkpoint;

  io::write_file(checkpoint, whole.substr(0, whole.size() / 2));
  refusal([&] { train_small(small_options(), hooks); }, Errc::corrupt);
  write_model(train_small(small_options()).model, checkpoint);
  const auto text = refusal([&] { train_small(small_options(), hooks); }, Errc::invalid_argument);

  EXPECT_NE(text.find("no checkpoint of a training run"), std::string::npos) << text;
}

TEST_F(Train, SaysWhichNetworkLostItsLoss) {
  TrainOptions options = small_options();
  options.network.batch_norm = false;
  options.fit.learning_rate = 1e30;

  const auto text = refusal([&] { train_small(options); }, Errc::numerical);

  EXPECT_TRUE(text.starts_with("network 1 of 2: the loss is no longer finite")) << text;
}

TEST_F(Train, SpeaksOfBalancedPairsWhateverItLearnedFrom) {
  TrainOptions options = small_options();
  options.members = 1;
  options.pairs.parts = {0.5, 0.5, 0.0};
  options.pairs.unlike_per_alike = 12;
  options.fit.max_epochs = 30;
  options.fit.patience = 0;

  const MemberReport report = train_small(options).members[0];

  ASSERT_GT(report.training_pairs, 5 * report.alike_training_pairs);
  double p = 0, pairs = 0;
  for (const ReliabilityBin& bin : report.reliability)
    if (bin.pairs > 0) {
      p += bin.mean_p * static_cast<double>(bin.pairs);
      pairs += static_cast<double>(bin.pairs);
    }
  const auto alike = static_cast<double>(report.validation.alike);
  // Unmoved, the mean would be near the share of alike training pairs, under 0.17.
  EXPECT_NEAR(p / pairs, alike / pairs, 0.2);
}

TEST_F(Train, RefusesPairsOfOneKind) {
  std::vector<Template> apart;
  for (const char* metal : {"Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Sc", "Y", "La"})
    apart.push_back(
        test::point(std::string(metal) + "F", metal, 10 * static_cast<float>(apart.size())));
  const TemplateLibrary unlike = test::library_of(std::move(apart));
  TrainOptions all = small_options();
  all.pairs.tau = 100;
  Device device = Device::cpu();

  const auto no_pair =
      refusal([&] { train(device, unlike, small_options()); }, Errc::invalid_argument);
  const auto one_class = refusal([&] { train_small(all); }, Errc::invalid_argument);

  EXPECT_TRUE(no_pair.starts_with("training pairs: no two of the 7")) << no_pair;
  EXPECT_NE(one_class.find("pairs of both kinds"), std::string::npos) << one_class;
}

TEST_F(Train, WritesAReportOfFiguresAndTables) {
  const TrainResult result = train_small(small_options());
  const std::string report = file("report");

  prepare_report_folder(report);
  write_train_report(report, small_options(), result, {"command", "CPU", "m", {{"a", "b"}}});

  for (const char* name : {"learning_curves.svg", "learning_curves.csv", "reliability.svg",
                           "reliability.csv", "metrics.csv", "metrics.json", "manifest.json"})
    EXPECT_GT(std::filesystem::file_size(report + "/" + name), 0U) << name;
  const std::string config = io::read_file(report + "/config.toml");
  EXPECT_EQ(to_toml(parse_train_config(config, "config.toml")), config);
  EXPECT_THROW(prepare_report_folder(report), Error);
}

TEST_F(Train, TunesOnTheValidationPart) {
  TrainOptions base = small_options();
  base.fit.max_epochs = 1;
  base.fit.batch = 4096;
  TuneOptions options;
  options.trials = 2;
  options.journal = file("trials.jsonl");
  std::vector<double> metrics;
  TuneHooks hooks;
  hooks.after_trial = [&](const TuneTrial& trial, const TuneTrial&, std::int64_t) {
    metrics.push_back(trial.metric);
  };
  Device device = Device::cpu();

  const auto best = tune(device, TemplateLibrary::embedded(), base, {}, options, hooks);

  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(best.metric, std::max(metrics[0], metrics[1]));
  base.network = best.network;
  base.members = 1;
  EXPECT_EQ(train_small(base).members[0].validation.mean_average_precision, best.metric);
}

TEST(TrainConfig, ReadsTheShippedFiles) {
  const std::string configs = std::string(KRONITE_TEST_SOURCE) + "/../configs/";

  const auto published = read_train_config(configs + "cspml_2024.toml");
  const auto small = read_train_config(configs + "cspml_2022.toml");
  const auto types = read_train_config(configs + "cspml_2024_structure_type.toml");
  const auto small_types = read_train_config(configs + "cspml_2022_structure_type.toml");
  for (const char* shape : {"best", "2022"}) {
    const auto all = read_train_config(fmt::format("{}shipped_{}.toml", configs, shape));
    const auto judged =
        read_train_config(fmt::format("{}shipped_{}_held_out.toml", configs, shape));
    EXPECT_EQ(all.name, shape);
    EXPECT_EQ(all.pairs.parts[0], 1);
    EXPECT_EQ(judged.network.hidden, all.network.hidden);
    EXPECT_EQ(judged.fit.max_epochs, all.fit.max_epochs);
    EXPECT_EQ(judged.pairs.unlike_per_alike, all.pairs.unlike_per_alike);
    EXPECT_EQ(judged.pairs.training_cap, 1);
  }

  EXPECT_EQ(published.network.hidden, (std::vector<std::int64_t>{400, 400, 400}));
  EXPECT_TRUE(published.network.batch_norm);
  EXPECT_EQ(published.fit.batch, 1024);
  EXPECT_EQ(published.fit.patience, 50);
  EXPECT_EQ(published.pairs.cap, 0.01);
  EXPECT_EQ(small.network.hidden, (std::vector<std::int64_t>{50, 50, 50}));
  EXPECT_EQ(types.pairs.hold_out, HoldOut::structure_type);
  EXPECT_EQ(small_types.pairs.hold_out, HoldOut::structure_type);
  EXPECT_EQ(small_types.network.hidden, small.network.hidden);
}

TEST(TrainConfig, WritesWhatReadsBackTheSame) {
  TrainOptions options = small_options();
  options.name = "a \"quoted\" \\ name";
  options.pairs.hold_out = HoldOut::structure_type;
  options.pairs.training_cap = 0.5;
  options.pairs.most_alike_per_label = 7;
  options.pairs.unlike_per_alike = 2.5;
  options.fit.learning_rate = 1e-7;
  options.fit.cosine_decay = true;
  options.card.licence = "CC-BY-4.0";

  const auto again = parse_train_config(to_toml(options), "a.toml");

  EXPECT_EQ(again.name, options.name);
  EXPECT_EQ(again.pairs.training_cap, 0.5);
  EXPECT_EQ(again.card.licence, "CC-BY-4.0");
  EXPECT_EQ(train_settings(again), train_settings(options));
}

TEST(TrainConfig, NamesFileLineAndWhatWasExpected) {
  const auto message = [](const std::string& text) {
    return refusal([&] { parse_train_config(text, "a.toml"); }, Errc::parse);
  };

  EXPECT_EQ(message("[pairs]\ntua = 0.3\n"),
            "a.toml:2: there is no setting \"pairs.tua\"; did you mean \"tau\"?");
  EXPECT_EQ(message("[network]\ndropout = 1.5\n"),
            "a.toml:2: network.dropout is 1.5; expected a number from 0 to 0.95");
  EXPECT_EQ(message("[pairs]\nhold_out = \"type\"\n"),
            "a.toml:2: pairs.hold_out is \"type\"; expected \"formula\" or \"structure_type\"");
  EXPECT_EQ(message("[pairs]\nparts = [0.5, 0.2, 0.2]\n").substr(0, 40),
            "a.toml:2: pairs.parts = [0.5, 0.2, 0.2]:");
  EXPECT_EQ(message("[pairs]\nparts = [1, 0, 0]\n[training]\npatience = 9\n").substr(0, 32),
            "a.toml:4: training.patience = 9 ");
}

}  // namespace
}  // namespace kronite::csp
