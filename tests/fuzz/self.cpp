// A target that goes wrong in every way, to test the driver.
#include <chrono>
#include <thread>
#include <vector>

#include "fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = kronite::fuzz::as_text(data, size);
  kronite::fuzz::promise(!text.starts_with("break"), "no input begins with break");
  if (text.starts_with("hang")) std::this_thread::sleep_for(std::chrono::minutes(5));
  if (text.starts_with("eat")) {
    const std::vector<char> hundred_mebibytes(100 << 20, 'x');
    kronite::fuzz::promise(hundred_mebibytes.back() == 'x', "memory holds what is put there");
  }
  return 0;
}
