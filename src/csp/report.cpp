// HTML and its style sheet.
#include "csp/report.hpp"

#include <algorithm>
#include <cmath>

#include "base/ascii.hpp"         // for is_digit
#include "base/fail.hpp"          // for fmt::format
#include "csp/record.hpp"         // for probability_text, templates_used
#include "csp/run_folder.hpp"     // for folder_name
#include "io/escape.hpp"          // for escape_markup, escape_link
#include "kronite/version.hpp"    // for KRONITE_VERSION
#include "materials/drawing.hpp"  // for draw_svg

namespace kronite::csp {
namespace {

using io::escape_markup;

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Predicted crystal structures</title>
<style>
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --line: #d9dde3; --text: #1c2330; --dim: #5a6473;
  --link: #1f5fbf; --mark: #e7f3ea; --mark-text: #1d6b35;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --card: #1d2229; --line: #343c47; --text: #e8ebf0; --dim: #a3adbb;
    --link: #8ab8ff; --mark: #1d3a28; --mark-text: #9fdcb2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, section, footer { max-width: 1280px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; }
h1 { font-size: 1.7rem; margin: 0 0 4px; }
h2 { font-size: 1.45rem; margin: 40px 0 2px; }
h3 { font-size: 1rem; margin: 0; display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
p { margin: 4px 0 14px; }
a { color: var(--link); }
code { font: 0.88em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.dim, dt, footer { color: var(--dim); }
.cards { display: grid; gap: 18px; list-style: none; margin: 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); }
.cards > li { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 16px 16px; display: flex; flex-direction: column; }
.cards svg { width: 100%; height: auto; margin: 6px 0 8px; }
.rank { color: var(--dim); font-weight: 400; }
.known { background: var(--mark); color: var(--mark-text); border-radius: 999px; padding: 0 9px;
  font-size: 0.8rem; font-weight: 500; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0 0 10px;
  font-size: 0.9rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.bar { display: inline-block; position: relative; width: 72px; height: 9px; margin-right: 6px;
  background: var(--line); border-radius: 5px; overflow: hidden; }
.bar > * { position: absolute; top: 0; bottom: 0; left: 0; background: var(--link); }
.bar > .spread { top: 4px; bottom: 4px; background: var(--text); }
.files { margin: auto 0 0; font-size: 0.9rem; }
.overline { text-decoration: overline; }
.note { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--link);
  border-radius: 6px; padding: 10px 14px; }
footer { font-size: 0.85rem; padding-top: 36px; padding-bottom: 40px; }
</style>
</head>
<body>
)";

/// "Ca(HO)2" with its numbers set low.
std::string formula_html(const std::string& formula) {
  std::string out, digits;
  const auto flush = [&] {
    if (!digits.empty()) out += "<sub>" + digits + "</sub>";
    digits.clear();
  };
  for (const char c : formula) {
    if (is_digit(c) || c == '.') {
      digits += c;
    } else {
      flush();
      out += escape_markup(std::string_view(&c, 1));
    }
  }
  flush();
  return out;
}

/// "Pm-3m" with a bar over the 3, "P6_3/mmc" with the 3 set low.
std::string space_group_html(const std::string& symbol) {
  std::string out;
  for (std::size_t i = 0; i < symbol.size(); ++i) {
    const bool last = i + 1 == symbol.size();
    const std::string next = last ? "" : escape_markup(symbol.substr(i + 1, 1));
    if (symbol[i] == '-' && !last) {
      out += "<span class=\"overline\">" + next + "</span>";
      ++i;
    } else if (symbol[i] == '_' && !last) {
      out += "<sub>" + next + "</sub>";
      ++i;
    } else {
      out += escape_markup(symbol.substr(i, 1));
    }
  }
  return out;
}

std::string mapping_html(const Candidate& candidate) {
  std::string out;
  for (const auto& [from, into] : candidate.mapping)
    out += fmt::format("{}{}&thinsp;←&thinsp;{}", out.empty() ? "" : ", ", element_symbol(into),
                       element_symbol(from));
  return out;
}

std::string cell_text(const Structure& structure) {
  const Vector3 l = lengths(structure.lattice), a = angles(structure.lattice);
  return fmt::format("{:.3f} {:.3f} {:.3f} Å, {:.4g}° {:.4g}° {:.4g}°, {} atoms", l[0], l[1], l[2],
                     a[0], a[1], a[2], structure.size());
}

/// p as a bar, with a line across from p - p_std to p + p_std.
std::string probability_html(const Candidate& candidate) {
  const double low = std::max(0.0, candidate.p - candidate.p_std);
  const double high = std::min(1.0, candidate.p + candidate.p_std);
  std::string bar = fmt::format("<span style=\"width:{:.1f}%\"></span>", 100 * candidate.p);
  if (!std::isnan(candidate.p_std))
    bar += fmt::format("<span class=\"spread\" style=\"left:{:.1f}%;width:{:.1f}%\"></span>",
                       100 * low, 100 * (high - low));
  return fmt::format("<span class=\"bar\" aria-hidden=\"true\">{}</span>{}", bar,
                     probability_text(candidate.p, candidate.p_std));
}

/// The first few templates of the same crystal.
std::string duplicates_html(const Candidate& candidate) {
  constexpr std::size_t kShown = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, candidate.duplicates.size()); ++i) {
    const Duplicate& d = candidate.duplicates[i];
    out += fmt::format("{}{} <code>{}</code>", i == 0 ? "" : ", ", formula_html(d.template_formula),
                       escape_markup(d.template_id));
  }
  if (candidate.duplicates.size() > kShown)
    out += fmt::format(" and {} more", candidate.duplicates.size() - kShown);
  return out;
}

