// Templates as the arrays of a library file.
#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "materials/atomic_volume.hpp"          // for fit_atomic_volumes
#include "materials/descriptor_statistics.hpp"  // for descriptor_statistics
#include "materials/symmetry.hpp"               // for primitive_orbits
#include "materials/template_library.hpp"

namespace kronite {
namespace {

/// Text number of every distinct string, in order of first use.
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
  void move_to(io::ArrayFileWriter& writer) {
    writer.add("text.offset", std::move(offsets_));
    writer.add("text.bytes", std::move(bytes_));
  }

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::int64_t> offsets_{0};
  std::vector<std::uint8_t> bytes_;
};

template <class T, class Range>
void append(std::vector<T>& to, const Range& values) {
  to.insert(to.end(), std::begin(values), std::end(values));
}

}  // namespace

std::vector<float> library_fingerprint(const StandardCell& crystal) {
  const Fingerprint values = fingerprint(crystal.primitive, primitive_orbits(crystal));
  return {values.begin(), values.end()};
}

/// What grows by one entry, or a few, with each template.
struct TemplatePacker::Columns {
  std::vector<double> lattice, fractional, amount, e_above_hull, formation_energy;
  std::vector<std::uint8_t> site_z, part_z;
  std::vector<std::int64_t> site_offset{0}, part_offset{0}, ratio_begin;
  std::vector<std::int32_t> space_group;
  std::vector<std::uint32_t> id, formula, license, source, ratio_label;
  std::vector<float> fingerprint;
  TextPool texts;
  std::vector<Composition> compositions;
  std::vector<VolumeSample> volumes;

  void add_cell(const Structure& cell);
  void add_composition(const Composition& composition);
  void add_words(const Template& t);
  void move_cells(io::ArrayFileWriter& writer);
  void move_words(io::ArrayFileWriter& writer);
  void add_statistics(io::ArrayFileWriter& writer);
};

void TemplatePacker::Columns::add_cell(const Structure& cell) {
  for (const Vector3& row : cell.lattice) append(lattice, row);
  for (const Vector3& site : cell.fractional) append(fractional, site);
  append(site_z, cell.z);
  site_offset.push_back(static_cast<std::int64_t>(site_z.size()));
  volumes.push_back({cell.composition(), volume(cell.lattice)});
}

void TemplatePacker::Columns::add_composition(const Composition& composition) {
  for (const ElementAmount& part : composition.parts()) {
    part_z.push_back(static_cast<std::uint8_t>(part.z));
    amount.push_back(part.amount);
  }
  part_offset.push_back(static_cast<std::int64_t>(part_z.size()));
  compositions.push_back(composition);
}

void TemplatePacker::Columns::add_words(const Template& t) {
  const std::uint32_t label = texts.number(t.ratio);
  if (ratio_label.empty() || ratio_label.back() != label) {
    ratio_label.push_back(label);
    ratio_begin.push_back(static_cast<std::int64_t>(id.size()));
  }
  id.push_back(texts.number(t.id));
  formula.push_back(texts.number(t.formula));
  license.push_back(texts.number(t.license));
  source.push_back(texts.number(t.source));
}

void TemplatePacker::Columns::move_cells(io::ArrayFileWriter& writer) {
  writer.add("lattice", std::move(lattice), 9);
  writer.add("site.offset", std::move(site_offset));
  writer.add("site.fractional", std::move(fractional), 3);
  writer.add("site.z", std::move(site_z));
  writer.add("composition.offset", std::move(part_offset));
  writer.add("composition.z", std::move(part_z));
  writer.add("composition.amount", std::move(amount));
}

void TemplatePacker::Columns::move_words(io::ArrayFileWriter& writer) {
  ratio_begin.push_back(static_cast<std::int64_t>(id.size()));
  writer.add("ratio.label", std::move(ratio_label));
  writer.add("ratio.begin", std::move(ratio_begin));
  writer.add("id", std::move(id));
  writer.add("formula", std::move(formula));
  writer.add("license", std::move(license));
  writer.add("source", std::move(source));
}

void TemplatePacker::Columns::add_statistics(io::ArrayFileWriter& writer) {
  const ElementTable& table = ElementTable::embedded();
  Statistics statistics = descriptor_statistics(compositions, table);
  const auto volume_of = fit_atomic_volumes(volumes);
  writer.add("descriptor.mean", std::move(statistics.mean));
  writer.add("descriptor.std", std::move(statistics.std));
  writer.add("element_table.hash",
             std::vector<std::uint8_t>(table.hash().begin(), table.hash().end()));
  writer.add("atomic_volume", std::vector<double>(volume_of.begin(), volume_of.end()));
}

TemplatePacker::TemplatePacker() : columns_(std::make_unique<Columns>()) {}
TemplatePacker::~TemplatePacker() = default;

void TemplatePacker::add(const Template& t) {
  Columns& c = *columns_;
  c.add_cell(t.structure);
  c.add_composition(t.composition);
  c.add_words(t);
  c.space_group.push_back(t.space_group);
  c.e_above_hull.push_back(t.e_above_hull);
  c.formation_energy.push_back(t.formation_energy);
  append(c.fingerprint, t.fingerprint);
}

io::ArrayFileWriter TemplatePacker::finish() {
  Columns& c = *columns_;
  const std::size_t size = c.id.size();
  io::ArrayFileWriter writer(kLibraryFormat);
  c.move_cells(writer);
  c.move_words(writer);
  writer.add("space_group", std::move(c.space_group));
  writer.add("e_above_hull", std::move(c.e_above_hull));
  writer.add("formation_energy", std::move(c.formation_energy));
  c.add_statistics(writer);
  c.texts.move_to(writer);
  // Last: the others then lie close together in the file.
  if (c.fingerprint.size() == size * kFingerprintSize)
    writer.add("fingerprint", std::move(c.fingerprint), kFingerprintSize);
  columns_ = std::make_unique<Columns>();
  return writer;
}

io::ArrayFileWriter pack_templates(std::vector<Template> templates) {
  std::stable_sort(templates.begin(), templates.end(), [](const Template& a, const Template& b) {
    return std::tie(a.ratio, a.id) < std::tie(b.ratio, b.id);
  });
  TemplatePacker packer;
  for (const Template& t : templates) packer.add(t);
  return packer.finish();
}

}  // namespace kronite
