// Checkpoints of training runs: settings as texts, parameters and the state of Adam as tensors.
#include "csp/train_checkpoint.hpp"

#include <fmt/format.h>  // for join

#include <charconv>
#include <filesystem>
#include <vector>

#include "base/fail.hpp"       // for fail
#include "io/safetensors.hpp"  // for SafetensorsFile, SafetensorsWriter

namespace kronite::csp {
namespace {

using io::SafetensorsFile;
using io::SafetensorsWriter;

constexpr auto kBetweenWrites = std::chrono::seconds(10);
constexpr std::string_view kFormat = "kronite.training";
constexpr std::string_view kVersion = "3";
constexpr std::string_view kSetting = "setting.";
constexpr std::int64_t kRecordValues = 5;

std::int64_t size_of(const auto& values) { return static_cast<std::int64_t>(values.size()); }

std::int64_t whole_number(const SafetensorsFile& file, std::string_view key) {
  const std::string& text = file.required_text(key);
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < 0)
    file.refuse(fmt::format("\"{}\" is \"{}\", expected a whole number", key, text));
  return value;
}

TrainSettings read_settings(const SafetensorsFile& file) {
  TrainSettings settings;
  for (const auto& [key, text] : file.metadata())
    if (key.starts_with(kSetting)) settings.emplace_back(key.substr(kSetting.size()), text);
  return settings;
}

std::string value_of(const TrainSettings& settings, const std::string& name) {
  for (const auto& [known, value] : settings)
    if (known == name) return value;
  return "nothing";
}

void add_history(SafetensorsWriter& writer, const std::string& name,
                 const std::vector<learn::EpochRecord>& history) {
  std::vector<double> values;
  for (const learn::EpochRecord& r : history)
    values.insert(values.end(), {static_cast<double>(r.epoch), r.loss, r.validation_loss,
                                 r.validation_accuracy, r.seconds});
  writer.add(name, values, {size_of(history), kRecordValues});
}

std::vector<learn::EpochRecord> read_history(const SafetensorsFile& file, const std::string& name) {
  const auto* entry = file.find(name);
  if (!entry || entry->shape.size() != 2)
    file.refuse(fmt::format("there is no table \"{}\"", name));
  const auto values = file.values<double>(name, {entry->shape[0], kRecordValues});
  std::vector<learn::EpochRecord> history;
  for (std::size_t i = 0; i < values.size(); i += kRecordValues) {
    const int epoch = static_cast<int>(history.size()) + 1;
    if (values[i] != epoch)
      file.refuse(fmt::format("\"{}\" has epoch {} where {} is expected", name, values[i], epoch));
    history.push_back({epoch, values[i + 1], values[i + 2], values[i + 3], values[i + 4]});
  }
  return history;
}

/// One of the epochs of `history`; 0 only where there is none.
int read_best_epoch(const SafetensorsFile& file, const std::string& prefix,
                    const std::vector<learn::EpochRecord>& history) {
  const std::int64_t best = whole_number(file, prefix + "best_epoch");
  if (best > size_of(history) || (best == 0) != history.empty())
    file.refuse(fmt::format("its best epoch is {} of {}", best, history.size()));
  return static_cast<int>(best);
}

std::vector<float> read_vector(const SafetensorsFile& file, const std::string& name) {
  const auto* entry = file.find(name);
  if (!entry) file.refuse(fmt::format("there is no tensor \"{}\"", name));
  return file.values<float>(*entry);
}

void add_fit(SafetensorsWriter& writer, const std::string& prefix,
             const learn::FittedParameters& fit) {
  writer.set(prefix + "best_epoch", fmt::format("{}", fit.best_epoch));
  add_history(writer, prefix + "history", fit.history);
  writer.add(prefix + "parameters", fit.parameters);
}

learn::FittedParameters read_fit(const SafetensorsFile& file, const std::string& prefix) {
  learn::FittedParameters fit;
  fit.history = read_history(file, prefix + "history");
  fit.best_epoch = read_best_epoch(file, prefix, fit.history);
  fit.parameters = read_vector(file, prefix + "parameters");
  return fit;
}

void add_state(SafetensorsWriter& writer, const std::string& prefix, const learn::FitState& state) {
  writer.set(prefix + "steps", fmt::format("{}", state.steps));
  writer.set(prefix + "best_epoch", fmt::format("{}", state.best_epoch));
  add_history(writer, prefix + "history", state.history);
  writer.add(prefix + "parameters", state.parameters);
  writer.add(prefix + "moment1", state.moment1);
  writer.add(prefix + "moment2", state.moment2);
  writer.add(prefix + "best", state.best);
}

learn::FitState read_state(const SafetensorsFile& file, const std::string& prefix) {
  learn::FitState state;
  state.steps = whole_number(file, prefix + "steps");
  state.history = read_history(file, prefix + "history");
  state.best_epoch = read_best_epoch(file, prefix, state.history);
  state.parameters = read_vector(file, prefix + "parameters");
  state.moment1 = read_vector(file, prefix + "moment1");
  state.moment2 = read_vector(file, prefix + "moment2");
  state.best = read_vector(file, prefix + "best");
  return state;
}

// Members by their numbers under these names: "0,2,3".
constexpr const char *kFinished = "finished", *kCurrent = "current";

std::string prefix_of(const char* kind, int member) { return fmt::format("{}.{}.", kind, member); }

template <class Members>
void add_members(SafetensorsWriter& writer, const char* kind, const Members& members) {
  std::vector<int> numbers;
  for (const auto& [member, state] : members) numbers.push_back(member);
  writer.set(kind, fmt::format("{}", fmt::join(numbers, ",")));
}

std::vector<int> read_members(const SafetensorsFile& file, const char* kind) {
  const std::string& text = file.required_text(kind);
  std::vector<int> numbers;
  const char *at = text.data(), *end = at + text.size();
  while (at != end) {
    int member = -1;
    const auto [stop, error] = std::from_chars(at, end, member);
    if (error != std::errc() || member < 0 || (stop != end && (*stop != ',' || stop + 1 == end)))
      file.refuse(fmt::format("\"{}\" is \"{}\", expected numbers of members", kind, text));
    numbers.push_back(member);
    at = stop == end ? end : stop + 1;
  }
  return numbers;
}

}  // namespace

