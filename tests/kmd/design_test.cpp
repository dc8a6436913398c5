// Designs among the elements, as a chemist asks for them; searches there are tested against
// enumeration in design_search_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kmd/materials.hpp"  // for expect_error, random_components
#include "kronite/composition.hpp"
#include "kronite/kmd.hpp"
#include "kronite/kmd_design.hpp"
#include "kronite/kmd_search.hpp"

namespace kronite::kmd {
namespace {

const Descriptor& elements() {
  static const Descriptor made = [] {
    Settings settings;
    settings.n_grids = 10;
    return Descriptor(Components::of(ElementTable::embedded()), settings);
  }();
  return made;
}

std::vector<double> descriptors_of(const std::vector<std::string>& formulas) {
  std::vector<Composition> compositions;
  for (const auto& formula : formulas) compositions.push_back(Composition::parse(formula));
  const Weights weights = weights_of(compositions, elements().components());
  std::vector<double> values(static_cast<std::size_t>(weights.rows() * elements().width()));
  Device device = Device::cpu();
  elements().transform(device, weights, {values.data(), weights.rows(), elements().width()});
  return values;
}

Design design(const std::string& target, const Constraints& constraints,
              const DesignOptions& options) {
  const std::vector<double> phi = descriptors_of({target});
  return Designer(elements()).design({phi.data(), std::ssize(phi)}, constraints, options);
}

std::string formula_of(const Proposal& proposal) {
  std::vector<ElementAmount> parts;
  for (const auto& part : proposal.parts)
    parts.push_back({part.component + 1, static_cast<double>(part.amount)});
  return Composition(std::move(parts)).reduced_formula();
}

/// Calcium, oxygen and three elements of the valence of titanium.
Constraints without_titanium() {
  Constraints c;
  c.allowed = {"Ca", "Zr", "Hf", "Sn", "O"};
  c.required = {"Ca"};
  c.most_components = 3;
  c.neutral = true;
  c.states = {{"Ca", {2}}, {"Zr", {4}}, {"Hf", {4}}, {"Sn", {2, 4}}, {"O", {-2}}};
  return c;
}

TEST(Design, PutsTheOtherTitanatesOfGroupFourFirst) {
  DesignOptions options;
  options.atoms = 5;
  options.top = 3;

  const Design found = design("CaTiO3", without_titanium(), options);

  ASSERT_EQ(found.proposals.size(), 3U);
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(formula_of(found.proposals[0]), "CaZrO3");
  EXPECT_EQ(formula_of(found.proposals[1]), "CaHfO3");
  EXPECT_EQ(formula_of(found.proposals[2]), "CaSnO3");
  for (const auto& part : found.proposals[2].parts)
    EXPECT_EQ(part.state, part.component + 1 == 8 ? -2 : part.component + 1 == 20 ? 2 : 4);
}

TEST(Design, DistancesAreThoseOfDescriptors) {
  DesignOptions options;
  options.atoms = 5;
  const Design found = design("CaTiO3", without_titanium(), options);
  const std::vector<double> target = descriptors_of({"CaTiO3"});
  for (const Proposal& proposal : found.proposals) {
    const std::vector<double> phi = descriptors_of({formula_of(proposal)});
    double squared = 0;
    for (std::size_t k = 0; k < phi.size(); ++k)
      squared += (phi[k] - target[k]) * (phi[k] - target[k]);
    // The factor of HH' stands for H: its condition is 8e3.
    EXPECT_NEAR(proposal.distance, std::sqrt(squared), 1e-9) << formula_of(proposal);
  }
}

TEST(Design, AnyNumbersComeAsCloseAsIntegersOrCloser) {
  DesignOptions options;
  options.top = 1;
  const Design any = design("CaTiO3", without_titanium(), options);
  double last = std::numeric_limits<double>::infinity();
  for (const int atoms : {5, 10, 20}) {
    options.atoms = atoms;

    const Design integers = design("CaTiO3", without_titanium(), options);

    EXPECT_LE(integers.proposals[0].distance, last);
    EXPECT_GE(integers.proposals[0].distance, any.proposals[0].distance - 1e-9);
    EXPECT_GE(any.proposals[0].distance, any.relaxed - 1e-9);
    last = integers.proposals[0].distance;
  }
}

TEST(Design, GivesTheTargetBackWhereItIsAllowed) {
  for (const std::string target : {"CaTiO3", "LiFePO4", "YBa2Cu3O7", "Al2O3"}) {
    SCOPED_TRACE(target);
    DesignOptions options;
    options.atoms = 13;
    options.top = 1;
    Constraints c;
    c.most_components = 4;

    const Design found = design(target, c, options);

    EXPECT_EQ(formula_of(found.proposals[0]), Composition::parse(target).reduced_formula());
    EXPECT_LT(found.proposals[0].distance, 1e-9);
    EXPECT_TRUE(found.complete);
  }
}

TEST(Design, SaysWhenTheConstraintsLeaveNothingTogether) {
  Constraints c = without_titanium();
  c.required = {"Zr", "O"};
  c.forbidden = {"Ca"};
  DesignOptions options;
  options.atoms = 2;  // ZrO2 takes three
  test::expect_error(Errc::invalid_argument, {"no formula of at most 2 atoms", "neutrality"},
                     [&] { design("CaTiO3", c, options); });
  options.atoms = 3;
  EXPECT_EQ(formula_of(design("CaTiO3", c, options).proposals.at(0)), "ZrO2");
}

TEST(Design, RefusesTargetsThatAreNoDescriptors) {
  const Designer designer(elements());
  std::vector<double> phi = descriptors_of({"CaTiO3"});
  test::expect_error(Errc::invalid_argument, {"12 values", "580"}, [&] {
    designer.design({phi.data(), 12}, {});
  });
  phi[3] = std::nan("");
  test::expect_error(Errc::invalid_argument, {"value 4", "not finite"}, [&] {
    designer.design({phi.data(), std::ssize(phi)}, {});
  });
}

TEST(Design, RefusesDescriptorsThatDoNotTellMixturesApart) {
  Settings settings;
  settings.n_grids = 2;
  const Descriptor flat(test::random_components(8, 2), settings);
  ASSERT_FALSE(flat.invertible());
  test::expect_error(Errc::unavailable, {"rank of H is 4", "8 components"},
                     [&] { Designer designer(flat); });
}

TEST(OxidationStates, AreTheCommonOnes) {
  EXPECT_EQ(common_oxidation_states(26), (std::vector<int>{2, 3}));
  EXPECT_EQ(common_oxidation_states(8), (std::vector<int>{-2}));
  EXPECT_EQ(common_oxidation_states(1), (std::vector<int>{-1, 1}));
  EXPECT_EQ(common_oxidation_states(94), (std::vector<int>{4}));
  for (const int z : {-1, 0, 2, 95, 118, 119, 1000}) {
    EXPECT_TRUE(common_oxidation_states(z).empty()) << z;
  }
}

TEST(DistanceCoordinates, HaveTheDistancesOfDescriptors) {
  const std::vector<std::string> formulas{"SrTiO3", "CaTiO3", "Fe2O3", "Ho",
                                          "Er",     "H2O",    "Si2O4", "SiO2"};
  std::vector<Composition> compositions;
  for (const auto& formula : formulas) compositions.push_back(Composition::parse(formula));
  const Weights weights = weights_of(compositions, elements().components());
  const std::vector<double> phi = descriptors_of(formulas);

  const std::vector<double> rows = distance_coordinates(elements(), weights);

  const auto distance = [&](const std::vector<double>& values, std::size_t i, std::size_t j) {
    const std::size_t width = values.size() / formulas.size();
    double sum = 0;
    for (std::size_t k = 0; k < width; ++k)
      sum += std::pow(values[i * width + k] - values[j * width + k], 2);
    return std::sqrt(sum);
  };
  ASSERT_EQ(rows.size(), formulas.size() * 94);
  for (std::size_t i = 0; i < formulas.size(); ++i)
    for (std::size_t j = 0; j < formulas.size(); ++j)
      EXPECT_NEAR(distance(rows, i, j), distance(phi, i, j), 1e-11)
          << formulas[i] << " " << formulas[j];
}

}  // namespace
}  // namespace kronite::kmd
