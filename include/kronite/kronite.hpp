// Everything at once.
#pragma once

#include "kronite/array.hpp"
#include "kronite/composition.hpp"
#include "kronite/csp.hpp"
#include "kronite/device.hpp"
#include "kronite/error.hpp"
#include "kronite/fingerprint.hpp"
#include "kronite/io.hpp"
#include "kronite/log.hpp"
#include "kronite/network.hpp"
#include "kronite/structure.hpp"
#include "kronite/templates.hpp"
#include "kronite/version.hpp"
#include "kronite/view.hpp"
