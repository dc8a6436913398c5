// What the files of all models of functions share: their kind, kernels, names and card.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/safetensors.hpp"  // for SafetensorsFile, SafetensorsWriter
#include "kronite/krfd.hpp"    // for Kernel, NoiseRule

namespace kronite::krfd {

/// What "format" says in the file of a model of curves at common points, and of one of curves with
/// points of their own.
inline constexpr std::string_view kCommonFormat = "kronite krfd model",
                                  kIrregularFormat = "kronite krfd model of irregular curves";

/// Kind, version and hash.
void begin_model(io::SafetensorsWriter& writer, std::string_view format, int version,
                 const std::string& hash);
std::string kernel_text(const Kernel& kernel);
std::string rule_name(NoiseRule rule);
/// Names of the features, and the card.
void write_names(io::SafetensorsWriter& writer, const std::vector<std::string>& features,
                 const std::vector<std::pair<std::string, std::string>>& card);

/// Reads the texts of a file, or refuses it. @throws Error corrupt, from all.
class ModelTexts {
 public:
  explicit ModelTexts(const io::SafetensorsFile& file) : file_(file) {}

  /// Whether it says to be of this kind.
  bool is(std::string_view format) const;
  /// Refuses another kind, naming it, and versions above the newest that is known.
  void check_format(std::string_view format, int newest) const;
  Kernel kernel(std::string_view key) const;
  NoiseRule rule() const;
  /// One of these.
  std::size_t choice(std::string_view key, const std::vector<std::string>& names) const;
  /// Names of so many features, or none.
  std::vector<std::string> features(std::int64_t count) const;
  std::vector<std::pair<std::string, std::string>> card() const;

 private:
  const io::SafetensorsFile& file_;
};

/// Rows and columns of a tensor, both at least 1.
std::pair<std::int64_t, std::int64_t> matrix_shape(const io::SafetensorsFile& file,
                                                   const char* name);
/// Refuses values that are not finite.
void require_finite(const io::SafetensorsFile& file, const char* name,
                    const std::vector<double>& values);

}  // namespace kronite::krfd
