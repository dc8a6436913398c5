// Learned metrics: one that was read is written so that it reads back the same.
#include "kronite/metric.hpp"

#include <string>

#include "fuzz/safetensors_input.hpp"  // for with_right_length
#include "fuzz/target.hpp"
#include "io/input.hpp"  // for read_file

namespace kronite::fuzz {
namespace {

void read_and_write(const std::string& text) {
  csp::Metric metric;
  if (!accepts([&] { metric = csp::read_metric(as_file("input.safetensors", text)); })) return;
  const bool again = accepts([&] {
    const std::string path = as_file("metric.safetensors", "");
    csp::write_metric(metric, path);
    const std::string first = io::read_file(path);
    const csp::Metric read = csp::read_metric(path);
    promise(read.hash() == metric.hash() && read.card == metric.card,
            "what is written reads back the same");
    csp::write_metric(read, path);
    promise(io::read_file(path) == first, "the same metric is written with the same bytes");
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
