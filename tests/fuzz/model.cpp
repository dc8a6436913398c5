// Models: one that was read is written so that it reads back the same, and can be exported. The
// length of the header is put right first, too, which hardly any change of the header would survive
// otherwise.
#include "kronite/model.hpp"

#include <string>

#include "csp/model_file.hpp"          // for model_in_memory
#include "fuzz/safetensors_input.hpp"  // for with_right_length
#include "fuzz/target.hpp"
#include "io/input.hpp"        // for read_file
#include "io/safetensors.hpp"  // for SafetensorsFile
#include "learn/onnx.hpp"      // for to_onnx

namespace kronite::fuzz {
namespace {

void read_tensors(std::span<const std::byte> bytes) {
  accepts([&] {
    const io::SafetensorsFile file(bytes, "input");
    for (const auto& entry : file.tensors()) {
      promise(file.find(entry.name) == &entry, "a tensor is found by its name");
      accepts([&] { file.values<float>(entry); });
    }
  });
}

void read_and_write(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  read_tensors(bytes);
  csp::Model model;
  if (!accepts([&] { model = csp::model_in_memory(bytes, "input"); })) return;
  accepts([&] { learn::to_onnx(model.ensemble, model.std, model.card); });
  const bool again = accepts([&] {
    const std::string path = as_file("model.safetensors", "");
    csp::write_model(model, path);
    const std::string first = io::read_file(path);
    const csp::Model read = csp::read_model(path);
    promise(read.hash() == model.hash() && read.card == model.card && read.tau == model.tau,
            "what is written reads back the same");
    csp::write_model(read, path);
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
