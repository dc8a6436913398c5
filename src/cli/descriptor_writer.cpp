// CSV and .npy with their settings beside them, JSON Lines with its settings on top.
#include "cli/descriptor_writer.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

namespace kronite::cli {

std::string check_descriptor_file(const std::string& out) {
  return check_row_file(out).empty() || out.ends_with(".jsonl")
             ? ""
             : "a name that ends in .csv, .npy or .jsonl is expected, or - for CSV on standard "
               "output";
}

DescriptorWriter::DescriptorWriter(const std::string& out, const std::string& label,
                                   const std::vector<std::string>& columns,
                                   const kmd::FileSettings& settings)
    : label_(label) {
  if (out.ends_with(".jsonl")) {
    lines_.emplace(out);
    lines_->write("{\"settings\": " + kmd::to_json(settings, true) + "}\n");
    return;
  }
  rows_.emplace(out, std::vector{label}, columns);
  if (out == "-") return;
  settings_.emplace(kmd::settings_path(out));
  settings_->write(kmd::to_json(settings, false) + "\n");
}

void DescriptorWriter::add(const std::string& name, std::span<const double> values) {
  if (rows_) return rows_->add({name}, values);
  using Json = nlohmann::json;
  text_ = fmt::format("{{\"{}\": {}, \"descriptor\": [", label_,
                      Json(name).dump(-1, ' ', false, Json::error_handler_t::replace));
  for (const double& value : values)
    fmt::format_to(std::back_inserter(text_), "{}{}", &value == values.data() ? "" : ", ", value);
  lines_->write(text_ += "]}\n");
}

void DescriptorWriter::finish() {
  if (lines_) lines_->commit();
  if (settings_) settings_->commit();
  if (rows_) rows_->finish();
}

}  // namespace kronite::cli
