// Building libraries: what is kept, what is left out, and that nothing half-written stays.
#include <gtest/gtest.h>

#include <omp.h>
#include <unistd.h>
#include <cmath>

#include <filesystem>
#include <fstream>

#include "kronite/error.hpp"
#include "kronite/templates.hpp"

namespace kronite {
namespace {

namespace fs = std::filesystem;

class Builder : public testing::Test {
 protected:
  Builder() : folder_(fs::path(testing::TempDir()) / ("builder_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_ / "in");
    out_ = (folder_ / "out.ktl").string();
  }
  ~Builder() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / "in" / name) << text;
  }
  /// Rock salt in its primitive cell, or in a cell `copies` times as long.
  static std::string rock_salt(const std::string& cation, const std::string& anion, double edge,
                               int copies = 1) {
    std::string text = cation + anion + "\n1\n";
    text += fmt_row(0, edge / 2 * copies, edge / 2 * copies) + fmt_row(edge / 2, 0, edge / 2) +
            fmt_row(edge / 2, edge / 2, 0) + cation + " " + anion + "\n";
    text += std::to_string(copies) + " " + std::to_string(copies) + "\nDirect\n";
    for (int i = 0; i < copies; ++i) text += fmt_row(double(i) / copies, 0, 0);
    for (int i = 0; i < copies; ++i) text += fmt_row((i + 0.5) / copies, 0.5, 0.5);
    return text;
  }
  static std::string fmt_row(double x, double y, double z) {
    return std::to_string(x) + " " + std::to_string(y) + " " + std::to_string(z) + "\n";
  }
  /// A Materials Project style line: a cube of caesium chloride type.
  static std::string summary(const std::string& id, const std::string& a, const std::string& b,
                             double edge, const std::string& energy) {
    const std::string e = std::to_string(edge);
    const auto site = [](const std::string& element, double x, double occupancy) {
      const std::string at = std::to_string(x);
      return R"({"species":[{"element":")" + element + R"(","occu":)" + std::to_string(occupancy) +
             R"(}],"abc":[)" + at + "," + at + "," + at + "]}";
    };
    return R"({"material_id":")" + id + R"(",)" + energy +
           R"("structure":{"lattice":{"matrix":[[)" + e + ",0,0],[0," + e + ",0],[0,0," + e +
           R"(]]},"sites":[)" + site(a, 0, 1) + "," + site(b, 0.5, id == "disordered" ? 0.5 : 1) +
           "]}}\n";
  }
  BuildReport build(const BuildOptions& options = {}) {
    left_out_.clear();
    return build_templates({(folder_ / "in").string()}, out_, options,
                           [this](const LeftOut& left) { left_out_.push_back(left); });
  }
  std::string bytes() const {
    std::ifstream in(out_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
  std::string out_;
  std::vector<LeftOut> left_out_;
};

/// One thread judges each record as it is read, so that a build stops at a known place.
class OneThread {
 public:
  OneThread() { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }

 private:
  int before_ = omp_get_max_threads();
};

TEST_F(Builder, ReducesSupercellsAndFindsTheSpaceGroup) {
  write("a.vasp", rock_salt("Na", "Cl", 5.64, 3));

  const BuildReport report = build();

  EXPECT_EQ(report.kept, 1);
  const TemplateLibrary library = TemplateLibrary::open(out_);
  EXPECT_EQ(library.info(0).sites, 2);
  EXPECT_EQ(library.info(0).space_group, 225);
  EXPECT_EQ(library.info(0).formula, "NaCl");
  EXPECT_NEAR(volume(library.structure(0).lattice), 5.64 * 5.64 * 5.64 / 4, 1e-3);
}

TEST_F(Builder, KeepsTheStructureOfLowestEnergyPerFormula) {
  write("a.jsonl", summary("high", "Cs", "Cl", 4.1, R"("energy_above_hull":0.2,)") +
                       summary("low", "Cs", "Cl", 4.2, R"("energy_above_hull":0.0,)") +
                       summary("unknown", "Cs", "Cl", 4.3, ""));

  const BuildReport report = build();

  EXPECT_EQ(report.read, 3);
  EXPECT_EQ(report.kept, 1);
  EXPECT_EQ(report.count(LeftOutReason::polymorph), 2);
  EXPECT_EQ(TemplateLibrary::open(out_).info(0).id, "low");
}

TEST_F(Builder, WithoutEnergiesKeepsTheSmallestCellAndThenTheFirstId) {
  write("a.jsonl", summary("b", "K", "Br", 4.1, "") + summary("a", "K", "Br", 4.2, ""));

  build();

  EXPECT_EQ(TemplateLibrary::open(out_).info(0).id, "a");
}

TEST_F(Builder, KeepsPolymorphsWhenAsked) {
  write("a.jsonl", summary("b", "K", "Br", 4.1, "") + summary("a", "K", "Br", 4.2, ""));
  BuildOptions options;
  options.keep_polymorphs = true;

  const BuildReport report = build(options);

  EXPECT_EQ(report.kept, 2);
  EXPECT_EQ(report.count(LeftOutReason::polymorph), 0);
}

TEST_F(Builder, LeavesOutExcludedFormulasHoweverTheyAreWritten) {
  write("a.jsonl", summary("1", "Cs", "Cl", 4.1, "") + summary("2", "K", "Br", 4.2, ""));
  BuildOptions options;
  options.exclude_formulas = {"Cl2Cs2"};

  const BuildReport report = build(options);

  EXPECT_EQ(report.count(LeftOutReason::excluded), 1);
  EXPECT_EQ(report.kept, 1);
  EXPECT_EQ(TemplateLibrary::open(out_).info(0).formula, "KBr");
}

TEST_F(Builder, ReportsWhatItCannotUseAndGoesOn) {
  write("a.jsonl", summary("disordered", "Cs", "Cl", 4.1, "") + "{\"broken\": \n" +
                       summary("americium", "Am", "N", 3.0, "") +
                       summary("good", "K", "Br", 4, ""));
  write("b.cif", "data_nothing\n_cell_length_a x\n");

  const BuildReport report = build();

  EXPECT_EQ(report.read, 5);
  EXPECT_EQ(report.kept, 1);
  ASSERT_EQ(left_out_.size(), 4u);
  EXPECT_EQ(left_out_[0].reason, LeftOutReason::disordered);
  EXPECT_EQ(left_out_[0].id, "disordered");
  EXPECT_EQ(left_out_[0].formula, "CsCl");
  EXPECT_EQ(left_out_[1].reason, LeftOutReason::unreadable);
  EXPECT_NE(left_out_[1].where.find("a.jsonl:2"), std::string::npos);
  EXPECT_EQ(left_out_[2].reason, LeftOutReason::element);
  EXPECT_NE(left_out_[2].where.find("a.jsonl:3"), std::string::npos);
  EXPECT_NE(left_out_[2].why.find("the element table has no values for Am"), std::string::npos);
  EXPECT_EQ(left_out_[3].reason, LeftOutReason::unreadable);
  EXPECT_NE(left_out_[3].where.find("b.cif"), std::string::npos);
}

TEST_F(Builder, RefusesToWriteAnEmptyLibrary) {
  write("a.jsonl", summary("disordered", "Cs", "Cl", 4.1, ""));

  EXPECT_THROW(build(), Error);

  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(Builder, RefusesAToleranceThatIsNoLength) {
  BuildOptions options;
  options.symprec = std::nan("");

  try {
    build_templates({}, "unwritten.ktl", options, {});
    FAIL() << "built";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("symprec is nan"), std::string::npos) << e.what();
  }
}

TEST_F(Builder, RefusesAnExcludedFormulaItCannotRead) {
  write("a.jsonl", summary("1", "Cs", "Cl", 4.1, ""));
  BuildOptions options;
  options.exclude_formulas = {"Xx2"};

  EXPECT_THROW(build(options), Error);
}

TEST_F(Builder, StoresTheFingerprintOfEveryTemplate) {
  write("a.vasp", rock_salt("Na", "Cl", 5.64, 3));

  build();

  const TemplateLibrary library = TemplateLibrary::open(out_);
  ASSERT_TRUE(library.has_fingerprints());
  const Fingerprint expected = fingerprint(library.structure(0));
  const Fingerprint stored = library.fingerprint(0);
  const auto matrix = library.fingerprints();
  ASSERT_EQ(matrix.rows, 1);
  ASSERT_EQ(matrix.cols, kFingerprintSize);
  for (int j = 0; j < kFingerprintSize; ++j) {
    EXPECT_EQ(stored[j], static_cast<double>(static_cast<float>(expected[j]))) << j;
    EXPECT_EQ(matrix.data[j], static_cast<float>(expected[j])) << j;
  }
}

TEST_F(Builder, LeavesOutNonCommercialLicencesUnlessTheyAreNamed) {
  write("a.jsonl", summary("nc", "Cs", "Cl", 4.1, R"("license":"CC-BY-NC-4.0",)") +
                       summary("by", "K", "Br", 4.2, R"("license":"CC-BY-4.0",)") +
                       summary("none", "Rb", "I", 4.3, ""));
  BuildOptions only;
  only.licenses = {"BY-NC", "unknown"};

  const BuildReport usual = build();
  const std::vector<LeftOut> left_out = left_out_;
  const TemplateLibrary library = TemplateLibrary::open(out_);
  const BuildReport named = build(only);

  EXPECT_EQ(usual.count(LeftOutReason::license), 1);
  EXPECT_EQ(left_out.at(0).id, "nc");
  EXPECT_EQ(left_out.at(0).formula, "CsCl");
  EXPECT_NE(left_out.at(0).why.find("BY-NC"), std::string::npos);
  EXPECT_EQ(library.info(0).license, "BY-C");
  EXPECT_EQ(library.info(1).license, "unknown");
  EXPECT_EQ(named.kept, 2);
  EXPECT_EQ(left_out_.at(0).id, "by");
}

TEST_F(Builder, RefusesALicenceThatIsNone) {
  write("a.jsonl", summary("1", "Cs", "Cl", 4.1, ""));
  BuildOptions options;
  options.licenses = {"free for all, of course"};

  EXPECT_THROW(build(options), Error);
}

TEST_F(Builder, GoesOnWhereItWasStopped) {
  const OneThread one_thread;
  std::string lines;
  for (const char* metal : {"Li", "Na", "K", "Rb", "Cs"})
    for (const char* anion : {"F", "Cl", "Br"})
      lines += summary(std::string(metal) + anion, metal, anion, 3.5, "") + "{\"broken\"\n";
  write("a.jsonl", lines);
  build();
  const std::string uninterrupted = bytes();
  const std::vector<LeftOut> reported = left_out_;
  fs::remove(out_);

  BuildReport report;
  int stops = 0;
  for (bool whole = false; !whole && stops < 100;) {
    BuildOptions options;
    options.progress = [](long long done, long long) { return done < 7; };
    try {
      report = build(options);
      whole = true;
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), Errc::cancelled);
      EXPECT_FALSE(fs::exists(out_));
      ++stops;
    }
  }

