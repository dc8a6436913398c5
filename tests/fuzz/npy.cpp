// .npy files: a matrix that was read is written so that it reads back with the same bits.
#include <cstring>

#include "fuzz/target.hpp"
#include "kronite/io.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kronite;
  const std::string path = fuzz::as_file("input.npy", fuzz::as_text(data, size));
  NpyMatrix matrix;
  if (!fuzz::accepts([&] { matrix = read_npy(path); })) return 0;
  fuzz::promise(static_cast<std::size_t>(matrix.rows * matrix.cols) == matrix.values.size(),
                "a matrix has rows times columns values");
  if (matrix.values.empty()) return 0;
  const bool again = fuzz::accepts([&] {
    write_npy(path, {matrix.values.data(), matrix.rows, matrix.cols});
    const NpyMatrix written = read_npy(path);
    fuzz::promise(written.rows == matrix.rows && written.cols == matrix.cols &&
                      std::memcmp(written.values.data(), matrix.values.data(),
                                  matrix.values.size() * sizeof(double)) == 0,
                  "what is written reads back with the same bits");
  });
  fuzz::promise(again, "what is written is read");
  return 0;
}
