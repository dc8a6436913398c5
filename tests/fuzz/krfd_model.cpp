// Models of functions: one that was read is written so that it reads back the same.
#include "krfd/any_model.hpp"

#include <optional>
#include <string>

#include "fuzz/safetensors_input.hpp"  // for with_right_length
#include "fuzz/target.hpp"
#include "io/input.hpp"  // for read_file

namespace kronite::fuzz {
namespace {

void read_and_write(const std::string& text) {
  std::optional<krfd::SavedAny> model;
  if (!accepts([&] { model = krfd::read_any_model(as_file("input.safetensors", text)); })) return;
  const bool again = accepts([&] {
    const std::string path = as_file("model.safetensors", "");
    krfd::write_any_model(*model, path);
    const std::string first = io::read_file(path);
    const krfd::SavedAny read = krfd::read_any_model(path);
    promise(read.model.index() == model->model.index() && read.features == model->features &&
                read.card == model->card,
            "what is written reads back the same");
    krfd::write_any_model(read, path);
    promise(io::read_file(path) == first, "the same model is written with the same bytes");
  });
  promise(again, "what is read can be written and read again");
}

}  // namespace
}  // namespace kronite::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite::fuzz;
  const std::string_view text = as_text(data, size);
  read_and_write(std::string(text));
  read_and_write(with_right_length(text));
  return 0;
}
