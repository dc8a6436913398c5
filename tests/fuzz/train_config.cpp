// Settings of trainings: what was read is written so that it reads back as the same settings.
#include "csp/train_config.hpp"

#include "fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite;
  csp::TrainOptions options;
  const bool read = fuzz::accepts(
      [&] { options = csp::parse_train_config(fuzz::as_text(data, size), "input.toml"); });
  if (!read) return 0;
  const bool again = fuzz::accepts([&] {
    const auto written = csp::parse_train_config(csp::to_toml(options), "written.toml");
    fuzz::promise(csp::train_settings(written) == csp::train_settings(options),
                  "what is written reads back as the same settings");
  });
  fuzz::promise(again, "what is written is read", csp::to_toml(options));
  return 0;
}
