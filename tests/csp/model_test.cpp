// Models in files: the same comes back, and what is none is refused by what it lacks.
#include "kronite/model.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <string>

#include "csp/model_cases.hpp"  // for small_model
#include "io/input.hpp"         // for read_file
#include "io/safetensors.hpp"   // for SafetensorsFile, SafetensorsWriter
#include "kronite/composition.hpp"
#include "kronite/error.hpp"
#include "kronite/metric.hpp"  // for embedded_metrics, open_ranker
#include "support/temporary_folder.hpp"

namespace kronite::csp {
namespace {

using test::small_model;

/// What the error says; empty when there is none.
std::string refusal(Errc code, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  return {};
}

class ModelFile : public testing::Test {
 protected:
  /// The small model's file with one text changed, or left out where `value` is null.
  void rewrite(const std::string& key, const char* value) const {
    write_model(small_model(), path_);
    io::SafetensorsWriter writer;
    {
      const io::SafetensorsFile file(path_);
      for (const auto& [known, text] : file.metadata())
        if (known != key) writer.set(known, text);
      for (const auto& entry : file.tensors()) copy(entry, file, writer);
    }
    if (value) writer.set(key, value);
    writer.write(path_);
  }

  /// The small model's file without one tensor, or with `name` for it.
  void rename(const std::string& tensor, const std::string& name) const {
    write_model(small_model(), path_);
    io::SafetensorsWriter writer;
    {
      const io::SafetensorsFile file(path_);
      for (const auto& [key, text] : file.metadata()) writer.set(key, text);
      for (auto entry : file.tensors()) {
        if (entry.name == tensor) entry.name = name;
        if (!entry.name.empty()) copy(entry, file, writer);
      }
    }
    writer.write(path_);
  }

  void expect_refused(const std::string& reason) const {
    const std::string what = refusal(Errc::corrupt, [&] { read_model(path_); });
    EXPECT_EQ(what.find(path_ + ": "), 0u) << "expected: " << reason << ", got: " << what;
    EXPECT_NE(what.find(reason), std::string::npos) << what;
  }

  static void copy(const io::SafetensorsFile::Entry& entry, const io::SafetensorsFile& file,
                   io::SafetensorsWriter& writer) {
    if (entry.type == io::TensorType::f64)
      writer.add(entry.name, file.values<double>(entry), entry.shape);
    else
      writer.add(entry.name, file.values<float>(entry), entry.shape);
  }

