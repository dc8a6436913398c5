// What the opaque handles of kronite.h hold.
#pragma once

#include <memory>
#include <optional>

#include "kronite/csp.hpp"     // for Prediction, Ranker
#include "kronite/device.hpp"  // for Device
#include "kronite/kronite.h"
#include "kronite/templates.hpp"  // for TemplateLibrary

struct kronite_device {
  /// Before the device, which gives its memory back when it goes.
  kronite_device_options options;
  std::optional<kronite::Device> device;
};

struct kronite_templates {
  kronite::TemplateLibrary library;
};

/// A classifier or a learned metric.
struct kronite_model {
  std::unique_ptr<kronite::csp::Ranker> ranker;
};

struct kronite_prediction {
  kronite::csp::Prediction prediction;
};
