// kronite kmd design: the mixtures closest to a target among those that are allowed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fail.hpp"            // for fail
#include "cli/kmd.hpp"              // for add_kmd_design
#include "cli/kmd_constraints.hpp"  // for ConstraintOptions
#include "cli/kmd_options.hpp"      // for ComponentsOption, SettingsOptions, formula_source
#include "cli/row_writer.hpp"       // for RowWriter
#include "cli/terminal.hpp"         // for ProgressLine, Table
#include "io/atomic_file.hpp"       // for AtomicFile
#include "kmd/descriptor_rows.hpp"  // for DescriptorRows
#include "kmd/mixture_text.hpp"     // for MixtureText
#include "kronite/kmd_design.hpp"   // for Designer

namespace kronite::cli {
namespace {

constexpr int kMostOfFile = 4;  ///< components, where --most-elements is not given

/// What is designed after.
struct Target {
  std::string name;
  std::vector<double> phi;
  int components = kMostOfFile;
};

/// Proposals as texts.
class ProposalText {
 public:
  explicit ProposalText(const kmd::Components& components)
      : names_(components.names), text_(components) {}

  /// Empty where weights are any numbers.
  std::string formula(const kmd::Proposal& proposal) const;
  std::string fractions(const kmd::Proposal& proposal, std::size_t digits_of = 0) const {
    return text_.fractions(weights(proposal), 0, digits_of);
  }
  /// "Ca+2 Zr+4 O-2".
  std::string charges(const kmd::Proposal& proposal) const;
  const std::string& name(const kmd::Proposal::Part& part) const { return names_[part.component]; }

 private:
  kmd::Weights weights(const kmd::Proposal& proposal) const;

  std::vector<std::string> names_;
  kmd::MixtureText text_;
};

kmd::Weights ProposalText::weights(const kmd::Proposal& proposal) const {
  kmd::Weights row;
  row.components = std::ssize(names_);
  for (const auto& part : proposal.parts) {
    row.component.push_back(part.component);
    row.weight.push_back(part.weight);
  }
  row.first.push_back(std::ssize(row.weight));
  return row;
}

std::string ProposalText::formula(const kmd::Proposal& proposal) const {
  if (proposal.parts.front().amount == 0) return "";
  std::string text;
  std::vector<ElementAmount> parts;
  for (const auto& part : proposal.parts) {
    parts.push_back({element_number(name(part)), static_cast<double>(part.amount)});
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", part.amount, name(part));
  }
  return text_.elements() ? Composition(std::move(parts)).reduced_formula() : text;
}

std::string ProposalText::charges(const kmd::Proposal& proposal) const {
  std::string text;
  for (const auto& part : proposal.parts)
    text += fmt::format("{}{}{:+}", text.empty() ? "" : " ", name(part), part.state);
  return text;
}

struct DesignCommand {
  std::vector<std::string> formulas;
  std::string file, settings_file, out;
  bool mean = false;
  ComponentsOption components;
  SettingsOptions settings;
  ConstraintOptions constraints;
  kmd::DesignOptions options;

  void run();

