// Lists from a split and the close pairs of each label.
#include "csp/metric_data.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/fail.hpp"        // for fail
#include "csp/close_pairs.hpp"  // for fingerprint_classes, close_lists
#include "csp/splits.hpp"       // for split_templates, labels_of, check_split

namespace kronite::csp {
namespace {

using learn::ListGroup;

/// The members of one label, and where each went.
class Label {
 public:
  Label(Device& device, const TemplateLibrary& library, TemplateRange range, const Split& split,
        double tau) {
    for (std::size_t part = 0; part < kParts; ++part) {
      const auto begin = std::lower_bound(split[part].begin(), split[part].end(), range.begin);
      const auto end = std::lower_bound(begin, split[part].end(), range.end);
      first_[part] = std::ssize(members_);
      members_.insert(members_.end(), begin, end);
    }
    first_[kParts] = std::ssize(members_);
    FingerprintClasses classes = fingerprint_classes(library, members_);
    alike_ = close_lists(device, library, classes, tau);
    class_ = std::move(classes.of);
    for (std::int32_t i = 0; i < std::ssize(members_); ++i)
      by_formula_[library.info(members_[static_cast<std::size_t>(i)]).formula].push_back(i);
    for (const std::int32_t member : members_) formula_.push_back(library.info(member).formula);
  }

  std::int64_t size(std::size_t part) const { return first_[part + 1] - first_[part]; }

  ListGroup group(std::size_t part) const {
    ListGroup group;
    group.candidates = of(0, members_);
    group.candidate_class = of(0, class_);
    group.queries = of(part, members_);
    group.query_class = of(part, class_);
    group.alike = alike_;
    for (std::int64_t i = first_[part]; i < first_[part + 1]; ++i)
      group.left_out.push_back(same_formula(static_cast<std::size_t>(i)));
    return group;
  }

 private:
  /// Those of the members in a part.
  std::vector<std::int32_t> of(std::size_t part, const std::vector<std::int32_t>& values) const {
    return {values.begin() + first_[part], values.begin() + first_[part + 1]};
  }

  /// The candidates, which are the first members, of the formula of a member.
  std::vector<std::int32_t> same_formula(std::size_t member) const {
    const auto& same = by_formula_.at(formula_[member]);
    return {same.begin(), std::lower_bound(same.begin(), same.end(), first_[1])};
  }

  std::vector<std::int32_t> members_;  // training, validation, test
  std::vector<std::int32_t> class_;    // of each member
  std::int64_t first_[kParts + 1] = {};
  CloseLists alike_;
  std::vector<std::string_view> formula_;
  std::unordered_map<std::string_view, std::vector<std::int32_t>> by_formula_;  // members
};

}  // namespace

std::int64_t MetricData::templates() const {
  std::int64_t count = 0;
  for (const ListGroup& group : training) count += std::ssize(group.candidates);
  return count;
}

std::int64_t MetricData::pairs() const {
  std::int64_t count = 0;
  for (const ListGroup& group : training)
    count += std::ssize(group.queries) * (std::ssize(group.candidates) - 1);
  return count;
}

MetricData make_lists(Device& device, const TemplateLibrary& library, const PairOptions& options,
                      const std::vector<std::string>& excluded_formulas) {
  if (!(options.tau > 0 && std::isfinite(options.tau)))
    fail(Errc::invalid_argument, "tau is {}, expected a dissimilarity above 0", options.tau);
  check_split(library, options);
  const Split split =
      split_templates(device, library, labels_of(library, excluded_formulas), options);
  MetricData data;
  bool any_alike = false;
  for (const std::string& ratio : library.ratios()) {
    const Label label(device, library, library.with_ratio(ratio), split, options.tau);
    if (label.size(0) > 0) data.training.push_back(label.group(0));
    if (label.size(0) > 0) any_alike = any_alike || data.training.back().any_alike();
    if (label.size(1) > 0) data.validation.push_back(label.group(1));
    if (label.size(2) > 0) data.test.push_back(label.group(2));
  }
  if (!any_alike)
    fail(Errc::invalid_argument,
         "no two of the {} training templates that share a ratio label, but not a formula, have a "
         "dissimilarity of at most {}",
         data.templates(), options.tau);
  return data;
}

}  // namespace kronite::csp
