// Long tables joined with systems, splits of them, interpolated curves, and files of all models.
#include "krfd/long_curves.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "io/input.hpp"
#include "krfd/any_model.hpp"
#include "krfd/captured_log.hpp"
#include "krfd/compare_irregular.hpp"
#include "krfd/curves.hpp"
#include "krfd/model_file.hpp"
#include "kronite/error.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::krfd {
namespace {

using kronite::test::CurveData;
using kronite::test::Matrix;
using kronite::test::random_curves;

class LongTables : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    return folder.write(name, text);
  }
  /// What reading says, without the folder.
  std::string refusal(const std::string& text, const LongNames& names = {}) {
    const std::string path = write("long.csv", text);
    try {
      read_long_curves(x, path, names);
    } catch (const Error& e) {
      std::string message = e.what();
      for (std::size_t at; (at = message.find(folder.path() + "/")) != std::string::npos;)
        message.erase(at, folder.path().size() + 1);
      return message;
    }
    return "nothing";
  }

  kronite::test::TemporaryFolder folder;
  std::string x = write("X.csv", "id,a\nu,1\nv,2\nw,3\n");
};

TEST_F(LongTables, RowsFindTheirSystems) {
  const std::string path = write("long.csv", "id,t,y\nv,0.5,1\nu,0.25,2\nw,1,3\nv,0.75,4\n");
  const LongCurves curves = read_long_curves(x, path, {});
  EXPECT_EQ(curves.curve, (std::vector<std::int64_t>{1, 0, 2, 1}));
  EXPECT_EQ(curves.t, (std::vector<double>{0.5, 0.25, 1, 0.75}));
  EXPECT_EQ(curves.y, (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(curves.coordinates, std::vector<std::string>{"t"});

  const LongCurves part = curves.rows({2, 1});
  EXPECT_EQ(part.x.names, (std::vector<std::string>{"w", "v"}));
  EXPECT_EQ(part.curve, (std::vector<std::int64_t>{0, 1, 1}));
  EXPECT_EQ(part.y, (std::vector<double>{3, 1, 4}));
}

TEST_F(LongTables, ColumnsByName) {
  const std::string path =
      write("long.csv", "source,e,id,q,y,note\nA,1,u,2,3,good\nB,4,v,5,6,\nB,4,w,5,7,x\n");
  const LongCurves curves = read_long_curves(x, path, {"id", {"q", "e"}, "y"});
  EXPECT_EQ(curves.dimensions(), 2);
  EXPECT_EQ(curves.t, (std::vector<double>{2, 1, 5, 4, 5, 4}));
  EXPECT_EQ(curves.y, (std::vector<double>{3, 6, 7}));
  const LongCurves points =
      read_long_points(io::read_matrix_table(x), path, {"id", {"q", "e"}, ""}, 2);
  EXPECT_EQ(points.t, curves.t);
  EXPECT_TRUE(points.y.empty());
}

TEST_F(LongTables, SeveralCoordinatesLieBetweenIdAndValue) {
  const std::string path = write("long.csv", "id,p,q,y\nu,1,2,3\nv,1,2,4\nw,0,0,5\n");
  const LongCurves curves = read_long_curves(x, path, {});
  EXPECT_EQ(curves.coordinates, (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(curves.y, (std::vector<double>{3, 4, 5}));
  EXPECT_EQ(read_long_curves(x, path, {"", {}, "p"}).coordinates,
            (std::vector<std::string>{"q", "y"}));
  EXPECT_EQ(read_long_points(io::read_matrix_table(x), path, {}, 1).coordinates,
            std::vector<std::string>{"p"});
}

TEST_F(LongTables, SystemsWithoutMeasurementsAreLeftOutWithANotice) {
  const std::string path = write("long.csv", "id,t,y\nw,0,1\nu,0,2\n");
  const kronite::test::CapturedLog log;
  const LongCurves curves = read_long_curves(x, path, {});
  EXPECT_EQ(curves.x.names, (std::vector<std::string>{"u", "w"}));
  EXPECT_EQ(curves.curve, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(curves.y, (std::vector<double>{2, 1}));
  ASSERT_EQ(log.notices.size(), 1u);
  EXPECT_NE(log.notices[0].find("1 of 3 systems"), std::string::npos);
}

TEST_F(LongTables, WrongTablesAreRefusedWithTheirLine) {
  EXPECT_EQ(refusal("id,t,y\nu,0,1\nz,0,1\n"), "long.csv:3: there is no system z in X.csv");
  EXPECT_EQ(refusal("id,t,y\nu,0,1\nv,0,1\nu,1,1\nu,0,2\n"),
            "long.csv:5: u has this point a second time; the first one is in line 2");
  EXPECT_EQ(refusal("id,t,y\nu,0,nan\n"),
            "long.csv:2: column 3 (y): a finite number is expected, not \"nan\"");
  EXPECT_EQ(refusal("id,t,y\nu,0\n"), "long.csv:2: 2 cells, the header has 3");
  EXPECT_EQ(refusal("id,y\nu,0\n"),
            "long.csv:1: columns of numbers are expected beside the names: t and y");
  EXPECT_EQ(refusal("id,t,y\nu,0,1\n", {"", {"s"}, "y"}),
            "long.csv:1: there is no column s; there are id, t, y");
  EXPECT_EQ(refusal("id,t,t\nu,0,1\n"), "long.csv:1: two columns are called t");
  EXPECT_EQ(refusal("id,t,y\n"), "long.csv: rows are expected below the header");
  x = write("X.csv", "id,a\nu,1\nu,2\n");
  EXPECT_EQ(refusal("id,t,y\nu,0,1\n"),
            "X.csv: row 2 (u): u is there twice, and the ids of long.csv refer to one system");
  x = write("X.csv", "a,b\n1,1\n2,2\n");
  EXPECT_EQ(refusal("id,t,y\nu,0,1\n"),
            "X.csv has no names of systems, which the ids of long.csv refer to: a first column "
            "called id is expected");
}

TEST(SplitByFeatures, EqualSystemsStayTogether) {
  Matrix x(40, 1);
  for (std::int64_t i = 0; i < 40; ++i) x.at(i, 0) = static_cast<double>(i % 13);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Split split = split_by_features(x.view(), 0.25, seed);
    EXPECT_EQ(split.test.size() + split.train.size(), 40u);
    EXPECT_NEAR(static_cast<double>(split.test.size()), 10, 2);  // groups of three or four
    std::set<double> tested;
    for (const std::int64_t i : split.test) tested.insert(x.at(i, 0));
    for (const std::int64_t i : split.train) EXPECT_EQ(tested.count(x.at(i, 0)), 0u);
  }
  const auto fold = folds_by_features(x.view(), 4, 1);
  for (std::int64_t i = 13; i < 40; ++i)
    EXPECT_EQ(fold[static_cast<std::size_t>(i)], fold[static_cast<std::size_t>(i - 13)]);
  EXPECT_EQ(std::set<std::int64_t>(fold.begin(), fold.end()).size(), 4u);
  const Matrix same(3, 1);
  EXPECT_THROW(split_by_features(same.view(), 0.5, 0), Error);
  Matrix two(2, 1);
  two.at(1, 0) = 1;
  EXPECT_EQ(split_by_features(two.view(), 0.9, 0).test.size(), 1u);
}

TEST(Interpolated, StraightLinesAndConstantEnds) {
  LongCurves curves;
  curves.x = {"X", {"a", "b"}, {}, 2, 1, {0, 1}};
  curves.coordinates = {"t"};
  curves.curve = {0, 1, 0, 0};
  curves.t = {1, 5, 3, 2};
  curves.y = {10, 7, 40, 20};
  EXPECT_EQ(interpolated(curves, {0, 1, 1.5, 2.5, 3, 9}),
            (std::vector<double>{10, 10, 15, 30, 40, 40, 7, 7, 7, 7, 7, 7}));
}

TEST(JudgePoints, SharesAndErrorsAreThoseOfThePredictions) {
  Device device = Device::parse("cpu");
  const CurveData data = random_curves(12);
  LongCurves all;
  all.x = {"X", {}, {}, 12, 2, data.x.values};
  for (int i = 0; i < 12; ++i) all.x.names.push_back(std::to_string(i));
  all.coordinates = {"t"};
  all.curve = data.curve;
  all.t = data.t.values;
  all.y = data.y;
  const LongCurves train = all.rows({0, 1, 2, 3, 4, 5, 6, 7}), test = all.rows({8, 9, 10, 11});
  const std::vector<double> grid = cover_points(all.points_view(), 6);
  for (const bool ridge : {false, true}) {
    IrregularSettings settings;
    settings.ridge = ridge;
    const AnyModel model = fit_settings(device, train, grid, settings);
    const Judged judged = judge_points(device, model, test, false);
    const MeanAndStd noisy =
        at_points(device, model, test.x.view(), test.points(), true, {true, false});
    double error = 0, inside = 0;
    for (std::size_t n = 0; n < test.y.size(); ++n) {
      error += std::abs(noisy.mean[n] - test.y[n]);
      EXPECT_NEAR(judged.deviation_measured[n], noisy.std[n], 1e-12);
      inside += std::abs(noisy.mean[n] - test.y[n]) <= 1.959963984540054 * noisy.std[n] ? 1 : 0;
    }
    const auto n = static_cast<double>(test.y.size());
    EXPECT_NEAR(judged.errors.mae, error / n, 1e-12);
    EXPECT_NEAR(judged.within_95, inside / n, 1e-12);
  }
}

class AnyModels : public ::testing::Test {
 protected:
  SavedAny krfd() {
    Hyperparameters hyper;
    hyper.g = {KernelKind::matern52, {0.9, 1.1}};
    hyper.lambda_t = 0.2;
    IrregularOptions options;
    options.noise = NoiseRule::conjugate;
    return {fit_irregular(device, data.x.view(), data.observations(), grid.view(), hyper, options),
            {"a", "b"},
            {{"made_by", "a test"}}};
  }
  SavedAny krsfd() {
    KrsfdOptions options;
    options.kernel_t = KernelKind::laplacian;
    options.zero_ratio_x = 0.3;
    options.lambda = 0.02;
    return {fit_krsfd(device, data.x.view(), data.observations(), grid.view(), options), {}, {}};
  }
  std::string refusal(const std::string& bytes) {
    const std::string bad = folder.write("bad.safetensors", bytes);
    try {
      read_any_model(bad);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::corrupt);
      return e.what();
    }
    return "nothing";
  }

  Device device = Device::parse("cpu");
  CurveData data = random_curves(7);
  CurveData wanted = random_curves(4, 2, 1, 5);
  Matrix grid = kronite::test::even_grid(5);
  kronite::test::TemporaryFolder folder;
  std::string path = folder.path("m.safetensors");
};

TEST_F(AnyModels, ReadBackTheSame) {
  for (const SavedAny& saved : {krfd(), krsfd()}) {
    write_any_model(saved, path);
    const std::string bytes = io::read_file(path);
    const SavedAny read = read_any_model(path);
    EXPECT_EQ(read.features, saved.features);
    EXPECT_EQ(read.card, saved.card);
    EXPECT_EQ(read.model.index(), saved.model.index());
    EXPECT_EQ(at_points(device, read.model, wanted.x.view(), wanted.points(), true, {}).std,
              at_points(device, saved.model, wanted.x.view(), wanted.points(), true, {}).std);
    EXPECT_EQ(mean_of(device, read.model, wanted.x.view(), grid.view()),
              mean_of(device, saved.model, wanted.x.view(), grid.view()));
    SampleOptions draw;
    draw.count = 2;
    draw.posterior.noise = true;
    EXPECT_EQ(draws_of(device, read.model, wanted.x.view(), grid.view(), draw),
              draws_of(device, saved.model, wanted.x.view(), grid.view(), draw));
    write_any_model(read, path);
    EXPECT_EQ(io::read_file(path), bytes);
  }
}

TEST_F(AnyModels, OfCommonPointsPassThrough) {
  const Matrix y = kronite::test::random_matrix<double>(4, 7, 5);
  const Model model = fit(device, data.x.view(), grid.view(), y.view(), {});
  write_any_model({model, {}, {}}, path);
  const SavedAny read = read_any_model(path);
  ASSERT_TRUE(std::holds_alternative<Model>(read.model));
  EXPECT_EQ(mean_of(device, read.model, wanted.x.view(), grid.view()),
            model.mean(device, wanted.x.view(), grid.view()));
  // System by system at points of their own.
  const MeanAndStd at = at_points(device, read.model, wanted.x.view(), wanted.points(), true, {});
  const std::vector<double> mean = model.mean(device, wanted.x.view(), wanted.t.view());
  const std::vector<double> std = model.deviation(device, wanted.x.view(), wanted.t.view());
  for (std::int64_t n = 0; n < wanted.t.rows; ++n) {
    const auto k =
        static_cast<std::size_t>(wanted.curve[static_cast<std::size_t>(n)] * wanted.t.rows + n);
    EXPECT_NEAR(at.mean[static_cast<std::size_t>(n)], mean[k], 1e-12);
    EXPECT_NEAR(at.std[static_cast<std::size_t>(n)], std[k], 1e-12);
  }
}

TEST_F(AnyModels, DamageAndOtherKindsAreRefused) {
  for (const SavedAny& saved : {krfd(), krsfd()}) {
    write_any_model(saved, path);
    const std::string bytes = io::read_file(path);
    std::string damaged = bytes;
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    EXPECT_NE(refusal(damaged).find("the file is damaged"), std::string::npos);
    std::string newer = bytes;
    newer.replace(newer.find("\"format_version\":\"1\""), 20, "\"format_version\":\"7\"");
    EXPECT_NE(refusal(newer).find("newer than this program"), std::string::npos);
    try {
      read_model(path);
      FAIL();
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("this is a model of curves with points of their own"),
                std::string::npos);
    }
  }
}

TEST_F(AnyModels, CompletedBandsAreThoseOfThePriorOfKrfd) {
  const auto band = [&](const SavedAny& saved, bool complete) {
    return band_of(device, saved.model, wanted.x.view(), grid.view(), {false, complete}).std;
  };
  EXPECT_EQ(band(krsfd(), true), band(krsfd(), false));
  const auto wide = band(krfd(), true), narrow = band(krfd(), false);
  double most = 0;
  for (std::size_t k = 0; k < wide.size(); ++k) {
    EXPECT_GE(wide[k], narrow[k] * (1 - 1e-12));  // rounding
    most = std::max(most, wide[k] / narrow[k]);
  }
  EXPECT_GT(most, 1.0001);
}

}  // namespace
}  // namespace kronite::krfd
