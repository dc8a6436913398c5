// Template libraries: known crystals in one memory-mapped file, grouped by composition ratio.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable
#include "kronite/log.hpp"          // for Progress
#include "kronite/structure.hpp"    // for Structure, SkipSink

namespace kronite {

/// One template as the library stores it.
struct TemplateInfo {
  std::string_view id;
  std::string_view formula;  ///< reduced
  std::string_view license;
  std::string_view source;
  int space_group = 0;
  std::int64_t sites = 0;       ///< of the primitive cell
  double e_above_hull = 0;      ///< eV/atom or NaN
  double formation_energy = 0;  ///< eV/atom or NaN
};

/// A half-open range of templates; templates of one ratio lie side by side.
struct TemplateRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};

/// Read-only and shareable between threads; copies share one mapping. The header and index are
/// checked on opening, each array's checksum on first use.
class TemplateLibrary {
 public:
  /// @throws Error io, or corrupt with what is wrong (truncated, foreign, newer version, checksum).
  static TemplateLibrary open(const std::string& path);
  /// The demo set inside the library: ordered inorganic crystals with clear licences
  /// (data/PROVENANCE.md).
  static TemplateLibrary embedded();

  std::int64_t size() const;
  const std::string& path() const;  ///< "embedded" for the demo set
  const std::string& hash() const;  ///< 16 hexadecimal digits naming the content

  /// Of template i, 0 <= i < size(); the texts live as long as the library.
  /// @throws Error invalid_argument for another i; corrupt when an array is damaged.
  TemplateInfo info(std::int64_t i) const;
  Structure structure(std::int64_t i) const;
  Composition composition(std::int64_t i) const;

  /// Templates whose ratio label is `ratio` ("3:1:1"); empty when there are none.
  TemplateRange with_ratio(std::string_view ratio) const;
  std::vector<std::string> ratios() const;

  /// Mean and standard deviation (ddof 1; 1 where a value never varies) of the 290 values over all
  /// templates, for standardisation with the embedded element table.
  const double* descriptor_mean() const;
  const double* descriptor_std() const;
  /// Volume per atom of each element in Å^3, fitted to this library (index z, 0 where unknown).
  const double* atomic_volumes() const;

  struct File;

 private:
  explicit TemplateLibrary(std::shared_ptr<const File> file);
  std::shared_ptr<const File> file_;
};

struct BuildOptions {
  std::vector<std::string> exclude_formulas;  ///< reduced before comparing
  bool keep_polymorphs = false;               ///< default: one lowest-energy structure per formula
  double symprec = 0.01;                      ///< Å, for the space groups
  Progress progress;
};

struct BuildReport {
  std::int64_t read = 0, kept = 0, excluded = 0, polymorphs = 0, disordered = 0, skipped = 0;
};

/// Reads structures from files and folders, reduces them to primitive cells, finds their space
/// groups and writes one library file: under a temporary name first, then renamed. `skip` may be
/// empty; it and `progress` are called one at a time, from any thread.
/// @throws Error invalid_argument when nothing can be a template or symprec is no length; parse for
/// a formula to exclude that cannot be read; io; cancelled.
BuildReport build_templates(const std::vector<std::string>& sources, const std::string& out,
                            const BuildOptions& options, const SkipSink& skip);

}  // namespace kronite
