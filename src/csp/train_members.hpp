// What the members of a training share while they are trained side by side: the word to the caller
// after each epoch, the checkpoint, and the request to stop.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

#include "base/side_by_side.hpp"     // for Part
#include "csp/train_checkpoint.hpp"  // for TrainCheckpoint
#include "kronite/csp_training.hpp"  // for TrainHooks
#include "learn/epochs.hpp"          // for FittedParameters, FitHooks

namespace kronite::csp {

class TrainMembers {
 public:
  /// `name`: of one member, "network". The others must outlive this.
  TrainMembers(std::string name, int members, const learn::FitOptions& options,
               const TrainHooks& hooks, TrainCheckpoint& checkpoint, std::size_t devices);

  /// The member part.number(): as the checkpoint has it, or what `fit` makes of it with the hooks
  /// that it is given. Called by several threads.
  /// @throws Error as `fit`, naming the member.
  learn::FittedParameters train(
      const Part& part, const std::function<learn::FittedParameters(const learn::FitHooks&)>& fit);

 private:
  bool go_on(int member, const learn::FitState& state);

  const std::string name_;
  const int members_;
  const learn::FitOptions& options_;
  const TrainHooks& hooks_;
  TrainCheckpoint& checkpoint_;
  const int side_by_side_;
  std::mutex guard_;  ///< of what follows, and one call of the caller's function at a time
  bool stopped_ = false;
};

}  // namespace kronite::csp
