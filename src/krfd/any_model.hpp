// Fitted models of functions of all kinds behind one face: what commands ask of them, and files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kronite/krfd.hpp"   // for Model, SampleOptions
#include "kronite/krsfd.hpp"  // for IrregularModel, KrsfdModel

namespace kronite::krfd {

using AnyModel = std::variant<Model, IrregularModel, KrsfdModel>;

struct ModelShape {
  std::int64_t systems = 0, features = 0, coordinates = 0;
  std::int64_t values = 0;             ///< that were learned from
  const std::vector<double>* learned;  ///< the t of these, one after the other
  const std::vector<double>* points;   ///< common points, or the grid
  double sigma2 = 0;
  double work = 0;  ///< operations of bands, about
};
/// Points into the model.
ModelShape shape_of(const AnyModel& model);

struct Ask {
  bool noise = false;
  bool complete = true;  ///< as PosteriorOptions; KRSFD has no such bands
};
struct MeanAndStd {
  std::vector<double> mean, std;
};
/// N* x T*. @throws Error as the models.
std::vector<double> mean_of(Device& device, const AnyModel& model, MatrixView<const double> x,
                            MatrixView<const double> t);
/// @throws Error as the models.
MeanAndStd band_of(Device& device, const AnyModel& model, MatrixView<const double> x,
                   MatrixView<const double> t, Ask ask);
/// At points on the curves of the rows of x, in the order of the points; std is empty unless
/// `bands`.
MeanAndStd at_points(Device& device, const AnyModel& model, MatrixView<const double> x,
                     const CurvePoints& points, bool bands, Ask ask);
/// count x N* x T*. Completed draws (SampleOptions) are those of models of common points only.
std::vector<double> draws_of(Device& device, const AnyModel& model, MatrixView<const double> x,
                             MatrixView<const double> t, const SampleOptions& options);

struct SavedAny {
  AnyModel model;
  std::vector<std::string> features;                      ///< as in SavedModel
  std::vector<std::pair<std::string, std::string>> card;  ///< as in SavedModel
};
/// The same model gives the same bytes. @throws Error io; invalid_argument as write_model().
void write_any_model(const SavedAny& saved, const std::string& path);
/// @throws Error io; corrupt, naming what is wrong.
SavedAny read_any_model(const std::string& path);

}  // namespace kronite::krfd
