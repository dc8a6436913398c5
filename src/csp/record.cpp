// Predictions as JSON Lines and back.
#include "csp/record.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fail.hpp"         // for fail
#include "io/input.hpp"          // for LineReader
#include "io/pymatgen_json.hpp"  // for to_pymatgen

namespace kronite::csp {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
double number(const Json& value) { return value.is_null() ? kNone : value.get<double>(); }

int element(const std::string& symbol) {
  const int z = element_number(symbol);
  if (z == 0) fail(Errc::parse, "there is no element {}", symbol);
  return z;
}

Structure structure_from(const Json& json) {
  Structure structure;
  structure.lattice = json.at("lattice").at("matrix").get<Lattice>();
  for (const auto& site : json.at("sites")) {
    const int z = element(site.at("species").at(0).at("element").get<std::string>());
    structure.z.push_back(static_cast<std::uint8_t>(z));
    structure.fractional.push_back(site.at("abc").get<Vector3>());
  }
  check_structure(structure);
  return structure;
}

Json duplicates_json(const std::vector<Duplicate>& duplicates) {
  Json list = Json::array();
  for (const Duplicate& d : duplicates)
    list.push_back({{"template_id", d.template_id},
                    {"template_formula", d.template_formula},
                    {"score", number(d.score)},
                    {"p", number(d.p)},
                    {"rms", number(d.rms)},
                    {"known", d.known}});
  return list;
}

std::vector<Duplicate> duplicates_from(const Json& list) {
  std::vector<Duplicate> duplicates;
  for (const Json& item : list) {
    Duplicate d;
    d.template_id = item.at("template_id").get<std::string>();
    d.template_formula = item.at("template_formula").get<std::string>();
    d.score = number(item.at("score"));
    d.p = number(item.at("p"));
    d.rms = number(item.at("rms"));
    d.known = item.at("known").get<bool>();
    duplicates.push_back(std::move(d));
  }
  return duplicates;
}

/// The fields of every line.
Json to_json(const Prediction& prediction, const Candidate* c) {
  Json line{{"query", prediction.query},           {"ratio", prediction.ratio},
            {"templates", prediction.templates},   {"likely", prediction.likely},
            {"best_p", number(prediction.best_p)}, {"candidates", prediction.candidates.size()}};
  const auto put = [&](const char* name, Json value) {
    line[name] = c ? std::move(value) : Json(nullptr);
  };
  static const Candidate kEmpty;
  const Candidate& from = c ? *c : kEmpty;
  Json mapping = Json::object();
  for (const auto& [z, into] : from.mapping) mapping[element_symbol(z)] = element_symbol(into);
  put("rank", from.rank);
  put("score", number(from.score));
  put("p", number(from.p));
  put("p_std", number(from.p_std));
  put("template_id", from.template_id);
  put("template_formula", from.template_formula);
  put("mapping", std::move(mapping));
  put("mapping_cost", number(from.mapping_cost));
  put("space_group", from.space_group);
  put("international", from.international);
  put("volume_method", name_of(from.volume));
  put("volume_factor", number(from.volume_factor));
  put("known", from.known);
  put("duplicates", duplicates_json(from.duplicates));
  put("licence", from.license);
  put("source", from.source);
  put("structure", c ? io::to_pymatgen(c->structure) : Json(nullptr));
  line["note"] = prediction.note.empty() ? Json(nullptr) : Json(prediction.note);
  return line;
}

Candidate candidate_from(const Json& line) {
  Candidate c;
  c.rank = line.at("rank").get<int>();
  c.score = number(line.at("score"));
  c.p = number(line.at("p"));
  c.p_std = number(line.at("p_std"));
  c.template_id = line.at("template_id").get<std::string>();
  c.template_formula = line.at("template_formula").get<std::string>();
  for (const auto& [from, into] : line.at("mapping").items())
    c.mapping.emplace_back(element(from), element(into.get<std::string>()));
  c.mapping_cost = number(line.at("mapping_cost"));
  c.space_group = line.at("space_group").get<int>();
  c.international = line.at("international").get<std::string>();
  c.volume =
      line.at("volume_method") == "scaled" ? VolumeMethod::scaled : VolumeMethod::as_template;
  c.volume_factor = number(line.at("volume_factor"));
  c.known = line.at("known").get<bool>();
  c.duplicates = duplicates_from(line.at("duplicates"));
  c.license = line.at("licence").get<std::string>();
  c.source = line.at("source").get<std::string>();
  c.structure = structure_from(line.at("structure"));
  return c;
}

}  // namespace

const char* name_of(VolumeMethod method) {
  return method == VolumeMethod::scaled ? "scaled" : "template";
}

std::string mapping_text(const Candidate& candidate) {
  std::string text;
  for (const auto& [from, into] : candidate.mapping)
    text += fmt::format("{}{}<-{}", text.empty() ? "" : " ", element_symbol(into),
                        element_symbol(from));
  return text;
}

std::string duplicate_ids(const Candidate& candidate) {
  std::string text;
  for (const Duplicate& d : candidate.duplicates) text += (text.empty() ? "" : " ") + d.template_id;
  return text;
}

std::int64_t templates_used(const Prediction& prediction) {
  std::size_t count = prediction.candidates.size();
  for (const Candidate& c : prediction.candidates) count += c.duplicates.size();
  return static_cast<std::int64_t>(count);
}

std::string probability_text(double p, double p_std, int digits) {
  return std::isnan(p_std) ? fmt::format("{:.{}f}", p, digits)
                           : fmt::format("{:.{}f} ± {:.{}f}", p, digits, p_std, digits);
}

std::string to_json_lines(const Prediction& prediction) {
  std::string lines;
  const auto append = [&](const Candidate* candidate) {
    lines += to_json(prediction, candidate).dump(-1, ' ', false, Json::error_handler_t::replace);
    lines += '\n';
  };
  for (const auto& candidate : prediction.candidates) append(&candidate);
  if (prediction.candidates.empty()) append(nullptr);
  return lines;
}

void read_predictions(const std::string& path, const PredictionSink& sink) {
  io::LineReader lines(path);
  std::int64_t end = 0;
  Prediction current;
  std::size_t expected = 0;
  for (std::string text; lines.next(text);) {
    end += static_cast<std::int64_t>(text.size()) + 1;
    try {
      const Json line = Json::parse(text);
      if (current.candidates.empty()) {
        current.query = line.at("query").get<std::string>();
        current.ratio = line.at("ratio").get<std::string>();
        current.templates = line.at("templates").get<std::int64_t>();
        current.likely = line.at("likely").get<std::int64_t>();
        current.best_p = number(line.at("best_p"));
        current.note = line.at("note").is_null() ? "" : line.at("note").get<std::string>();
        expected = line.at("candidates").get<std::size_t>();
      }
      if (line.at("query") != current.query)
        fail(Errc::parse, "{} of {} candidates of {} are missing",
             expected - current.candidates.size(), expected, current.query);
      if (expected > 0) current.candidates.push_back(candidate_from(line));
    } catch (const std::exception& e) {
      fail(Errc::parse, "{}:{}: this is no record of 'kronite csp predict': {}", path,
           lines.line_number(), e.what());
    }
    if (current.candidates.size() == expected) sink(std::exchange(current, Prediction{}), end);
  }
}

}  // namespace kronite::csp
