// The folder of a run: what was predicted, in files that other programs open.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "io/append_file.hpp"  // for AppendFile
#include "kronite/csp.hpp"     // for Prediction

namespace kronite::csp {

/// What goes into manifest.json beside the results.
struct RunInfo {
  std::string command;  ///< as typed
  std::string device;
  /// Decide the results: a run can be resumed only with the same. With a model, the cut-off has a
  /// value.
  PredictOptions options;
  std::string ranker, library_hash;
  std::string model_hash;  ///< empty when the ranker has no model, and then the cut-off is idle
  /// Input files by name with their content hash.
  std::vector<std::pair<std::string, std::string>> inputs;
};

/// predictions.jsonl grows by one finished query at a time and is synced after each; everything
/// else in the folder can be made from it again. Nothing in the folder is ever deleted.
class RunFolder {
 public:
  /// Makes the folder. One that holds files is refused unless `resume`, and then its settings must
  /// be the same.
  /// @throws Error invalid_argument, io, or unavailable while another run writes there.
  RunFolder(std::string path, RunInfo info, bool resume);

  const std::string& path() const { return path_; }
  bool finished(const std::string& query) const { return finished_.count(query) > 0; }
  std::size_t finished() const { return finished_.size(); }

  /// structures/<formula>/<rank>.cif and .vasp, then the lines of predictions.jsonl.
  void add(const Prediction& prediction);
  /// predictions.csv, candidates.extxyz, index.html when `page`, and last manifest.json.
  void finish(bool page);

 private:
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void require_same_settings() const;
  /// Where the candidates' templates come from.
  struct Origins {
    std::map<std::string, std::int64_t> licences;  ///< candidates of each
    std::set<std::string> sources;
  };
  void write_manifest(const char* state, const Origins& origins) const;

  std::string path_;
  const RunInfo info_;
  std::unordered_set<std::string> finished_;
  std::optional<io::AppendFile> records_;
};

/// Folder of a query below structures/: the formula, cut off and with a hash where it is too long
/// for a file name.
std::string folder_name(const std::string& query);
/// Where add() puts a candidate, relative to the folder: "structures/SrTiO3/1.cif".
std::string structure_file(const std::string& query, int rank, const char* extension);

}  // namespace kronite::csp
