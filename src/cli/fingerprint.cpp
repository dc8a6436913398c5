// kronite fingerprint: local-order fingerprints of crystals, as a table, CSV or .npy.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"            // for fail
#include "base/log.hpp"             // for notice
#include "cli/commands.hpp"         // for add_fingerprint
#include "cli/device_option.hpp"    // for add_device_option
#include "cli/row_writer.hpp"       // for RowWriter
#include "cli/structures.hpp"       // for for_each_structure
#include "cli/terminal.hpp"         // for ProgressLine, Table, interrupted, print_message
#include "io/escape.hpp"            // for one_line
#include "kronite/fingerprint.hpp"  // for fingerprints

namespace kronite::cli {
namespace {

/// What is read for each device before it is computed and written: bounds the memory, keeps all
/// cores busy.
constexpr std::size_t kBatchStructures = 4096, kBatchSites = 65536;
/// Operations per site, by which "auto" chooses a device.
constexpr double kWorkPerSite = 1e6;
constexpr std::size_t kShownLeftOut = 20;

struct FingerprintCommand {
  std::vector<std::string> sources;
  std::string out, device = "auto";
  ReadOptions reading;
  bool sites = false;

  void run() const;
};

std::string formula_of(const StructureRecord& record) {
  return record.structure.composition().reduced_formula();
}

/// Where results go; `values` are the 244 of a crystal or, with --sites, 61 per site.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void add(const StructureRecord& record, std::span<const double> values) = 0;
  virtual void finish() {}
};

/// One row per crystal.
class CrystalRows : public Sink {
 public:
  explicit CrystalRows(const std::string& out)
      : writer_(out, {"id", "formula"}, fingerprint_names()) {}
  void add(const StructureRecord& record, std::span<const double> values) override {
    writer_.add({io::one_line(record.id), formula_of(record)}, values);
  }
  void finish() override { writer_.finish(); }

 private:
  RowWriter writer_;
};

/// One row per site.
class SiteRows : public Sink {
 public:
  explicit SiteRows(const std::string& out)
      : writer_(out, {"id", "formula", "site", "element"}, site_feature_names()) {}
  void add(const StructureRecord& record, std::span<const double> values) override {
    const std::string id = io::one_line(record.id), formula = formula_of(record);
    for (std::size_t i = 0; i < record.structure.size(); ++i)
      writer_.add({id, formula, fmt::format("{}", i + 1),
                   std::string(element_symbol(record.structure.z[i]))},
                  values.subspan(i * kSiteFeatures, kSiteFeatures));
  }
  void finish() override { writer_.finish(); }

 private:
  RowWriter writer_;
};

/// One sheet per crystal, for people: what is 0 is left out.
class Sheets : public Sink {
 public:
  explicit Sheets(bool sites) : sites_(sites) {}
  void add(const StructureRecord& record, std::span<const double> values) override {
    if (std::exchange(printed_, true)) fmt::print("\n");
    fmt::print("{}: {}, {} sites\n\n", io::one_line(record.id), formula_of(record),
               record.structure.size());
    if (sites_)
      print_sites(record, values);
    else
      print_statistics(values);
  }

 private:
  static void print_statistics(std::span<const double> values) {
    Table sheet({"surroundings", "mean", "std", "min", "max"});
    for (int f = 0; f < kSiteFeatures; ++f) {
      const auto statistics = values.subspan(f * kSiteStatistics, kSiteStatistics);
      if (std::all_of(statistics.begin(), statistics.end(), [](double v) { return v == 0; }))
        continue;
      std::vector<std::string> row = {describe_site_feature(f)};
      for (const double value : statistics) row.push_back(fmt::format("{:.4f}", value));
      sheet.add(std::move(row));
    }
    sheet.print();
  }

  static void print_sites(const StructureRecord& record, std::span<const double> values) {
    Table sheet({"site", "element", "surroundings", "value"});
    for (std::size_t i = 0; i < record.structure.size(); ++i)
      for (int f = 0; f < kSiteFeatures; ++f)
        if (const double value = values[i * kSiteFeatures + f]; value != 0)
          sheet.add({fmt::format("{}", i + 1), std::string(element_symbol(record.structure.z[i])),
                     describe_site_feature(f), fmt::format("{:.4f}", value)});
    sheet.print();
  }

  bool sites_, printed_ = false;
};

std::unique_ptr<Sink> make_sink(const FingerprintCommand& command) {
  if (command.out.empty()) return std::make_unique<Sheets>(command.sites);
  if (command.sites) return std::make_unique<SiteRows>(command.out);
  return std::make_unique<CrystalRows>(command.out);
}

/// Gathers crystals into batches and sends their fingerprints on.
class Batches {
 public:
  Batches(const FingerprintCommand& command, Sink& sink) : command_(command), sink_(sink) {}

