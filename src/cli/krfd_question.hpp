// What predictions and samples are asked for: a model, systems, points.
#pragma once

#include <string>
#include <vector>

#include "cli/kmd_options.hpp"  // for DeviceOption
#include "io/matrix_table.hpp"  // for MatrixTable
#include "krfd/model_file.hpp"  // for SavedModel

namespace CLI {
class App;
}

namespace kronite::cli {

struct Question {
  krfd::SavedModel saved;
  io::MatrixTable x, t;  ///< t: those of the model where none were given
};

/// --model, --x, --t, --device, --threads.
struct QuestionOptions {
  std::string model, x, t;
  DeviceOption device;

  void add(CLI::App& command);
  /// A t outside the range of the training gives a notice.
  /// @throws Error io; parse; corrupt; invalid_argument for features or coordinates that are not
  /// those of the model.
  Question read() const;
};

}  // namespace kronite::cli
