// The public doors of scoring: the right call works, and each wrong one is told why.
#include <gtest/gtest.h>

#include <functional>

#include "cases/network_cases.hpp"
#include "kronite/csp.hpp"
#include "support/on_each_device.hpp"

namespace kronite::test {
namespace {

class ScoreDoor : public OnEachDevice {
 protected:
  const ScoreCase shape{"door", 6, {{4, 2}, {1}}, 20, 3, 5};
  ScoreInputs<float> in{shape};
};
KRONITE_ON_EACH_DEVICE(ScoreDoor);

struct Call {
  MatrixView<const float> queries, candidates;
  PairView pairs;
  EnsembleView<float> ensemble;
  VectorView<float> p;
};

TEST_P(ScoreDoor, ScoresLieBetweenZeroAndOneAndDiffer) {
  DeviceScore<float> on(device, in);

  csp::score_pairs(device, on.queries.view(), on.candidates.view(), on.pairs(), on.ensemble.view(),
                   on.p.vector());

  const auto p = on.p.to_host();
  for (const float value : p) {
    EXPECT_GT(value, 0.0F);
    EXPECT_LT(value, 1.0F);
  }
  EXPECT_NE(p, std::vector<float>(p.size(), p.front()));
}

TEST_P(ScoreDoor, NamesWhatDoesNotFit) {
  const struct {
    const char* expected;
    std::function<void(Call&)> spoil;
  } mistakes[] = {
      {"queries have 5 values and candidates 6", [](Call& c) { c.queries.cols = 5; }},
      {"queries has an impossible shape", [](Call& c) { c.queries.ld = 3; }},
      {"candidates has no data", [](Call& c) { c.candidates.data = nullptr; }},
      {"candidates is not on the device", [](Call& c) { c.candidates.place.id = 77; }},
      {"p has 19 values, expected 20", [](Call& c) { c.p.size = 19; }},
      {"pairs.candidate has 3 values", [](Call& c) { c.pairs.candidate.size = 3; }},
      {"the ensemble has no networks", [](Call& c) { c.ensemble.members.clear(); }},
      {"network 1 has no layers", [](Call& c) { c.ensemble.members[1].layers.clear(); }},
      {"network 0 ends in 4 values", [](Call& c) { c.ensemble.members[0].layers.pop_back(); }},
      {"layer 1 of network 0 takes 3 inputs, but gets 4",
       [](Call& c) { c.ensemble.members[0].layers[1].weight.cols = 3; }},
      {"the bias of layer 0 of network 1 has 9 values, expected 1",
       [](Call& c) { c.ensemble.members[1].layers[0].bias.size = 9; }},
  };
  DeviceScore<float> on(device, in);
  for (const auto& mistake : mistakes) {
    Call c{on.queries.view(), on.candidates.view(), on.pairs(), on.ensemble.view(), on.p.vector()};
    mistake.spoil(c);
    try {
      csp::score_pairs(device, c.queries, c.candidates, c.pairs, c.ensemble, c.p);
      ADD_FAILURE() << "accepted, though " << mistake.expected;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_NE(std::string(error.what()).find(mistake.expected), std::string::npos)
          << error.what() << " instead of " << mistake.expected;
    }
  }
}

TEST(ScoreDoorOnTheCpu, RefusesIndicesThatNameNothing) {
  const ScoreCase shape{"door", 6, {{1}}, 20, 3, 5};
  for (const std::int32_t wrong : {-1, 3}) {
    ScoreInputs<float> in(shape);
    in.query[13] = wrong;
    Device device = Device::cpu();
    DeviceScore<float> on(device, in);
    try {
      csp::score_pairs(device, on.queries.view(), on.candidates.view(), on.pairs(),
                       on.ensemble.view(), on.p.vector());
      ADD_FAILURE() << "accepted query " << wrong << " of 3";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_EQ(std::string(error.what()),
                "score_pairs: pair 13 names query " + std::to_string(wrong) + ", but there are 3");
    }
  }
}

struct TopKCall {
  MatrixView<const float> queries, candidates;
  std::vector<ScoreBlock> blocks{{0, 3, 0, 5}};
  MatrixView<float> p;
  MatrixView<std::int32_t> index;
  csp::TopKOptions options;
};

/// The inputs on a device, and room for two candidates of each of the three queries.
struct TopKDoor {
  TopKDoor(Device& device, const ScoreInputs<float>& in)
      : on(device, in),
        p(device, HostMatrix<float>(3, 2)),
        index(device, HostMatrix<std::int32_t>(3, 2)) {}
  TopKCall call() {
    return {on.queries.view(), on.candidates.view(), {{0, 3, 0, 5}}, p.view(), index.view(), {}};
  }
  void run(Device& device, const TopKCall& c) {
    csp::score_top_k(device, c.queries, c.candidates, c.blocks, on.ensemble.view(), c.p, c.index,
                     c.options);
  }

