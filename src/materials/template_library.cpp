// Reading a template library: what its arrays mean and what they may hold.
#include "materials/template_library.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/fail.hpp"                        // for fail
#include "materials/descriptor_statistics.hpp"  // for descriptor_statistics
#include "materials/elements.hpp"               // for kElements, kByNumber

namespace kronite {

namespace embedded {
std::span<const std::byte> demo_templates();
}

namespace {

const char* check_offsets(std::span<const std::int64_t> offsets, std::size_t end) {
  if (offsets.front() != 0 || offsets.back() != static_cast<std::int64_t>(end))
    return "its offsets do not cover the data";
  return std::is_sorted(offsets.begin(), offsets.end()) ? nullptr : "its offsets go back";
}

const char* check_below(std::span<const std::uint32_t> values, std::size_t end) {
  const auto inside = [end](std::uint32_t v) { return v < end; };
  return std::all_of(values.begin(), values.end(), inside) ? nullptr : "a text number is too large";
}

const char* check_elements(std::span<const std::uint8_t> z) {
  const auto known = [](std::uint8_t v) { return v >= 1 && v <= kElements; };
  return std::all_of(z.begin(), z.end(), known) ? nullptr : "an atomic number is not in 1..118";
}

template <class T>
const char* check_finite(std::span<const T> values) {
  const auto finite = [](T v) { return std::isfinite(v); };
  return std::all_of(values.begin(), values.end(), finite) ? nullptr : "a value is not finite";
}

const char* check_amounts(std::span<const double> values) {
  const auto good = [](double v) { return std::isfinite(v) && v > 0; };
  return std::all_of(values.begin(), values.end(), good) ? nullptr : "an amount is not positive";
}

const char* check_space_groups(std::span<const std::int32_t> values) {
  const auto known = [](std::int32_t v) { return v >= 1 && v <= 230; };
  return std::all_of(values.begin(), values.end(), known) ? nullptr
                                                          : "a space group is not in 1..230";
}

std::size_t rows_of(const io::ArrayFile& file, std::string_view name) {
  const auto* entry = file.find(name);
  if (!entry) file.refuse(fmt::format("the array \"{}\" is missing", name));
  return entry->rows;
}

/// Where the rows of something of varying length begin and end.
io::CheckedArray<std::int64_t> offsets(const io::ArrayFile& file, std::string_view name,
                                       std::size_t rows, std::size_t end) {
  const auto check = [end](std::span<const std::int64_t> v) { return check_offsets(v, end); };
  return {file, name, rows + 1, 1, check, false, io::CheckedArray<std::int64_t>::Judges::whole};
}

io::CheckedArray<std::uint32_t> text_numbers(const io::ArrayFile& file, std::string_view name,
                                             std::size_t rows, std::size_t texts,
                                             bool optional = false) {
  const auto check = [texts](std::span<const std::uint32_t> v) { return check_below(v, texts); };
  return {file, name, rows, 1, check, optional};
}

}  // namespace

std::string_view name_of(LeftOutReason reason) {
  static constexpr std::array<std::string_view, kLeftOutReasons> kNames = {
      "unreadable", "disordered", "license",     "excluded",  "element",
      "structure",  "symmetry",   "fingerprint", "duplicate", "polymorph"};
  return kNames[static_cast<std::size_t>(reason)];
}

struct TemplateLibrary::File {
  explicit File(io::ArrayFile opened);
  static TemplateLibrary library(io::ArrayFile opened) {
    return TemplateLibrary(std::make_shared<const File>(std::move(opened)));
  }

  std::string_view text(std::uint32_t number) const;
  std::string_view text_of(const io::CheckedArray<std::uint32_t>& column, std::int64_t i) const {
    return column.present() ? text(column[i]) : std::string_view();
  }
  Composition composition(std::int64_t i) const;
  const Statistics& statistics() const;
  void require_index(std::int64_t i) const {
    if (i < 0 || i >= static_cast<std::int64_t>(size))
      fail(Errc::invalid_argument, "{}: there is no template {} among {}", arrays.path(), i, size);
  }

  void require_fingerprints() const {
    if (!fingerprint.present())
      fail(Errc::unavailable,
           "{}: this library has no fingerprints; 'kronite templates merge' adds them",
           arrays.path());
  }

