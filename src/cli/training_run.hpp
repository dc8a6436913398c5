// What the trainings of `kronite csp train` share: files, device, checkpoint, the line of progress.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/terminal.hpp"          // for StatusLine
#include "csp/train_report.hpp"      // for TrainRun
#include "kronite/csp_training.hpp"  // for TrainProgress, TrainHooks
#include "kronite/device.hpp"        // for Device

namespace kronite::cli {

/// Says which member and epoch a training has reached, and about how long it will take: as if the
/// best epoch so far of each member were the last better one, and those to come like those begun.
class TrainingLine {
 public:
  /// What a member is called, "network", and its validation score, "accuracy".
  TrainingLine(std::string member, std::string score)
      : member_name_(std::move(member)), score_(std::move(score)) {}

  bool operator()(const csp::TrainProgress& now);

 private:
  std::string text(const csp::TrainProgress& now) const;
  double seconds_left(const csp::TrainProgress& now) const;

  /// Epochs of a member: those it has run, and those it will have run in the end.
  struct Epochs {
    int run = 0, last = 0;
  };

  std::string member_name_, score_;
  StatusLine line_;
  std::map<int, Epochs> begun_;
  int run_ = 0;
  double seconds_ = 0;
};

/// The options that every training takes.
struct TrainingRun {
  std::string templates, config, out, report, exclude, device = "auto";
  bool resume = false;
  int threads = 0, side_by_side = 1;

  /// Before anything is done. @throws Error.
  void check() const;
  TemplateLibrary library() const { return TemplateLibrary::open(templates); }
  /// `side_by_side` times those that --device names, but not more than there are members.
  std::vector<Device> make_devices(int members) const;
  std::vector<std::string> excluded_formulas() const;
  /// Runs `train` with a checkpoint and the line; says how to go on when it is stopped.
  void with_checkpoint(TrainingLine line,
                       const std::function<void(const csp::TrainHooks&)>& train) const;
  void remove_checkpoint() const;
  /// "; figures and tables are in DIR" where there is a report.
  std::string report_note() const;
  csp::TrainRun for_report(const std::vector<Device>& on, const TemplateLibrary& library) const;

 private:
  std::string checkpoint() const { return out + ".checkpoint"; }
  void check_checkpoint() const;
};

void train_metric(const TrainingRun& run);  // csp_train_metric.cpp

}  // namespace kronite::cli