  DeviceScore<float> on;
  DeviceMatrix<float> p;
  DeviceMatrix<std::int32_t> index;
};

TEST_P(ScoreDoor, ScoreTopKNamesWhatDoesNotFit) {
  const struct {
    const char* expected;
    std::function<void(TopKCall&)> spoil;
  } mistakes[] = {
      {"queries have 5 values and candidates 6", [](TopKCall& c) { c.queries.cols = 5; }},
      {"p is 2 x 2 and index 3 x 2 for 3 queries", [](TopKCall& c) { c.p.rows = 2; }},
      {"p is 3 x 2 and index 3 x 1 for 3 queries", [](TopKCall& c) { c.index.cols = 1; }},
      {"k is 0", [](TopKCall& c) { c.p.cols = c.index.cols = 0; }},
      {"index is not on the device", [](TopKCall& c) { c.index.place.id = 77; }},
      {"block 1 has the queries [2, 4) of 3",
       [](TopKCall& c) {
         c.blocks.push_back({2, 4, 0, 1});
       }},
      {"block 0 has the candidates [3, 2) of 5",
       [](TopKCall& c) {
         c.blocks = {{0, 3, 3, 2}};
       }},
      {"block 0 has the candidates [-1, 2) of 5",
       [](TopKCall& c) {
         c.blocks = {{0, 3, -1, 2}};
       }},
      {"queries and candidates are one matrix", [](TopKCall& c) { c.options.self = true; }},
  };
  TopKDoor door(device, in);
  for (const auto& mistake : mistakes) {
    TopKCall c = door.call();
    mistake.spoil(c);
    try {
      door.run(device, c);
      ADD_FAILURE() << "accepted, though " << mistake.expected;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_NE(std::string(error.what()).find(mistake.expected), std::string::npos)
          << error.what() << " instead of " << mistake.expected;
    }
  }
}

TEST_P(ScoreDoor, RefusesAPrecisionThatTheDeviceDoesNotHave) {
  if (device.place().kind != DeviceKind::cpu) GTEST_SKIP() << "GPUs have all of them";
  TopKDoor door(device, in);
  TopKCall c = door.call();
  c.options.precision = Precision::tf32;

  try {
    door.run(device, c);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::unavailable);
    EXPECT_STREQ(error.what(), "score_top_k: a CPU scores in fp32 or bf16 only");
  }
}

TEST_P(ScoreDoor, ScoreTopKTellsHowFarItHasCome) {
  TopKDoor door(device, in);
  TopKCall c = door.call();
  std::vector<long long> told;
  c.options.progress = [&](long long done, long long total) {
    EXPECT_EQ(total, 15);
    told.push_back(done);
    return true;
  };

  door.run(device, c);

  EXPECT_EQ(told, (std::vector<long long>{0, 15}));
}

TEST_P(ScoreDoor, ScoreTopKStopsWhenTold) {
  TopKDoor door(device, in);
  TopKCall c = door.call();
  c.options.progress = [](long long, long long) { return false; };

  try {
    door.run(device, c);
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::cancelled);
  }
}

TEST_P(ScoreDoor, TopKRowsChecksItsShapes) {
  HostMatrix<float> scores(2, 4);
  scores.values = {1, 4, 2, 3, 5, 5, 6, 5};
  DeviceMatrix<float> ds(device, scores), values(device, HostMatrix<float>(2, 3));
  DeviceMatrix<std::int32_t> indices(device, HostMatrix<std::int32_t>(2, 3));
  const auto call = [&](std::int64_t score_columns, std::int64_t value_rows) {
    auto s = ds.view();
    auto v = values.view();
    s.cols = score_columns;
    v.rows = value_rows;
    csp::top_k_rows(device, s, v, indices.view());
  };

  EXPECT_THROW(call(2, 2), Error) << "three best of two";
  EXPECT_THROW(call(4, 1), Error) << "one row of results for two";
  call(4, 2);

  EXPECT_EQ(indices.to_host().values, (std::vector<std::int32_t>{1, 3, 2, 2, 0, 1}));
  EXPECT_EQ(values.to_host().values, (std::vector<float>{4, 3, 2, 6, 5, 5}));
}

}  // namespace
}  // namespace kronite::test