 private:
  void refuse_what_does_nothing() const;
  kmd::Descriptor descriptor(std::optional<kmd::DescriptorRows>& rows) const;
  std::vector<Target> targets(const kmd::Descriptor& descriptor,
                              std::optional<kmd::DescriptorRows>& rows) const;
  void print(const Target& target, const kmd::Design& design, const ProposalText& text) const;
};

void DesignCommand::refuse_what_does_nothing() const {
  if (formulas.empty() == file.empty())
    fail(Errc::invalid_argument, "{}",
         file.empty() ? "no target: give --target with a formula, or --file with descriptors"
                      : "--target and --file are two kinds of targets: give one of them");
  if (!file.empty() && mean)
    fail(Errc::invalid_argument, "--mean is for several formulas, not for --file");
  if (!file.empty() && settings.any())
    fail(Errc::invalid_argument,
         "descriptors of --file have their settings: leave out --layout, --kernel, --scaling, "
         "--n-grids, --sigma and --most-condition");
  if (file.empty() && !settings_file.empty())
    fail(Errc::invalid_argument, "--settings is for --file");
}

kmd::Descriptor DesignCommand::descriptor(std::optional<kmd::DescriptorRows>& rows) const {
  if (file.empty()) {
    kmd::Settings chosen;
    settings.apply(chosen);
    return {components.read(), chosen};
  }
  rows.emplace(file, settings_file);
  kmd::Descriptor made = descriptor_of(rows->settings(), components.read(), rows->settings_where());
  rows->require_columns(made.names());
  return made;
}

std::vector<Target> DesignCommand::targets(const kmd::Descriptor& descriptor,
                                           std::optional<kmd::DescriptorRows>& rows) const {
  const auto width = static_cast<std::size_t>(descriptor.width());
  std::vector<Target> all;
  std::vector<double> values;
  std::vector<std::string> names;
  if (rows) {
    constexpr std::int64_t kBatch = 4096;
    while (rows->read(kBatch, values, names) > 0) {
    }
    for (std::size_t i = 0; i < names.size(); ++i)
      all.push_back({names[i],
                     {values.begin() + static_cast<std::ptrdiff_t>(i * width),
                      values.begin() + static_cast<std::ptrdiff_t>((i + 1) * width)}});
    if (all.empty()) fail(Errc::parse, "{}: there are no descriptors in this file", file);
    return all;
  }
  FormulaOptions given;
  given.formulas = formulas;
  const auto source = formula_source(given, descriptor.components());
  Device device = Device::cpu();
  for (MixtureBatch batch; source->next(formulas.size(), batch);) {
    values.resize(batch.names.size() * width);
    descriptor.transform(device, batch.weights,
                         {values.data(), std::ssize(batch.names), descriptor.width()});
    for (std::size_t i = 0; i < batch.names.size(); ++i)
      all.push_back({batch.names[i],
                     {values.begin() + static_cast<std::ptrdiff_t>(i * width),
                      values.begin() + static_cast<std::ptrdiff_t>((i + 1) * width)},
                     static_cast<int>(batch.weights.first[i + 1] - batch.weights.first[i])});
  }
  if (!mean) return all;
  Target middle{"mean", std::vector<double>(width, 0.0), 0};
  for (const Target& target : all) {
    for (std::size_t k = 0; k < width; ++k)
      middle.phi[k] += target.phi[k] / static_cast<double>(all.size());
    middle.components = std::max(middle.components, target.components);
  }
  return {middle};
}

void DesignCommand::print(const Target& target, const kmd::Design& design,
                          const ProposalText& text) const {
  const bool integers = options.atoms > 0;
  std::vector<std::string> header{"rank", "distance"};
  if (integers) header.push_back("formula");
  header.push_back("mixture");
  if (constraints.neutral) header.push_back("charges");
  if (!design.complete) header.push_back("proved");
  Table table(header);
  for (std::size_t i = 0; i < design.proposals.size(); ++i) {
    const kmd::Proposal& proposal = design.proposals[i];
    std::vector<std::string> row{fmt::format("{}", i + 1),
                                 fmt::format("{:.4f}", proposal.distance)};
    if (integers) row.push_back(text.formula(proposal));
    row.push_back(text.fractions(proposal, proposal.parts.size()));
    if (constraints.neutral) row.push_back(text.charges(proposal));
    if (!design.complete) row.push_back(i < design.proved ? "yes" : "no");
    table.add(std::move(row));
  }
  const auto count = design.proposals.size();
  const std::string found =
      !design.complete
          ? fmt::format(
                "{} found, of which {} proved to be the closest: no other is closer than "
                "{:.4f}",
                count, design.proved, design.lower_bound)
      : std::ssize(design.proposals) < options.top
          ? fmt::format("all {} that there are, proved", count)
          : fmt::format("the {} closest, proved", count);
  fmt::print("{}: {}; {} nodes; any number of elements and atoms: {:.4f}\n", target.name, found,
             design.nodes, design.relaxed);
  table.print();
}

/// Where proposals go beside the screen.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void add(const Target& target, const kmd::Design& design, const ProposalText& text) = 0;
  virtual void finish() = 0;
};

class CsvSink : public Sink {
 public:
  explicit CsvSink(const std::string& out)
      : rows_(out, {"target", "formula", "mixture", "charges", "proved"}, {"rank", "distance"}) {}

  void add(const Target& target, const kmd::Design& design, const ProposalText& text) override {
    for (std::size_t i = 0; i < design.proposals.size(); ++i) {
      const kmd::Proposal& proposal = design.proposals[i];
      const bool charged = std::any_of(proposal.parts.begin(), proposal.parts.end(),
                                       [](const auto& part) { return part.state != 0; });
      const double numbers[] = {static_cast<double>(i + 1), proposal.distance};
      rows_.add({target.name, text.formula(proposal), text.fractions(proposal),
                 charged ? text.charges(proposal) : "", i < design.proved ? "yes" : "no"},
                numbers);
    }
  }
  void finish() override { rows_.finish(); }

 private:
  RowWriter rows_;
};

class JsonSink : public Sink {
 public:
  JsonSink(const std::string& out, bool charges) : file_(out), charges_(charges) {}

