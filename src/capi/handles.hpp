// What the opaque handles of kronite.h hold.
#pragma once

#include <optional>

#include "kronite/csp.hpp"     // for Prediction
#include "kronite/device.hpp"  // for Device
#include "kronite/kronite.h"
#include "kronite/model.hpp"      // for Classifier
#include "kronite/templates.hpp"  // for TemplateLibrary

struct kronite_device {
  /// Before the device, which gives its memory back when it goes.
  kronite_device_options options;
  std::optional<kronite::Device> device;
};

struct kronite_templates {
  kronite::TemplateLibrary library;
};

struct kronite_model {
  kronite::csp::Classifier classifier;
};

struct kronite_prediction {
  kronite::csp::Prediction prediction;
};
