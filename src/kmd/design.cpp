// The door: checks, the search, and what cannot be.
#include <cmath>
#include <utility>

#include "base/fail.hpp"          // for fail
#include "kmd/design_search.hpp"  // for search_supports, search_formulas
#include "kronite/kmd_design.hpp"

namespace kronite::kmd {

struct Designer::State {
  explicit State(const Descriptor& descriptor)
      : components(descriptor.components()), geometry(descriptor) {}

  Components components;
  DesignGeometry geometry;
};

Designer::Designer(const Descriptor& descriptor) : state_(std::make_unique<State>(descriptor)) {}
Designer::~Designer() = default;
Designer::Designer(Designer&&) noexcept = default;
Designer& Designer::operator=(Designer&&) noexcept = default;

Design Designer::design(VectorView<const double> phi, const Constraints& constraints,
                        const DesignOptions& options) const {
  const DesignGeometry& geometry = state_->geometry;
  if (phi.size != geometry.width)
    fail(Errc::invalid_argument, "the target has {} values, descriptors have {}", phi.size,
         geometry.width);
  for (std::int64_t k = 0; k < phi.size; ++k)
    if (!std::isfinite(phi.data[k]))
      fail(Errc::invalid_argument, "value {} of the target is not finite", k + 1);
  const DesignSpace space = design_space(state_->components, constraints, options);
  const DesignTarget target(geometry, phi);
  Design design =
      (options.atoms > 0 ? search_formulas : search_supports)(geometry, target, space, options)
          ->run();
  if (design.proposals.empty() && design.complete)
    fail(Errc::invalid_argument,
         "no {} of at most {} components satisfies all constraints together{}",
         options.atoms > 0 ? fmt::format("formula of at most {} atoms", options.atoms) : "mixture",
         space.most, space.neutral ? ": bounds, what is required, and neutrality" : "");
  return design;
}

}  // namespace kronite::kmd
