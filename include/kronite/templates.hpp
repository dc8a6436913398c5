// Template libraries: known crystals in one memory-mapped file, grouped by composition ratio.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable
#include "kronite/fingerprint.hpp"  // for Fingerprint
#include "kronite/log.hpp"          // for Progress
#include "kronite/structure.hpp"    // for Structure
#include "kronite/view.hpp"         // for MatrixView

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
/// checked on opening, the arrays on first use: of large ones only the parts that are used.
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

  /// Libraries written by kronite before it had fingerprints have none.
  bool has_fingerprints() const;
  /// Local-order fingerprint of template i, rounded to single precision.
  /// @throws Error unavailable when there are none; as info().
  Fingerprint fingerprint(std::int64_t i) const;
  /// All of them: size() x 244, in the file's memory, as long as the library lives.
  /// @throws Error unavailable when there are none; corrupt.
  MatrixView<const float> fingerprints() const;

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

/// Why a structure is not in a library. The names (name_of) are stable: reports carry them.
enum class LeftOutReason : std::uint8_t {
  unreadable = 0,   ///< the record could not be read
  disordered = 1,   ///< partial or shared sites
  license = 2,      ///< BuildOptions::licenses
  excluded = 3,     ///< BuildOptions::exclude_formulas
  element = 4,      ///< an element without a row in the element table
  structure = 5,    ///< refused by check_structure(), or no ratio label
  symmetry = 6,     ///< spglib finds no consistent cell
  fingerprint = 7,  ///< the surroundings of a site cannot be worked out
  duplicate = 8,    ///< id, formula, space group, sites and volume are those of another
  polymorph = 9,    ///< a better structure of the same formula is kept
};
inline constexpr int kLeftOutReasons = 10;
/// "unreadable", "disordered", ...
std::string_view name_of(LeftOutReason reason);

struct LeftOut {
  std::string where;  ///< file and line, or library
  std::string id;     ///< may be empty, as the formula, where the record could not be read
  std::string formula;
  LeftOutReason reason = LeftOutReason::unreadable;
  std::string why;  ///< one sentence
};
using LeftOutSink = std::function<void(const LeftOut&)>;

struct BuildOptions {
  std::vector<std::string> exclude_formulas;  ///< reduced before comparing
  /// Licences that may come in, as "BY-C", "CC0", "unknown" or by name or address. Empty: every
  /// licence that does not forbid commercial use (BY-NC and its relatives).
  std::vector<std::string> licenses;
  bool keep_polymorphs = false;  ///< default: one lowest-energy structure per formula
  double symprec = 0.01;         ///< Å, for the space groups
  ReadOptions reading;
  /// `total` is estimated from the bytes read so far.
  Progress progress;
};

struct BuildReport {
  std::int64_t read = 0;     ///< records, readable or not
  std::int64_t resumed = 0;  ///< of them, taken over from an interrupted build
  std::int64_t kept = 0;
  std::array<std::int64_t, kLeftOutReasons> left_out{};  ///< by reason

  std::int64_t count(LeftOutReason reason) const {
    return left_out[static_cast<std::size_t>(reason)];
  }
};

/// Reads structures from files and folders, reduces them to primitive cells, finds their space
/// groups, computes their fingerprints and writes one library file: under a temporary name first,
/// then renamed.
///
/// Of the structures of one formula the one of lowest energy stays: by e_above_hull where all that
/// have an energy have that one, else by formation energy where all have that one, else again by
/// e_above_hull, those without it last. Without energies, and between equal ones, fewest sites,
/// then id.
///
/// What is finished is kept in `out`.journal. The same call after an interruption goes on from
/// there; other sources or options start afresh, with a notice. The journal goes when the library
/// is written. The library is the same, byte by byte, however often the build was interrupted and
/// with any number of threads.
///
/// `left_out` may be empty; it is called in the order of reading, once all is read.
/// @throws Error invalid_argument when nothing can be a template, symprec is no length or a licence
/// no licence; parse for a formula to exclude that cannot be read; io; cancelled; unavailable when
/// another process builds the same file.
BuildReport build_templates(const std::vector<std::string>& sources, const std::string& out,
                            const BuildOptions& options, const LeftOutSink& left_out = {});

struct MergeOptions {
  bool keep_polymorphs = false;
  Progress progress;
};

/// Makes one library of several by the same choice; statistics and missing fingerprints are
/// computed anew.
/// @throws Error as TemplateLibrary::open(); io; cancelled.
BuildReport merge_templates(const std::vector<std::string>& libraries, const std::string& out,
                            const MergeOptions& options, const LeftOutSink& left_out = {});

}  // namespace kronite
