// Model files: what is read predicts as what was written, and damaged files are refused.
#include "krfd/model_file.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdio>
#include <filesystem>

#include "io/atomic_file.hpp"  // for write_file
#include "io/input.hpp"        // for read_file
#include "io/safetensors.hpp"  // for SafetensorsFile
#include "krfd/problem.hpp"
#include "kronite/error.hpp"
#include "support/on_each_device.hpp"

namespace kronite::krfd::test {
namespace {

class KrfdFile : public kronite::test::OnEachDevice {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("krfd_file_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};
KRONITE_ON_EACH_DEVICE(KrfdFile);

SavedModel saved_model(Device& device, const Problem& p, const FitOptions& options = {}) {
  return {fit(device, p.x.view(), p.t.view(), p.y.view(), p.hyper, options),
          {"size", "charge \"e\""},
          {{"hyper_parameters", "given"}, {"data", "made up"}}};
}

/// The sentence that a file is refused with.
std::string refusal(const std::string& path) {
  try {
    read_model(path);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::corrupt) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "it was read";
  return "";
}

TEST_P(KrfdFile, PredictsTheSame) {
  FitOptions conjugate;
  conjugate.noise = NoiseRule::conjugate;
  conjugate.noise_prior = {2, 0.5};
  Problem p = random_problem(7, 5);
  p.hyper.g = kernel(KernelKind::matern52, {0.6, 1.4});
  const auto x = random_matrix<double>(77, 4, p.x.cols), t = random_matrix<double>(78, 3, 1);
  for (const FitOptions& options : {FitOptions{}, conjugate}) {
    const SavedModel written = saved_model(device, p, options);
    write_model(written, path("m.safetensors"));
    const SavedModel read = read_model(path("m.safetensors"));
    // The coefficients are the same bits, and so is all that comes of them.
    EXPECT_EQ(read.model.mean(device, x.view(), t.view()),
              written.model.mean(device, x.view(), t.view()));
    EXPECT_EQ(read.model.deviation(device, x.view(), t.view()),
              written.model.deviation(device, x.view(), t.view()));
    EXPECT_EQ(read.model.residuals(), written.model.residuals());
    EXPECT_EQ(read.model.sigma2(), written.model.sigma2());
    EXPECT_EQ(read.model.hyperparameters().g.length_scales, p.hyper.g.length_scales);
    EXPECT_EQ(read.features, written.features);
    EXPECT_EQ(read.card, written.card);
  }
}

TEST_P(KrfdFile, TheSameModelGivesTheSameBytes) {
  write_model(saved_model(device, random_problem(6, 5)), path("a.safetensors"));
  write_model(read_model(path("a.safetensors")), path("b.safetensors"));
  EXPECT_EQ(io::read_file(path("a.safetensors")), io::read_file(path("b.safetensors")));
}

TEST_P(KrfdFile, EqualSystemsKeepTheirCurves) {
  Problem p = random_problem(6, 5);
  for (std::int64_t k = 0; k < 2; ++k) p.x.at(4, k) = p.x.at(1, k);
  const SavedModel written = saved_model(device, p);
  write_model(written, path("m.safetensors"));
  const SavedModel read = read_model(path("m.safetensors"));
  const auto x = random_matrix<double>(77, 4, p.x.cols), t = random_matrix<double>(78, 3, 1);
  const auto expected = written.model.mean(device, x.view(), t.view()),
             mean = read.model.mean(device, x.view(), t.view());
  // A coefficient is halved for its two systems and doubled again, which is exact.
  EXPECT_EQ(mean, expected);
  const io::SafetensorsFile file(path("m.safetensors"));
  const auto y = file.values<double>("y", {6, 5});
  for (std::int64_t i = 0; i < 6; ++i)
    for (std::int64_t j = 0; j < 5; ++j)
      EXPECT_EQ(y[static_cast<std::size_t>(i * 5 + j)], p.y.at(i, j));
  write_model(read, path("again.safetensors"));
  EXPECT_EQ(io::read_file(path("again.safetensors")), io::read_file(path("m.safetensors")));
}

TEST_P(KrfdFile, IsRefusedWhereItIsCutOff) {
  write_model(saved_model(device, random_problem(3, 2)), path("m.safetensors"));
  const std::string whole = io::read_file(path("m.safetensors"));
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 7) {
    io::write_file(path("cut.safetensors"), whole.substr(0, bytes));
    EXPECT_FALSE(refusal(path("cut.safetensors")).empty());
  }
}

TEST_P(KrfdFile, IsRefusedWhereItIsDamaged) {
  write_model(saved_model(device, random_problem(3, 2)), path("m.safetensors"));
  std::string bytes = io::read_file(path("m.safetensors"));
  bytes[bytes.size() - 9] ^= 1;  // in a number
  io::write_file(path("bad.safetensors"), bytes);
  EXPECT_NE(refusal(path("bad.safetensors")).find("the file is damaged"), std::string::npos);
}

TEST_P(KrfdFile, ForeignAndNewerFilesAreRefused) {
  io::SafetensorsWriter foreign;
  foreign.add("x", std::vector<double>{1}, {1, 1});
  foreign.write(path("foreign.safetensors"));
  EXPECT_NE(refusal(path("foreign.safetensors")).find("it does not say what it is"),
            std::string::npos);
  foreign.set("format", "kronite metric");
  foreign.write(path("metric.safetensors"));
  EXPECT_NE(refusal(path("metric.safetensors")).find("\"kronite metric\""), std::string::npos);
  foreign.set("format", "kronite krfd model");
  foreign.set("format_version", "3");
  foreign.write(path("newer.safetensors"));
  EXPECT_NE(refusal(path("newer.safetensors")).find("newer than this program"), std::string::npos);
}

TEST_P(KrfdFile, NamesMustBeAsManyAsFeatures) {
  SavedModel model = saved_model(device, random_problem(3, 2));
  model.features.pop_back();
  EXPECT_THROW(write_model(model, path("m.safetensors")), Error);
  EXPECT_FALSE(std::filesystem::exists(path("m.safetensors")));
}

}  // namespace
}  // namespace kronite::krfd::test
