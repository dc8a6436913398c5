// Files, checkpoints and progress of trainings.
#include "cli/training_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/fail.hpp"          // for fail
#include "base/log.hpp"           // for notice
#include "cli/device_option.hpp"  // for DeviceOption, description_of
#include "io/atomic_file.hpp"     // for require_writable
#include "io/formula_list.hpp"    // for read_formula_list
#include "io/input.hpp"           // for hash_of_file

namespace kronite::cli {

namespace fs = std::filesystem;

bool TrainingLine::operator()(const csp::TrainProgress& now) {
  const int last =
      now.patience > 0 ? std::min(now.max_epochs, now.best_epoch + now.patience) : now.max_epochs;
  begun_[now.member] = {now.epoch->epoch, last};
  seconds_ += now.epoch->seconds;
  ++run_;
  if (line_.due()) line_.show(text(now));
  return !interrupted();
}

std::string TrainingLine::text(const csp::TrainProgress& now) const {
  const learn::EpochRecord& epoch = *now.epoch;
  std::string text = fmt::format("{} {} of {}, epoch {}: loss {:.4f}", member_name_, now.member,
                                 now.members, epoch.epoch, epoch.loss);
  if (now.patience > 0)
    text += fmt::format(", {} {:.4f} (best in epoch {})", score_, epoch.validation_accuracy,
                        now.best_epoch);
  return text + fmt::format(", about {} left", duration(seconds_left(now)));
}

double TrainingLine::seconds_left(const csp::TrainProgress& now) const {
  double left = 0, longest = 0, total = 0;  // in epochs
  for (const auto& [member, epochs] : begun_) {
    left += epochs.last - epochs.run;
    longest = std::max<double>(longest, epochs.last - epochs.run);
    total += epochs.last;
  }
  const int to_come = now.members - begun_.rbegin()->first;  // they begin in order
  left += total / static_cast<double>(begun_.size()) * to_come;
  return std::max(longest, left / now.side_by_side) * seconds_ / run_;
}

void TrainingRun::check() const {
  io::require_writable(out);
  if (!report.empty()) csp::prepare_report_folder(report);
  check_checkpoint();
}

void TrainingRun::check_checkpoint() const {
  std::error_code unreadable;
  const bool there = fs::exists(checkpoint(), unreadable);
  if (there && !resume)
    fail(Errc::invalid_argument,
         "{}: a training of this model was stopped; --resume goes on with it, or remove this file",
         checkpoint());
  if (!there && resume) notice(fmt::format("{}: not there; a new training begins", checkpoint()));
}

std::vector<Device> TrainingRun::make_devices(int members) const {
  const int times = std::min(side_by_side, members);
  std::string one = device;
  // "auto" stands alone; a training is work enough for a GPU.
  if (times > 1 && one == "auto")
    one = Device::cuda_unavailable_reason().empty() ? "cuda:0" : "cpu";
  DeviceOption all{one, threads};
  for (int n = 1; n < times; ++n) all.name += "," + one;
  std::vector<Device> devices = all.open_all(1e300);
  while (std::ssize(devices) > members) devices.pop_back();
  return devices;
}

std::vector<std::string> TrainingRun::excluded_formulas() const {
  std::vector<std::string> excluded;
  if (!exclude.empty())
    for (const auto& listed : io::read_formula_list(exclude)) excluded.push_back(listed.text);
  return excluded;
}

void TrainingRun::with_checkpoint(TrainingLine line,
                                  const std::function<void(const csp::TrainHooks&)>& train) const {
  csp::TrainHooks hooks;
  hooks.checkpoint = checkpoint();
  hooks.progress = [&](const csp::TrainProgress& now) { return line(now); };
  try {
    train(hooks);
  } catch (const Error& e) {
    std::error_code unreadable;
    if (e.code() == Errc::cancelled && fs::exists(checkpoint(), unreadable))
      fail(Errc::cancelled, "{}; the same command with --resume goes on from {}", e.what(),
           checkpoint());
    throw;
  }
}

void TrainingRun::remove_checkpoint() const {
  std::error_code ignored;  // a checkpoint that stays does no harm
  fs::remove(checkpoint(), ignored);
}

std::string TrainingRun::report_note() const {
  return report.empty() ? "" : fmt::format("; figures and tables are in {}", report);
}

csp::TrainRun TrainingRun::for_report(const std::vector<Device>& on,
                                      const TemplateLibrary& library) const {
  csp::TrainRun run{command_line(), description_of(on), out, {{library.path(), library.hash()}}};
  for (const auto& path : {config, exclude})
    if (!path.empty()) run.inputs.emplace_back(path, io::hash_of_file(path));
  return run;
}

}  // namespace kronite::cli