  const test::TemporaryFolder folder_;
  const std::string path_ = folder_.path("model.safetensors");
};

TEST_F(ModelFile, GivesBackEveryNumberAndTheCardInItsOrder) {
  const Model model = small_model();

  write_model(model, path_);
  const Model read = read_model(path_);

  ASSERT_EQ(read.ensemble.members.size(), 2u);
  for (std::size_t m = 0; m < 2; ++m) {
    const auto& layers = model.ensemble.members[m].layers;
    ASSERT_EQ(read.ensemble.members[m].layers.size(), layers.size());
    for (std::size_t k = 0; k < layers.size(); ++k) {
      const DenseLayer& layer = read.ensemble.members[m].layers[k];
      EXPECT_EQ(layer.inputs, layers[k].inputs);
      EXPECT_EQ(layer.units, layers[k].units);
      EXPECT_EQ(layer.weight, layers[k].weight);
      EXPECT_EQ(layer.bias, layers[k].bias);
      EXPECT_EQ(layer.activation, layers[k].activation);
    }
  }
  EXPECT_EQ(read.mean, model.mean);
  EXPECT_EQ(read.std, model.std);
  EXPECT_EQ(read.element_table, model.element_table);
  EXPECT_EQ(read.tau, model.tau);
  EXPECT_EQ(read.card, model.card);
}

TEST_F(ModelFile, HasTheSameBytesWheneverItIsWritten) {
  const std::string other = folder_.path("again.safetensors");

  write_model(small_model(), path_);
  write_model(read_model(path_), other);

  EXPECT_EQ(io::read_file(path_), io::read_file(other));
}

TEST(Model, AnswersWhatItsCardSays) {
  const Model model = small_model();

  EXPECT_EQ(model.card_value("licence"), "CC0");
  EXPECT_EQ(model.card_value("metrics"), "");
}

TEST_F(ModelFile, RefusesSafetensorsOfOthers) {
  io::SafetensorsWriter writer;
  writer.add("members.0.layers.0.weight", std::vector<float>{1}, {1, 1});
  writer.write(path_);
  expect_refused("no model of kronite: the \"format\" in its __metadata__ is missing");

  writer.set("format", "pt");
  writer.write(path_);
  expect_refused("is \"pt\", not \"kronite model\"");
}

TEST_F(ModelFile, RefusesANewerVersion) {
  rewrite("format_version", "2");

  expect_refused("has format version 2, newer than the 1 that this kronite reads");
}

TEST_F(ModelFile, RefusesTextsThatAreMissingOrWrong) {
  for (const char* key : {"format_version", "element_table", "tau", "members.0.activations"}) {
    rewrite(key, nullptr);
    expect_refused("its __metadata__ has no \"" + std::string(key) + "\"");
  }
  rewrite("tau", "a third");
  expect_refused("\"tau\" in its __metadata__ is no number but \"a third\"");
  rewrite("tau", "-0.3");
  expect_refused("tau, the dissimilarity of alike structures, is not positive");
  rewrite("element_table", "");
  expect_refused("element table of the descriptor is not named");
  rewrite("members.1.activations", "gelu");
  expect_refused("\"members.1.activations\" in its __metadata__ has \"gelu\" for relu or none");
}

TEST_F(ModelFile, RefusesTensorsThatAreMissingOrLeftOver) {
  rename("members.0.layers.0.weight", "");
  expect_refused("the tensor \"members.0.layers.0.weight\" is missing");
  rename("members.0.layers.1.bias", "");
  expect_refused("the tensor \"members.0.layers.1.bias\" is missing");
  rename("descriptor.std", "");
  expect_refused("the tensor \"descriptor.std\" is missing");
  // Nothing of member 1 is read then; its bias would stay.
  rename("members.1.layers.0.weight", "");
  expect_refused("5 tensors of networks, of which only 4");
  // Fewer words than layers.
  rewrite("members.0.activations", "relu");
  expect_refused("6 tensors of networks, of which only 4");
}

TEST_F(ModelFile, RefusesNetworksThatAreNone) {
  io::SafetensorsWriter writer;
  for (const auto& [key, text] : {std::pair{"format", "kronite model"},
                                  {"format_version", "1"},
                                  {"tau", "0.3"},
                                  {"element_table", "x"},
                                  {"members.0.activations", "none"}})
    writer.set(key, text);
  writer.add("members.0.layers.0.weight", std::vector<float>(9, 1), {3, 3});
  writer.add("members.0.layers.0.bias", std::vector<float>(3, 0));
  writer.add("descriptor.mean", std::vector<double>(3, 0));
  writer.add("descriptor.std", std::vector<double>(3, 1));
  writer.write(path_);

  expect_refused("network 0 ends in 3 values, expected one or two logits");
}

TEST_F(ModelFile, IsNotWrittenWhenItCouldNotBeReadBack) {
  const auto expect_unwritten = [&](const std::string& reason, auto&& change) {
    Model model = small_model();
    change(model);
    const std::string what = refusal(Errc::invalid_argument, [&] { write_model(model, path_); });
    EXPECT_NE(what.find(reason), std::string::npos) << reason << ": " << what;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();

  expect_unwritten("no networks", [](Model& m) { m.ensemble.members.clear(); });
  expect_unwritten("3 inputs", [](Model& m) { m.mean.pop_back(); });
  expect_unwritten("mean of the descriptor", [&](Model& m) { m.mean[0] = nan; });
  expect_unwritten("standard deviation", [](Model& m) { m.std[1] = 0; });
  expect_unwritten("tau", [&](Model& m) { m.tau = nan; });
  expect_unwritten("\"name\" twice", [](Model& m) { m.card.emplace_back("name", "again"); });
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST(EmbeddedModels, FitTheEmbeddedElementTable) {
  for (const std::string& name : embedded_models()) {
    const Model model = embedded_model(name);

    EXPECT_EQ(model.ensemble.inputs(), 290) << name;
    EXPECT_EQ(model.element_table, ElementTable::embedded().hash()) << name;
  }
}

TEST(EmbeddedModels, HoldMetricsThatFitTheEmbeddedElementTable) {
  ASSERT_FALSE(embedded_metrics().empty());
  for (const std::string& name : embedded_metrics()) {
    EXPECT_EQ(embedded_metric(name).element_table, ElementTable::embedded().hash()) << name;
    EXPECT_TRUE(names_a_metric(name));
    EXPECT_EQ(open_ranker(name)->name(), "metric");
  }
}

TEST(EmbeddedModels, RankByTheMetricUnlessNamed) {
  EXPECT_EQ(open_ranker()->name(), "metric");
  for (const std::string& name : embedded_models()) {
    EXPECT_FALSE(names_a_metric(name));
    EXPECT_EQ(open_ranker(name)->name(), "classifier");
  }
}

TEST(EmbeddedModels, AreToldFromTheOtherKind) {
  const std::string metric = refusal(Errc::invalid_argument, [] { embedded_model("metric"); });
  const std::string classifier = refusal(Errc::invalid_argument, [] { embedded_metric("best"); });
  const std::string unknown = refusal(Errc::invalid_argument, [] { embedded_metric("magic"); });

  EXPECT_NE(metric.find("is a learned metric, no classifier"), std::string::npos) << metric;
  EXPECT_NE(classifier.find("is a classifier, no learned metric"), std::string::npos) << classifier;
  EXPECT_NE(unknown.find("\"magic\""), std::string::npos) << unknown;
}

TEST(EmbeddedModels, AreNamedWhenAnotherIsAskedFor) {
  const std::string what = refusal(Errc::invalid_argument, [] { embedded_model("no such model"); });

  EXPECT_NE(what.find("\"no such model\""), std::string::npos) << what;
  for (const std::string& name : embedded_models())
    EXPECT_NE(what.find(name), std::string::npos) << what;
}

}  // namespace
}  // namespace kronite::csp
