// The template library file: what its arrays mean, and reading them.
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
#include "materials/atomic_volume.hpp"          // for fit_atomic_volumes
#include "materials/descriptor_statistics.hpp"  // for descriptor_statistics

namespace kronite {

namespace embedded {
std::span<const std::byte> demo_templates();
}

namespace {

// As PNG's: the first byte and the line ends show a transfer that took the file for text.
constexpr io::ArrayFormat kFormat{
    {'\x89', 'K', 'T', 'L', '\r', '\n', '\x1a', '\n'}, 1, "template library"};

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

const char* check_finite(std::span<const double> values) {
  const auto finite = [](double v) { return std::isfinite(v); };
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

// Text number of every distinct string, in order of first use.
class TextPool {
 public:
  std::uint32_t number(const std::string& text) {
    const auto [at, added] =
        numbers_.try_emplace(text, static_cast<std::uint32_t>(numbers_.size()));
    if (added) {
      bytes_.insert(bytes_.end(), text.begin(), text.end());
      offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
    }
    return at->second;
  }
  void add_to(io::ArrayFileWriter& writer) const {
    writer.add("text.offset", offsets_);
    writer.add("text.bytes", bytes_);
  }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::int64_t> offsets_{0};
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

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
      lattice(arrays, "lattice", size, 9, check_finite),
      fractional(arrays, "site.fractional", sites, 3, check_finite),
      amount(arrays, "composition.amount", parts, 1, check_amounts),
      e_above_hull(arrays, "e_above_hull", size, 1, nullptr, true),
      formation_energy(arrays, "formation_energy", size, 1, nullptr, true),
      site_z(arrays, "site.z", sites, 1, check_elements),
      part_z(arrays, "composition.z", parts, 1, check_elements),
      site_offset(arrays, "site.offset", size + 1, 1,
                  [n = sites](auto v) { return check_offsets(v, n); }),
      part_offset(arrays, "composition.offset", size + 1, 1,
                  [n = parts](auto v) { return check_offsets(v, n); }),
      space_group(arrays, "space_group", size, 1, check_space_groups),
      text_offset(arrays, "text.offset", texts + 1, 1,
                  [n = rows_of(arrays, "text.bytes")](auto v) { return check_offsets(v, n); }),
      text_bytes(arrays, "text.bytes", io::kAnyRows, 1),
      id(arrays, "id", size, 1, [n = texts](auto v) { return check_below(v, n); }),
      formula(arrays, "formula", size, 1, [n = texts](auto v) { return check_below(v, n); }),
      license(
          arrays, "license", size, 1, [n = texts](auto v) { return check_below(v, n); }, true),
      source(
          arrays, "source", size, 1, [n = texts](auto v) { return check_below(v, n); }, true),
      ratio_label(arrays, "ratio.label", labels, 1,
                  [n = texts](auto v) { return check_below(v, n); }),
      ratio_begin(arrays, "ratio.begin", labels + 1, 1,
                  [n = size](auto v) { return check_offsets(v, n); }),
      atomic_volume(arrays, "atomic_volume", kByNumber, 1, check_finite),
      descriptor_mean(arrays, "descriptor.mean", io::kAnyRows, 1, check_finite, true),
      descriptor_std(arrays, "descriptor.std", io::kAnyRows, 1, check_amounts, true),
      table_hash(arrays, "element_table.hash", io::kAnyRows, 1, nullptr, true) {
  if (size == 0) arrays.refuse("it holds no templates");
}

std::string_view TemplateLibrary::File::text(std::uint32_t number) const {
  const std::int64_t begin = text_offset[number], end = text_offset[number + std::int64_t{1}];
  const auto* bytes = reinterpret_cast<const char*>(text_bytes.get().data());
  return {bytes + begin, static_cast<std::size_t>(end - begin)};
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
  return File::library(io::ArrayFile(path, kFormat));
}

TemplateLibrary TemplateLibrary::embedded() {
  static const TemplateLibrary library =
      library_in_memory(kronite::embedded::demo_templates(), "embedded");
  return library;
}

TemplateLibrary library_in_memory(std::span<const std::byte> bytes, const std::string& name) {
  return TemplateLibrary::File::library(io::ArrayFile(bytes, name, kFormat));
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
  Structure s;
  for (std::size_t k = 0; k < 9; ++k)
    s.lattice[k / 3][k % 3] = f.lattice[9 * i + static_cast<std::int64_t>(k)];
  for (std::int64_t j = f.site_offset[i]; j < f.site_offset[i + 1]; ++j) {
    s.fractional.push_back({f.fractional[3 * j], f.fractional[3 * j + 1], f.fractional[3 * j + 2]});
    s.z.push_back(f.site_z[j]);
  }
  return s;
}

Composition TemplateLibrary::composition(std::int64_t i) const {
  file_->require_index(i);
  return file_->composition(i);
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

io::ArrayFileWriter pack_templates(std::vector<Template> templates) {
  std::stable_sort(templates.begin(), templates.end(), [](const Template& a, const Template& b) {
    return std::tie(a.ratio, a.id) < std::tie(b.ratio, b.id);
  });
  std::vector<double> lattice, fractional, amount, e_above_hull, formation_energy;
  std::vector<std::uint8_t> site_z, part_z;
  std::vector<std::int64_t> site_offset{0}, part_offset{0}, ratio_begin;
  std::vector<std::int32_t> space_group;
  std::vector<std::uint32_t> id, formula, license, source, ratio_label;
  std::vector<Composition> compositions;
  std::vector<VolumeSample> volumes;
  TextPool pool;
  for (const Template& t : templates) {
    for (const Vector3& row : t.structure.lattice)
      lattice.insert(lattice.end(), row.begin(), row.end());
    for (const Vector3& site : t.structure.fractional)
      fractional.insert(fractional.end(), site.begin(), site.end());
    site_z.insert(site_z.end(), t.structure.z.begin(), t.structure.z.end());
    site_offset.push_back(static_cast<std::int64_t>(site_z.size()));
    for (const ElementAmount& part : t.composition.parts()) {
      part_z.push_back(static_cast<std::uint8_t>(part.z));
      amount.push_back(part.amount);
    }
    part_offset.push_back(static_cast<std::int64_t>(part_z.size()));
    const std::uint32_t label = pool.number(t.ratio);
    if (ratio_label.empty() || ratio_label.back() != label) {
      ratio_label.push_back(label);
      ratio_begin.push_back(static_cast<std::int64_t>(id.size()));
    }
    id.push_back(pool.number(t.id));
    formula.push_back(pool.number(t.formula));
    license.push_back(pool.number(t.license));
    source.push_back(pool.number(t.source));
    space_group.push_back(t.space_group);
    e_above_hull.push_back(t.e_above_hull);
    formation_energy.push_back(t.formation_energy);
    compositions.push_back(t.composition);
    volumes.push_back({t.structure.composition(), volume(t.structure.lattice)});
  }
  ratio_begin.push_back(static_cast<std::int64_t>(id.size()));
  const Statistics statistics = descriptor_statistics(compositions, ElementTable::embedded());
  const std::string& hash = ElementTable::embedded().hash();
  const auto volume_of = fit_atomic_volumes(volumes);

  io::ArrayFileWriter writer(kFormat);
  writer.add("lattice", lattice, 9);
  writer.add("site.offset", site_offset);
  writer.add("site.fractional", fractional, 3);
  writer.add("site.z", site_z);
  writer.add("composition.offset", part_offset);
  writer.add("composition.z", part_z);
  writer.add("composition.amount", amount);
  writer.add("ratio.label", ratio_label);
  writer.add("ratio.begin", ratio_begin);
  writer.add("id", id);
  writer.add("formula", formula);
  writer.add("license", license);
  writer.add("source", source);
  writer.add("space_group", space_group);
  writer.add("e_above_hull", e_above_hull);
  writer.add("formation_energy", formation_energy);
  writer.add("descriptor.mean", statistics.mean);
  writer.add("descriptor.std", statistics.std);
  writer.add("element_table.hash", std::vector<std::uint8_t>(hash.begin(), hash.end()));
  writer.add("atomic_volume", std::vector<double>(volume_of.begin(), volume_of.end()));
  pool.add_to(writer);
  return writer;
}

}  // namespace kronite