  io::ArrayFile arrays;
  std::size_t size, sites, parts, texts, labels;
  io::CheckedArray<double> lattice, fractional, amount, e_above_hull, formation_energy;
  io::CheckedArray<std::uint8_t> site_z, part_z;
  io::CheckedArray<std::int64_t> site_offset, part_offset;
  io::CheckedArray<std::int32_t> space_group;
  io::CheckedArray<std::int64_t> text_offset;
  io::CheckedArray<std::uint8_t> text_bytes;
  io::CheckedArray<std::uint32_t> id, formula, license, source, ratio_label;
  io::CheckedArray<std::int64_t> ratio_begin;
  io::CheckedArray<double> atomic_volume, descriptor_mean, descriptor_std;
  io::CheckedArray<std::uint8_t> table_hash;
  io::CheckedArray<float> fingerprint;

 private:
  mutable std::once_flag statistics_once_;
  mutable Statistics statistics_;
};

TemplateLibrary::File::File(io::ArrayFile opened)
    : arrays(std::move(opened)),
      size(rows_of(arrays, "lattice")),
      sites(rows_of(arrays, "site.z")),
      parts(rows_of(arrays, "composition.z")),
      texts(std::max<std::size_t>(rows_of(arrays, "text.offset"), 1) - 1),
      labels(rows_of(arrays, "ratio.label")),
      lattice(arrays, "lattice", size, 9, check_finite<double>),
      fractional(arrays, "site.fractional", sites, 3, check_finite<double>),
      amount(arrays, "composition.amount", parts, 1, check_amounts),
      e_above_hull(arrays, "e_above_hull", size, 1, nullptr, true),
      formation_energy(arrays, "formation_energy", size, 1, nullptr, true),
      site_z(arrays, "site.z", sites, 1, check_elements),
      part_z(arrays, "composition.z", parts, 1, check_elements),
      site_offset(offsets(arrays, "site.offset", size, sites)),
      part_offset(offsets(arrays, "composition.offset", size, parts)),
      space_group(arrays, "space_group", size, 1, check_space_groups),
      text_offset(offsets(arrays, "text.offset", texts, rows_of(arrays, "text.bytes"))),
      text_bytes(arrays, "text.bytes", io::kAnyRows, 1),
      id(text_numbers(arrays, "id", size, texts)),
      formula(text_numbers(arrays, "formula", size, texts)),
      license(text_numbers(arrays, "license", size, texts, true)),
      source(text_numbers(arrays, "source", size, texts, true)),
      ratio_label(text_numbers(arrays, "ratio.label", labels, texts)),
      ratio_begin(offsets(arrays, "ratio.begin", labels, size)),
      atomic_volume(arrays, "atomic_volume", kByNumber, 1, check_finite<double>),
      descriptor_mean(arrays, "descriptor.mean", io::kAnyRows, 1, check_finite<double>, true),
      descriptor_std(arrays, "descriptor.std", io::kAnyRows, 1, check_amounts, true),
      table_hash(arrays, "element_table.hash", io::kAnyRows, 1, nullptr, true),
      fingerprint(arrays, "fingerprint", size, kFingerprintSize, check_finite<float>, true) {
  if (size == 0) arrays.refuse("it holds no templates");
}

std::string_view TemplateLibrary::File::text(std::uint32_t number) const {
  const std::int64_t begin = text_offset[number], end = text_offset[number + std::int64_t{1}];
  const auto bytes = text_bytes.part(begin, static_cast<std::size_t>(end - begin));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Composition TemplateLibrary::File::composition(std::int64_t i) const {
  std::vector<ElementAmount> elements;
  for (std::int64_t j = part_offset[i]; j < part_offset[i + 1]; ++j)
    elements.push_back({part_z[j], amount[j]});
  return Composition(std::move(elements));
}

const Statistics& TemplateLibrary::File::statistics() const {
  std::call_once(statistics_once_, [this] {
    const ElementTable& table = ElementTable::embedded();
    const auto hash = table_hash.get();
    const std::size_t width = 5 * table.features().size();
    const bool stored =
        std::equal(hash.begin(), hash.end(), table.hash().begin(), table.hash().end()) &&
        descriptor_mean.rows() == width && descriptor_std.rows() == width;
    if (stored) {
      const auto mean = descriptor_mean.get(), std = descriptor_std.get();
      statistics_ = {{mean.begin(), mean.end()}, {std.begin(), std.end()}};
      return;
    }
    // Written with another element table than the one in this library.
    std::vector<Composition> compositions;
    for (std::size_t i = 0; i < size; ++i)
      compositions.push_back(composition(static_cast<std::int64_t>(i)));
    statistics_ = descriptor_statistics(compositions, ElementTable::embedded());
  });
  return statistics_;
}

TemplateLibrary::TemplateLibrary(std::shared_ptr<const File> file) : file_(std::move(file)) {}

TemplateLibrary TemplateLibrary::open(const std::string& path) {
  return File::library(io::ArrayFile(path, kLibraryFormat));
}

TemplateLibrary TemplateLibrary::embedded() {
  static const TemplateLibrary library =
      library_in_memory(kronite::embedded::demo_templates(), "embedded");
  return library;
}

TemplateLibrary library_in_memory(std::span<const std::byte> bytes, const std::string& name) {
  return TemplateLibrary::File::library(io::ArrayFile(bytes, name, kLibraryFormat));
}

std::int64_t TemplateLibrary::size() const { return static_cast<std::int64_t>(file_->size); }
const std::string& TemplateLibrary::path() const { return file_->arrays.path(); }
const std::string& TemplateLibrary::hash() const { return file_->arrays.hash(); }

TemplateInfo TemplateLibrary::info(std::int64_t i) const {
  const File& f = *file_;
  f.require_index(i);
  TemplateInfo info;
  info.id = f.text_of(f.id, i);
  info.formula = f.text_of(f.formula, i);
  info.license = f.text_of(f.license, i);
  info.source = f.text_of(f.source, i);
  info.space_group = f.space_group[i];
  info.sites = f.site_offset[i + 1] - f.site_offset[i];
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  info.e_above_hull = f.e_above_hull.present() ? f.e_above_hull[i] : kUnknown;
  info.formation_energy = f.formation_energy.present() ? f.formation_energy[i] : kUnknown;
  return info;
}

Structure TemplateLibrary::structure(std::int64_t i) const {
  const File& f = *file_;
  f.require_index(i);
  const std::int64_t begin = f.site_offset[i];
  const auto count = static_cast<std::size_t>(f.site_offset[i + 1] - begin);
  const auto lattice = f.lattice.part(9 * i, 9);
  const auto x = f.fractional.part(3 * begin, 3 * count);
  const auto z = f.site_z.part(begin, count);
  Structure s;
  for (std::size_t k = 0; k < 9; ++k) s.lattice[k / 3][k % 3] = lattice[k];
  for (std::size_t j = 0; j < count; ++j)
    s.fractional.push_back({x[3 * j], x[3 * j + 1], x[3 * j + 2]});
  s.z.assign(z.begin(), z.end());
  return s;
}

Composition TemplateLibrary::composition(std::int64_t i) const {
  file_->require_index(i);
  return file_->composition(i);
}

bool TemplateLibrary::has_fingerprints() const { return file_->fingerprint.present(); }

Fingerprint TemplateLibrary::fingerprint(std::int64_t i) const {
  file_->require_index(i);
  file_->require_fingerprints();
  const auto stored = file_->fingerprint.part(kFingerprintSize * i, kFingerprintSize);
  Fingerprint values;
  std::copy(stored.begin(), stored.end(), values.begin());
  return values;
}

MatrixView<const float> TemplateLibrary::fingerprints() const {
  file_->require_fingerprints();
  return {file_->fingerprint.get().data(), size(), kFingerprintSize};
}

TemplateRange TemplateLibrary::with_ratio(std::string_view ratio) const {
  const File& f = *file_;
  const auto labels = f.ratio_label.get();
  const auto at = std::lower_bound(
      labels.begin(), labels.end(), ratio,
      [&](std::uint32_t number, std::string_view wanted) { return f.text(number) < wanted; });
  if (at == labels.end() || f.text(*at) != ratio) return {};
  return {f.ratio_begin[at - labels.begin()], f.ratio_begin[at - labels.begin() + 1]};
}

std::vector<std::string> TemplateLibrary::ratios() const {
  std::vector<std::string> labels;
  for (const std::uint32_t number : file_->ratio_label.get())
    labels.emplace_back(file_->text(number));
  return labels;
}

const double* TemplateLibrary::descriptor_mean() const { return file_->statistics().mean.data(); }
const double* TemplateLibrary::descriptor_std() const { return file_->statistics().std.data(); }
const double* TemplateLibrary::atomic_volumes() const { return file_->atomic_volume.get().data(); }

}  // namespace kronite