  EXPECT_EQ(stops, 4);  // after 6, 12, 18 and 24 of 30
  EXPECT_GT(report.resumed, 0);
  EXPECT_EQ(report.read, 30);
  EXPECT_TRUE(bytes() == uninterrupted);
  ASSERT_EQ(left_out_.size(), reported.size());
  for (std::size_t i = 0; i < reported.size(); ++i)
    EXPECT_EQ(left_out_[i].where, reported[i].where);
  EXPECT_FALSE(fs::exists(out_ + ".journal"));
}

TEST_F(Builder, StartsAfreshWhenASourceChanged) {
  const OneThread one_thread;
  write("a.jsonl", summary("1", "Cs", "Cl", 4.1, "") + summary("2", "K", "Br", 4.2, ""));
  BuildOptions stopping;
  stopping.progress = [](long long done, long long) { return done < 2; };
  EXPECT_THROW(build(stopping), Error);
  ASSERT_TRUE(fs::exists(out_ + ".journal"));
  write("a.jsonl", summary("3", "Rb", "I", 4.1, "") + summary("2", "K", "Br", 4.2, "") +
                       summary("4", "Na", "F", 4.1, ""));

  const BuildReport report = build();

  EXPECT_EQ(report.resumed, 0);
  EXPECT_EQ(report.kept, 3);
}

TEST_F(Builder, KnowsASourceWhoseNameBeginsLikeItsOwn) {
  const OneThread one_thread;
  const std::string source = out_ + ".jsonl";
  const std::string line = summary("1", "Cs", "Cl", 4.1, "");
  std::ofstream(source) << line << line;
  BuildOptions stopping;
  stopping.progress = [](long long done, long long) { return done < 2; };
  EXPECT_THROW(build_templates({source}, out_, stopping), Error);
  ASSERT_TRUE(fs::exists(out_ + ".journal"));
  std::ofstream(source) << line << line << line;

  EXPECT_EQ(build_templates({source}, out_, {}).resumed, 0);
}

TEST_F(Builder, FindsOutThatItCannotWriteBeforeItReads) {
  write("a.jsonl", summary("1", "Cs", "Cl", 4.1, ""));
  fs::create_directory(out_);
  BuildOptions options;
  bool has_read = false;
  options.progress = [&](long long, long long) { return has_read = true; };

  EXPECT_THROW(build(options), Error);

  EXPECT_FALSE(has_read);
  EXPECT_FALSE(fs::exists(out_ + ".journal"));
}

TEST_F(Builder, LeavesNoLibraryBehindWhenItIsStopped) {
  write("a.jsonl", summary("1", "Cs", "Cl", 4.1, "") + summary("2", "K", "Br", 4.2, ""));
  BuildOptions options;
  options.progress = [](long long done, long long) { return done < 2; };

  try {
    build(options);
    FAIL() << "it was not stopped";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled);
  }

  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(Builder, LeavesTheOldFileAloneWhenTheNewOneCannotBeMade) {
  std::ofstream(out_) << "the old file";
  write("a.jsonl", "{}\n");

  EXPECT_THROW(build(), Error);

  EXPECT_EQ(bytes(), "the old file");
}

TEST_F(Builder, WritesTheSameBytesForAnyNumberOfThreads) {
  std::string lines;
  const char* const metals[] = {"Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Sc", "Y"};
  for (const char* metal : metals)
    for (const char* anion : {"F", "Cl", "Br", "I", "O", "S"})
      lines += summary(std::string(metal) + anion, metal, anion,
                       3.5 + 1e-4 * static_cast<double>(lines.size()), "");
  write("a.jsonl", lines);
  const int threads = omp_get_max_threads();

  omp_set_num_threads(1);
  build();
  const std::string one = bytes();
  omp_set_num_threads(4);
  build();
  omp_set_num_threads(threads);

  EXPECT_TRUE(bytes() == one);
  EXPECT_EQ(TemplateLibrary::open(out_).size(), 66);
}

TEST(DemoLibrary, HoldsWellKnownCrystalsWithLicenceAndSource) {
  const TemplateLibrary library = TemplateLibrary::embedded();

  EXPECT_GT(library.size(), 300);
  EXPECT_EQ(library.path(), "embedded");
  bool perovskite = false;
  const TemplateRange range = library.with_ratio("3:1:1");
  for (std::int64_t i = range.begin; i < range.end; ++i)
    perovskite |= library.info(i).formula == "SrTiO3" && library.info(i).space_group == 221;
  EXPECT_TRUE(perovskite);
  for (std::int64_t i = 0; i < library.size(); ++i) {
    const std::string_view id = library.info(i).id;
    const bool entered = id.substr(0, 9) == "prototype", converted = id.substr(0, 8) == "ncrystal";
    EXPECT_EQ(library.info(i).license, entered ? "CC0" : converted ? "Apache-2.0" : "PD") << id;
    EXPECT_FALSE(library.info(i).source.empty()) << library.info(i).id;
    EXPECT_EQ(find_symmetry(library.structure(i)).space_group, library.info(i).space_group)
        << library.info(i).id;
  }
}

}  // namespace
}  // namespace kronite
