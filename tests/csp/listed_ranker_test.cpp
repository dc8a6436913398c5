// Rankings of other programs, read from CSV.
#include <gtest/gtest.h>

#include "csp/fingerprint_library.hpp"
#include "kronite/csp_evaluation.hpp"
#include "kronite/error.hpp"
#include "support/temporary_folder.hpp"

namespace kronite::csp {
namespace {

class ListedRanking : public testing::Test {
 protected:
  std::unique_ptr<Ranker> read(const std::string& text) const {
    return listed_ranker(folder_.write("ranking.csv", text), library_);
  }
  /// Ids of the templates, best first.
  std::vector<std::string> order(const std::string& text, const char* query) const {
    const auto ranker = read(text);
    Device device = Device::cpu();
    const Composition composition = Composition::parse(query);
    std::vector<std::string> ids;
    for (const auto& scored : ranker->rank(device, composition, library_,
                                           library_.with_ratio(composition.ratio_label())))
      ids.emplace_back(library_.info(scored.candidate).id);
    return ids;
  }
  std::string refusal(const std::string& text) const {
    try {
      read(text);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  using Ids = std::vector<std::string>;
  test::TemporaryFolder folder_;
  TemplateLibrary library_ =
      test::library_of({test::point("NaCl", "a", 0), test::point("KBr", "b", 1),
                        test::point("LiF", "c", 2), test::point("MgCl2", "d", 0)});
};

TEST_F(ListedRanking, FollowsTheLinesWithoutScores) {
  const std::string text = "query,template_id\nNaBr,c\nNaBr,a\nCaF2,d\n";

  EXPECT_EQ(order(text, "Na2Br2"), (Ids{"c", "a"}));
  EXPECT_EQ(order(text, "CaF2"), (Ids{"d"}));
  EXPECT_EQ(order(text, "KI"), Ids{});
}

TEST_F(ListedRanking, PrefersScoresThenProbabilities) {
  EXPECT_EQ(order("formula,template,score,p\nNaBr,a,1,\nNaBr,b,3,0.5\nNaBr,c,2,0.9\n", "NaBr"),
            (Ids{"b", "c", "a"}));
  EXPECT_EQ(order("formula,template,p\nNaBr,a,0.1\nNaBr,b,0.2\n", "NaBr"), (Ids{"b", "a"}));
}

TEST_F(ListedRanking, ReadsTheTableOfCspScore) {
  const auto first = std::to_string(library_.with_ratio("1:1").begin);
  const std::string text =
      "query,query_formula,template,template_formula,rank,p,template_index\n"
      "Na2Br2,NaBr,?,?,1,0.25," +
      first + "\n";

  const auto ranker = read(text);
  Device device = Device::cpu();
  const auto ranked =
      ranker->rank(device, Composition::parse("NaBr"), library_, library_.with_ratio("1:1"));

  ASSERT_EQ(ranked.size(), 1U);
  EXPECT_EQ(std::to_string(ranked[0].candidate), first);
  EXPECT_EQ(ranked[0].p, 0.25);
}

TEST_F(ListedRanking, NamesTheLineOfWhatIsWrong) {
  const std::string header = "query,template_id,score\n";

  EXPECT_NE(refusal(header + "NaBr,a,1\nNaBr,z,1\n").find("ranking.csv:3"), std::string::npos);
  EXPECT_NE(refusal(header + "NaBr,z,1\n").find("no template of the id \"z\""), std::string::npos);
  EXPECT_NE(refusal(header + "NaBr,d,1\n").find("another ratio than NaBr"), std::string::npos);
  EXPECT_NE(refusal(header + "NaBr,a,1\nNa2Br2,a,1\n").find("a second time"), std::string::npos);
  EXPECT_NE(refusal(header + "NaBr,a,much\n").find("\"much\" is no score"), std::string::npos);
  EXPECT_NE(refusal(header + "NaBr,a,\n").find("there is no score"), std::string::npos);
  EXPECT_NE(refusal(header + "NaBr\n").find("1 cells"), std::string::npos);
  EXPECT_NE(refusal(header + "Xq2,a,1\n").find("ranking.csv:2"), std::string::npos);
  EXPECT_NE(refusal(header).find("names no template"), std::string::npos);
  EXPECT_NE(refusal(header + "NaBr,,\n").find("names no template"), std::string::npos);
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal("a,b\n1,2\n").find("needs the columns"), std::string::npos);
  EXPECT_NE(refusal("query,template_index\nNaBr,4\n").find("0 to 3"), std::string::npos);
  EXPECT_NE(refusal("query,template_index\nNaBr,1.5\n").find("0 to 3"), std::string::npos);
  EXPECT_NE(refusal("query,template,p\nNaBr,a,1.5\n").find("expected 0 to 1"), std::string::npos);
}

}  // namespace
}  // namespace kronite::csp
