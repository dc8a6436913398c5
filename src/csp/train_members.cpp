// Members of a training, each in a thread.
#include "csp/train_members.hpp"

#include <algorithm>
#include <utility>

#include "base/fail.hpp"  // for fail

namespace kronite::csp {

TrainMembers::TrainMembers(std::string name, int members, const learn::FitOptions& options,
                           const TrainHooks& hooks, TrainCheckpoint& checkpoint,
                           std::size_t devices)
    : name_(std::move(name)),
      members_(members),
      options_(options),
      hooks_(hooks),
      checkpoint_(checkpoint),
      side_by_side_(static_cast<int>(std::min(devices, static_cast<std::size_t>(members)))) {}

/// False once the caller has asked to stop, which is asked no more then.
bool TrainMembers::go_on(int member, const learn::FitState& state) {
  const std::lock_guard lock(guard_);
  const TrainProgress now{member + 1,       members_,          &state.history.back(),
                          state.best_epoch, options_.patience, options_.max_epochs,
                          side_by_side_};
  if (!stopped_ && hooks_.progress) stopped_ = !hooks_.progress(now);
  return !stopped_;
}

learn::FittedParameters TrainMembers::train(
    const Part& part, const std::function<learn::FittedParameters(const learn::FitHooks&)>& fit) {
  const int member = static_cast<int>(part.number());
  if (const auto* finished = checkpoint_.finished(member)) return *finished;
  const auto begun = checkpoint_.current(member);
  learn::FitHooks hooks;
  hooks.resume = begun ? &*begun : nullptr;
  hooks.after_epoch = [&](const learn::FitState& state) {
    const bool more = go_on(member, state) && !part.needless();
    checkpoint_.keep(member, state, !more);
    return more;
  };
  try {
    {
      const std::lock_guard lock(guard_);
      if (stopped_) fail(Errc::cancelled, "training was stopped before its first epoch");
    }
    learn::FittedParameters made = fit(hooks);
    checkpoint_.finish(member, made);
    return made;
  } catch (const Error& e) {
    fail(e.code(), "{} {} of {}: {}", name_, member + 1, members_, e.what());
  }
}

}  // namespace kronite::csp
