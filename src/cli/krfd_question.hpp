// What predictions and samples are asked for: a model, systems, points.
#pragma once

#include <string>
#include <vector>

#include "cli/kmd_options.hpp"  // for DeviceOption
#include "io/matrix_table.hpp"  // for MatrixTable
#include "krfd/any_model.hpp"   // for SavedAny

namespace CLI {
class App;
}

namespace kronite::cli {

struct Question {
  krfd::SavedAny saved;
  io::MatrixTable x, t;  ///< t: those of the model, or its grid, where none were given

  krfd::ModelShape shape() const { return krfd::shape_of(saved.model); }
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
