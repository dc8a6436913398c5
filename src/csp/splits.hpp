// Training, validation and test: which templates of a library go where.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "kronite/csp_training.hpp"  // for PairOptions
#include "math/random.hpp"           // for Random

namespace kronite::csp {

inline constexpr int kParts = 3;
/// Templates of each part, ascending.
using Split = std::array<std::vector<std::int32_t>, kParts>;
/// Templates of each ratio label, ascending; as TemplateLibrary::ratios(). Labels may be empty.
using Labels = std::vector<std::vector<std::int32_t>>;

/// @throws Error invalid_argument when the library cannot be learned from, or the split of
/// `options` makes no sense.
void check_split(const TemplateLibrary& library, const PairOptions& options);
/// Templates that take part: whose formula is not excluded, with all elements in the embedded
/// table.
/// @throws Error parse for a formula that cannot be read.
Labels labels_of(const TemplateLibrary& library, const std::vector<std::string>& excluded_formulas);

/// What a random number is drawn for. Each purpose, label and part has a stream of its own: a label
/// is split and drawn from in the same way whatever becomes of the others.
enum class Purpose : std::uint64_t { split = 1, templates = 2, alike = 3, unlike = 4 };
math::Random random_for(const PairOptions& options, Purpose purpose, std::size_t label, int part);

/// The part of each group, for groups of `sizes` members that stay together. In random order,
/// larger ones first, each group goes to a part with room for it, drawn with a probability in
/// proportion to the room left; where none has room, to the part that has most left, drawn among
/// equals. Groups of one come out as a random permutation cut in three, to less than one member.
std::vector<int> place_groups(const std::vector<std::int64_t>& sizes,
                              const std::array<double, kParts>& parts, math::Random& random);

/// As PairOptions say. Groups are the templates of one formula or of one structure type.
Split split_templates(Device& device, const TemplateLibrary& library, const Labels& labels,
                      const PairOptions& options);

}  // namespace kronite::csp
