// kronite csp train --model metric: a learned metric.
#include <fmt/format.h>

#include "cli/terminal.hpp"       // for Table
#include "cli/training_run.hpp"   // for TrainingRun
#include "csp/metric_config.hpp"  // for read_metric_config
#include "csp/metric_report.hpp"  // for write_metric_report
#include "kronite/metric.hpp"     // for train_metric

namespace kronite::cli {
namespace {

/// On the test part, or on the validation part where there is no test part.
void print_table(const csp::MetricResult& result) {
  const bool tested = result.all.test.queries > 0;
  const auto part = tested ? &csp::MetricReport::test : &csp::MetricReport::validation;
  const csp::MetricJudgement& all = result.all.*part;
  if (all.queries == 0) return;
  fmt::print(
      "Of {} {} queries, {} have an alike template. Share with one among the best 1, 5 and 10:\n",
      all.queries, tested ? "test" : "validation", all.answerable);
  Table table({"metric", "top 1", "top 5", "top 10", "loss", "kept epoch", "seconds"});
  const auto row = [&](std::string name, const csp::MetricJudgement& judged, std::string epoch,
                       std::string seconds) {
    table.add({std::move(name), fmt::format("{:.3f}", judged.top1),
               fmt::format("{:.3f}", judged.top5), fmt::format("{:.3f}", judged.top10),
               fmt::format("{:.4f}", judged.loss), std::move(epoch), std::move(seconds)});
  };
  for (std::size_t m = 0; m < result.members.size(); ++m) {
    const csp::MetricReport& member = result.members[m];
    double seconds = 0;
    for (const auto& epoch : member.history) seconds += epoch.seconds;
    row(fmt::format("{}", m + 1), member.*part, fmt::format("{}", member.best_epoch),
        fmt::format("{:.1f}", seconds));
  }
  if (result.members.size() > 1) row("all", all, "-", "-");
  table.print();
}

}  // namespace

void train_metric(const TrainingRun& run) {
  const csp::MetricOptions options = csp::read_metric_config(run.config);
  run.check();
  const TemplateLibrary library = run.library();
  std::vector<Device> on = run.make_devices(options.members);
  csp::MetricResult result;
  run.with_checkpoint({"metric", "top 1"}, [&](const csp::TrainHooks& hooks) {
    result = csp::train_metric(on, library, options, run.excluded_formulas(), hooks);
  });
  csp::write_metric(result.metric, run.out);
  if (!run.report.empty())
    csp::write_metric_report(run.report, options, result, run.for_report(on, library));
  run.remove_checkpoint();
  print_table(result);
  fmt::print("{}: {} metric{}, {} parameters, {} templates, {} pairs an epoch{}\n", run.out,
             result.members.size(), result.members.size() == 1 ? "" : "s",
             result.metric.parameters(), result.training_templates, result.pairs,
             run.report_note());
}

}  // namespace kronite::cli
