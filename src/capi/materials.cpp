// Compositions and template libraries behind the C interface.
#include <vector>

#include "capi/formula.hpp"         // for parse_formula
#include "capi/guard.hpp"           // for guarded, put_text
#include "capi/handles.hpp"         // for kronite_templates
#include "kronite/composition.hpp"  // for Composition, ElementTable, describe

using kronite::Composition;
using kronite::ElementTable;
using kronite::Errc;
using kronite::fail;
using kronite::TemplateLibrary;
using namespace kronite::capi;

namespace {

std::size_t descriptor_length() { return 5 * ElementTable::embedded().features().size(); }

}  // namespace

int kronite_reduced_formula(const char* formula, char* text, size_t capacity, size_t* needed) {
  return guarded(
      [&] { put_text(parse_formula(formula).reduced_formula(), text, capacity, needed); });
}

int kronite_ratio_label(const char* formula, char* text, size_t capacity, size_t* needed) {
  return guarded([&] { put_text(parse_formula(formula).ratio_label(), text, capacity, needed); });
}

int kronite_descriptor_length(size_t* length) {
  return guarded([&] { given(length, "length") = descriptor_length(); });
}

int kronite_descriptor_name(size_t index, char* text, size_t capacity, size_t* needed) {
  return guarded([&] {
    const auto names = kronite::descriptor_names(ElementTable::embedded());
    if (index >= names.size())
      fail(Errc::invalid_argument, "there is no descriptor value number {}; there are {}", index,
           names.size());
    put_text(names[index], text, capacity, needed);
  });
}

int kronite_describe(const char* const* formulas, size_t count, double* values,
                     size_t value_count) {
  return guarded([&] {
    const std::size_t length = descriptor_length();
    given_array(formulas, count == 0, "formulas");
    given_array(values, count == 0, "values");
    if (value_count % length != 0 || value_count / length != count)
      fail(Errc::invalid_argument,
           "value_count is {}, but {} formulas of {} values each are asked for", value_count, count,
           length);
    std::vector<Composition> compositions;
    compositions.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      compositions.push_back(parse_formula(formulas[i]).reduced());
    kronite::describe(
        compositions, ElementTable::embedded(),
        {values, static_cast<std::int64_t>(count), static_cast<std::int64_t>(length)});
  });
}

int kronite_templates_open(const char* path, kronite_templates** templates) {
  return guarded([&] {
    given(templates, "templates");
    *templates =
        new kronite_templates{path ? TemplateLibrary::open(path) : TemplateLibrary::embedded()};
  });
}

void kronite_templates_close(kronite_templates* templates) { delete templates; }

int kronite_templates_size(const kronite_templates* templates, int64_t* size) {
  return guarded([&] { given(size, "size") = given(templates, "templates").library.size(); });
}