  void add(const Target& target, const kmd::Design& design, const ProposalText& text) override {
    using Json = nlohmann::ordered_json;
    Json line = {{"target", target.name},
                 {"complete", design.complete},
                 {"proved", design.proved},
                 {"lower_bound",
                  std::isfinite(design.lower_bound) ? Json(design.lower_bound) : Json(nullptr)},
                 {"relaxed", design.relaxed},
                 {"nodes", design.nodes},
                 {"proposals", Json::array()}};
    for (const kmd::Proposal& proposal : design.proposals) {
      const std::string formula = text.formula(proposal);
      Json one = {{"distance", proposal.distance},
                  {"formula", formula.empty() ? Json(nullptr) : Json(formula)},
                  {"weights", Json::object()}};
      for (const auto& part : proposal.parts) one["weights"][text.name(part)] = part.weight;
      if (!formula.empty())
        for (const auto& part : proposal.parts) one["amounts"][text.name(part)] = part.amount;
      if (charges_)
        for (const auto& part : proposal.parts) one["states"][text.name(part)] = part.state;
      line["proposals"].push_back(std::move(one));
    }
    file_.write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  void finish() override { file_.commit(); }

 private:
  io::AtomicFile file_;
  bool charges_;
};

void DesignCommand::run() {
  refuse_what_does_nothing();
  std::optional<kmd::DescriptorRows> rows;
  const kmd::Descriptor made = descriptor(rows);
  const kmd::Designer designer(made);
  const std::vector<Target> all = targets(made, rows);
  const kmd::Constraints given = constraints.read(made.components());
  const ProposalText text(made.components());
  std::unique_ptr<Sink> sink;
  if (out.ends_with(".jsonl"))
    sink = std::make_unique<JsonSink>(out, constraints.neutral);
  else if (!out.empty())
    sink = std::make_unique<CsvSink>(out);
  ProgressLine progress("nodes of the search");
  long long before = 0;
  options.progress = [&](long long done, long long) { return progress(before + done, 0); };
  for (const Target& target : all) {
    kmd::Constraints of_this = given;
    if (!constraints.most) of_this.most_components = target.components;
    const kmd::Design design = designer.design({target.phi.data(), made.width()}, of_this, options);
    before += design.nodes;
    if (sink)
      sink->add(target, design, text);
    else
      print(target, design, text);
  }
  if (sink) sink->finish();
}

std::string check_design_file(const std::string& out) {
  return out == "-" || out.ends_with(".csv") || out.ends_with(".jsonl")
             ? ""
             : "a name that ends in .csv or .jsonl is expected, or - for CSV on standard output";
}

}  // namespace

void add_kmd_design(CLI::App& kmd) {
  CLI::App* app = kmd.add_subcommand(
      "design",
      "The mixtures closest to a target under constraints: elements, fractions, charge, atoms in\n"
      "the formula. Ranked by the distance of descriptors, with a proof that none is closer.");
  const auto command = std::make_shared<DesignCommand>();
  app->add_option("--target", command->formulas, "Formulas to design after, one after the other")
      ->type_name("FORMULA...");
  app->add_flag("--mean", command->mean, "Design after the mean of the formulas' descriptors");
  app->add_option("--file", command->file,
                  "Descriptors to design after, as 'kronite kmd transform' writes them")
      ->type_name("FILE");
  app->add_option("--settings", command->settings_file,
                  "Settings that --file was made with; default: FILE.settings.json, or the first\n"
                  "line of FILE.jsonl")
      ->type_name("FILE");
  command->constraints.add(*app);
  app->add_option("--atoms", command->options.atoms,
                  "Integer formulas with at most so many atoms; 0: any fractions")
      ->check(CLI::Range(0, 10000).description(""))
      ->type_name("Z")
      ->capture_default_str();
  app->add_option("--top", command->options.top, "Proposals for a target")
      ->check(CLI::Range(1, 100000).description(""))
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--nodes", command->options.most_nodes,
                  "Where a search ends without a proof: at so many nodes of its tree")
      ->check(CLI::Range(1LL, 1000000000LL).description(""))
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--out", command->out,
                  "FILE.csv, FILE.jsonl, or - for CSV on standard output; without it, a table is\n"
                  "printed for each target")
      ->check(check_design_file)
      ->type_name("FILE");
  command->components.add(*app);
  command->settings.add(*app);
  app->footer(
      "Example:  kronite kmd design --target CaTiO3 --forbid Ti --require O --neutral --atoms 10");
  app->callback([command] { command->run(); });
}

}  // namespace kronite::cli