std::string volume_text(const Candidate& candidate) {
  return candidate.volume == VolumeMethod::scaled ? fmt::format("× {:.3f}", candidate.volume_factor)
                                                  : std::string("as the template");
}

std::string count(std::int64_t n, const char* singular) {
  return fmt::format("{} {}{}", n, singular, n == 1 ? "" : "s");
}

/// "the best 5 of 16 templates".
std::string choice_text(const Prediction& prediction) {
  const std::string templates = count(prediction.templates, "template");
  const std::int64_t used = templates_used(prediction);
  const auto shown = static_cast<std::int64_t>(prediction.candidates.size());
  const std::string crystals =
      used > shown ? count(shown, "different crystal") + " from " : std::string();
  if (prediction.likely == prediction.templates)
    return fmt::format("{}the best {} of {}", crystals, used, templates);
  return fmt::format("{}the best {} of {} likely among {}", crystals, used, prediction.likely,
                     templates);
}

}  // namespace

Report::Report(const std::string& path, const std::string& command) : file_(path) {
  file_.write(kHead);
  file_.write(fmt::format(
      "<header><h1>Predicted crystal structures</h1>\n<p class=\"dim\">Made by kronite {} with "
      "<code>{}</code><br>The same as tables: <a href=\"predictions.csv\">predictions.csv</a>, "
      "<a href=\"predictions.jsonl\">predictions.jsonl</a>, "
      "<a href=\"candidates.extxyz\">candidates.extxyz</a>, "
      "<a href=\"manifest.json\">manifest.json</a></p></header>\n<main>\n",
      KRONITE_VERSION, escape_markup(command)));
}

void Report::add(const Prediction& prediction) {
  file_.write(fmt::format("<section>\n<h2>{}</h2>\n", formula_html(prediction.query)));
  if (prediction.candidates.empty()) {
    file_.write(
        fmt::format("<p class=\"note\">{}</p>\n</section>\n", escape_markup(prediction.note)));
    return;
  }
  file_.write(fmt::format("<p class=\"dim\">Ratio {}: {}.</p>\n<ol class=\"cards\">\n",
                          escape_markup(prediction.ratio), choice_text(prediction)));
  if (!std::isnan(prediction.best_p)) probabilities_ = true;
  for (const auto& candidate : prediction.candidates) add_card(prediction, candidate);
  file_.write("</ol>\n</section>\n");
}

void Report::add_card(const Prediction& prediction, const Candidate& c) {
  const std::string title = fmt::format("{}, candidate {}", prediction.query, c.rank);
  DrawingOptions drawing;
  drawing.id_prefix = fmt::format("p{}", ++pictures_);
  drawing.title = title;
  drawing.description =
      fmt::format("Unit cell in space group {}, {}", c.international, cell_text(c.structure));

  file_.write(fmt::format(
      "<li><h3><span class=\"rank\">{}</span><span>{}</span> <span class=\"dim\">{}</span>{}"
      "</h3>\n",
      c.rank, space_group_html(c.international), c.space_group,
      c.known ? "<span class=\"known\">known</span>" : ""));
  file_.write(draw_svg(c.structure, drawing));
  file_.write("<dl>");
  const auto row = [&](const char* name, const std::string& value) {
    file_.write(fmt::format("<dt>{}</dt><dd>{}</dd>", name, value));
  };
  if (!std::isnan(c.p)) row("Probability", probability_html(c));
  row("Template", fmt::format("{} <code>{}</code>", formula_html(c.template_formula),
                              escape_markup(c.template_id)));
  if (!c.duplicates.empty()) row("Same from", duplicates_html(c));
  row("Elements", mapping_html(c));
  row("Volume", volume_text(c));
  row("Cell", cell_text(c.structure));
  if (!c.source.empty()) row("Source", escape_markup(c.source));
  row("Licence", escape_markup(c.license));
  file_.write("</dl>\n");

  const std::string folder = "structures/" + io::escape_link(folder_name(prediction.query));
  file_.write(
      fmt::format("<p class=\"files\"><a href=\"{0}/{1}.cif\" aria-label=\"CIF of {2}\">CIF"
                  "</a> · <a href=\"{0}/{1}.vasp\" aria-label=\"POSCAR of {2}\">POSCAR</a>"
                  "</p></li>\n",
                  folder, c.rank, escape_markup(title)));
}

void Report::commit() {
  file_.write("</main>\n<footer>");
  if (probabilities_)
    file_.write(
        "The probability is that of the template's structure being alike the one sought: the mean "
        "over an ensemble of networks, ± its standard deviation. ");
  file_.write(
      "Candidates are starting points: substituted into known structures, "
      "rescaled "
      "by atomic volumes, not relaxed. Elements read “new ← replaced”. Spheres are drawn at a "
      "fraction of the covalent radius.</footer>\n</body>\n</html>\n");
  file_.commit();
}

}  // namespace kronite::csp