TrainCheckpoint::TrainCheckpoint(std::string path, TrainSettings settings)
    : path_(std::move(path)), settings_(std::move(settings)) {
  std::error_code unreadable;
  if (!path_.empty() && std::filesystem::exists(path_, unreadable)) read();
}

void TrainCheckpoint::read() {
  const SafetensorsFile file(path_);
  if (!file.text(kFormat))
    fail(Errc::invalid_argument, "{}: this file is no checkpoint of a training run", path_);
  if (*file.text(kFormat) != kVersion)
    file.refuse(fmt::format("it is a checkpoint of version {}, expected {}", *file.text(kFormat),
                            kVersion));
  const TrainSettings &now = settings_, before = read_settings(file);
  for (const TrainSettings* either : {&now, &before})  // each may have some of its own
    for (const auto& [name, value] : *either)
      if (value_of(before, name) != value_of(now, name))
        fail(Errc::invalid_argument,
             "{}: this run was begun with {} = {}, now it is {}; go on with the same settings and "
             "library, or remove the file to start afresh",
             path_, name, value_of(before, name), value_of(now, name));
  for (const int m : read_members(file, kFinished))
    finished_.emplace(m, read_fit(file, prefix_of(kFinished, m)));
  for (const int m : read_members(file, kCurrent))
    current_.emplace(m, read_state(file, prefix_of(kCurrent, m)));
}

const learn::FittedParameters* TrainCheckpoint::finished(int member) const {
  const std::lock_guard lock(guard_);
  const auto found = finished_.find(member);
  return found == finished_.end() ? nullptr : &found->second;
}

std::optional<learn::FitState> TrainCheckpoint::current(int member) const {
  const std::lock_guard lock(guard_);
  const auto found = current_.find(member);
  if (found == current_.end()) return {};
  return found->second;
}

void TrainCheckpoint::keep(int member, const learn::FitState& state, bool at_once) {
  if (path_.empty()) return;
  const std::lock_guard lock(guard_);
  current_[member] = state;
  if (at_once || std::chrono::steady_clock::now() - written_ >= kBetweenWrites) write();
}

void TrainCheckpoint::finish(int member, learn::FittedParameters fit) {
  if (path_.empty()) return;
  const std::lock_guard lock(guard_);
  finished_[member] = std::move(fit);
  current_.erase(member);
  write();
}

void TrainCheckpoint::write() {
  SafetensorsWriter writer;
  writer.set(kFormat, kVersion);
  for (const auto& [name, value] : settings_)
    writer.set(fmt::format("{}{}", kSetting, name), value);
  add_members(writer, kFinished, finished_);
  for (const auto& [m, fit] : finished_) add_fit(writer, prefix_of(kFinished, m), fit);
  add_members(writer, kCurrent, current_);
  for (const auto& [m, state] : current_) add_state(writer, prefix_of(kCurrent, m), state);
  writer.write(path_);
  written_ = std::chrono::steady_clock::now();
}

}  // namespace kronite::csp