  void add(StructureRecord&& record) {
    disordered_ += record.disordered;
    sites_ += record.structure.size();
    structures_.push_back(std::move(record.structure));
    record.structure = {};
    records_.push_back(std::move(record));
    const std::size_t devices = std::max<std::size_t>(1, devices_.size());
    if (records_.size() >= kBatchStructures * devices || sites_ >= kBatchSites * devices)
      compute(true);
  }
  void leave_out(const std::string& where, const std::string& why) {
    if (++left_out_ <= kShownLeftOut) print_message(fmt::format("left out: {}: {}", where, why));
  }
  /// The last batch, and what is to be said of all.
  void finish();

 private:
  /// `more`: whether other batches may follow.
  void compute(bool more);

  const FingerprintCommand& command_;
  Sink& sink_;
  std::vector<Device> devices_;  ///< opened with the first batch
  ProgressLine progress_{"structures"};
  std::vector<StructureRecord> records_;  ///< without their structures
  std::vector<Structure> structures_;
  std::size_t sites_ = 0, left_out_ = 0;
  long long done_ = 0, written_ = 0, disordered_ = 0;
};

void Batches::compute(bool more) {
  const double work = kWorkPerSite * static_cast<double>(sites_);
  if (devices_.empty()) devices_ = Device::parse_all(command_.device, more ? 1e300 : work);
  const std::size_t columns = command_.sites ? kSiteFeatures : kFingerprintSize;
  const std::size_t rows = command_.sites ? sites_ : structures_.size();
  std::vector<double> values(rows * columns);
  const MatrixView<double> out{values.data(), static_cast<std::int64_t>(rows),
                               static_cast<std::int64_t>(columns)};
  const auto on_progress = [&](long long done, long long) { return progress_(done_ + done, 0); };
  const auto failures = command_.sites ? site_fingerprints(devices_, structures_, out, on_progress)
                                       : fingerprints(devices_, structures_, out, on_progress);

  std::vector<bool> failed(structures_.size(), false);
  for (const FingerprintFailure& failure : failures) {
    failed[failure.structure] = true;
    leave_out(records_[failure.structure].where, failure.why);
  }
  const double* at = values.data();
  for (std::size_t i = 0; i < records_.size(); ++i) {
    records_[i].structure = std::move(structures_[i]);
    const std::size_t size = columns * (command_.sites ? records_[i].structure.size() : 1);
    if (!failed[i]) sink_.add(records_[i], {at, size}), ++written_;
    at += size;
  }
  done_ += std::ssize(records_);
  records_.clear();
  structures_.clear();
  sites_ = 0;
}

void Batches::finish() {
  if (!records_.empty()) compute(false);
  if (left_out_ > kShownLeftOut)
    print_message(fmt::format("left out: {} more", left_out_ - kShownLeftOut));
  if (written_ == 0) fail(Errc::parse, "none of the {} structures can be used", left_out_);
  if (disordered_ > 0)
    notice(
        fmt::format("{} structures are disordered: every site that they list counts, however it "
                    "is occupied",
                    disordered_));
  sink_.finish();
}

void FingerprintCommand::run() const {
  const std::unique_ptr<Sink> sink = make_sink(*this);
  Batches batches(*this, *sink);
  for (const std::string& source : sources)
    for_each_structure(
        source,
        [&](StructureRecord&& record) {
          if (interrupted()) fail(Errc::cancelled, "stopped; nothing was written");
          batches.add(std::move(record));
          return true;
        },
        [&](const std::string& where, const std::string& why) { batches.leave_out(where, why); },
        reading);
  batches.finish();
}

}  // namespace

void add_fingerprint(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "fingerprint",
      "Local-order fingerprints: how the atoms of a crystal are surrounded, 244 numbers that do\n"
      "not depend on the elements, the choice of the cell or its orientation.");
  const auto command = std::make_shared<FingerprintCommand>();
  app->add_option(
         "FILE", command->sources,
         "Structures: CIF, POSCAR, extxyz, JSON (Lines), CSV with a column cif, folders of\n"
         "them, or template libraries (.ktl)")
      ->required()
      ->check(CLI::ExistingPath);
  app->add_option(
         "--out", command->out,
         "FILE.csv; FILE.npy, with FILE.columns.txt and FILE.rows.csv beside it; or - for\n"
         "CSV on standard output. Without it, a table is printed for every structure")
      ->check(check_row_file);
  app->add_flag("--sites", command->sites,
                "The 61 values of every site (counted from 1), not their statistics");
  add_species_option(*app, command->reading);
  add_device_option(*app, command->device, Devices::several);
  app->footer("Example:  kronite fingerprint my_cifs/ --out fingerprints.csv");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
