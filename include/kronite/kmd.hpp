// Kernel mean descriptors of mixtures, and their exact inverse (M. Kusaba et al., Phys. Rev. B 108
// (2023) 134107).
//
// A mixture has components (elements of a compound, fragments of a polymer) with weights w, w >= 0,
// sum w = 1. Every component has a row of the kernel matrix H; the descriptor is phi = H'w, the
// kernel mean on a grid. Where H has full row rank, phi determines w.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kronite/composition.hpp"  // for Composition, ElementTable
#include "kronite/device.hpp"       // for Device
#include "kronite/kernel.hpp"       // for KernelKind
#include "kronite/view.hpp"         // for MatrixView

namespace kronite::kmd {

/// What mixtures are made of: n components with K features each.
struct Components {
  std::vector<std::string> names;     ///< n, none twice
  std::vector<std::string> features;  ///< K, none twice
  std::vector<double> values;         ///< n x K, row-major, finite

  std::int64_t size() const { return static_cast<std::int64_t>(names.size()); }
  /// @throws Error invalid_argument when the parts do not fit, a name is there twice or a value is
  /// not finite.
  void check() const;
  /// 16 hexadecimal digits that name the content.
  std::string hash() const;

  /// The elements of a table, by atomic number.
  static Components of(const ElementTable& table);
  /// A CSV with a header `,feature,...` and a row `name,value,...` per component, in any order.
  /// @throws Error io; parse, naming file, line and column.
  static Components read_csv(const std::string& path);
};

/// Mixtures, row by row: those components that have a weight above 0, ascending. Host memory.
struct Weights {
  std::int64_t components = 0;          ///< that there are
  std::vector<std::int64_t> first{0};   ///< rows + 1: where a row begins in the two below
  std::vector<std::int32_t> component;  ///< index
  std::vector<double> weight;           ///< > 0, a row adds up to 1

  std::int64_t rows() const { return static_cast<std::int64_t>(first.size()) - 1; }
  /// @throws Error invalid_argument, naming the row (from 0): weights that are not above 0, do not
  /// add up to 1 within 1e-9, or components that are not there or not ascending.
  void check() const;
};

/// What to do with elements that the components do not have.
enum class Unknown {
  refuse,       ///< throw
  skip,         ///< leave the composition out
  renormalise,  ///< leave the element out; the rest adds up to 1 again
};

/// Atomic fractions of compositions. Components are named by element symbols. `kept`, if given,
/// gets the index of the composition of each row.
/// @throws Error invalid_argument, naming formula and element, also where nothing is left of a
/// composition.
Weights weights_of(const std::vector<Composition>& compositions, const Components& components,
                   Unknown unknown = Unknown::refuse, std::vector<std::int64_t>* kept = nullptr);

/// How H is laid out.
enum class Layout {
  grid,   ///< the paper's "1d": each feature has a grid of its own; H is n x (K n_grids)
  joint,  ///< its "md": the components themselves are the grid; H is n x n
};
enum class Scaling {
  automatic,  ///< min_max for Layout::grid, z_score for Layout::joint
  none,
  min_max,  ///< each feature to [0, 1] over the components
  z_score,  ///< each feature to mean 0 and standard deviation 1 (ddof 1) over the components
};

struct Settings {
  Layout layout = Layout::grid;
  KernelKind kernel = KernelKind::gaussian;
  Scaling scaling = Scaling::automatic;
  /// Points of each feature's grid, equidistant from its least to its largest value, >= 2; 0: the
  /// fewest with rank(H) = n and cond(H H') <= most_condition. Layout::joint has none: 0.
  std::int64_t n_grids = 0;
  double most_condition = 1e5;
  /// Length scale in scaled units; 0: chosen. Layout::grid: such that exp(-(d / step)^2) is the
  /// Gaussian, step that of the feature's grid, and exp(-d / step) the Laplacian; the Matérn
  /// functions take s = step. Layout::joint: the same with the square root of the median over
  /// components of the squared distance to the nearest other one (1-norm for the Laplacian) as
  /// step.
  double sigma = 0;
};

/// How far the inverse can be trusted.
struct Condition {
  std::int64_t rank = 0;  ///< of H: singular values above n eps times the largest
  double of_h = 0;        ///< largest over smallest singular value of H
  double of_p = 0;        ///< of P = H H'
};

/// Components, settings, and H. Made once, used for any number of mixtures, also from several
/// threads with a device each.
class Descriptor {
 public:
  /// @throws Error invalid_argument when there are fewer than two components, a feature is constant
  /// over them or two features are equal (naming them), settings make no sense, no n_grids up to 64
  /// does what most_condition asks (naming two components that are equal, if any are), or
  /// (Layout::joint) so many components are equal that there is no length scale, naming two.
  Descriptor(Components components, const Settings& settings = {});

  const Components& components() const { return components_; }
  /// As given, but n_grids, scaling and sigma as chosen (sigma stays 0 where each grid has its
  /// own).
  const Settings& settings() const { return settings_; }
  std::int64_t width() const { return width_; }  ///< values of a descriptor
  /// "atomic_number@0.111": feature and grid point in the feature's own unit; for Layout::joint the
  /// component's name.
  std::vector<std::string> names() const;
  /// n x width, row-major, host.
  MatrixView<const double> h() const { return {h_.data(), components_.size(), width_}; }
  const Condition& condition() const { return condition_; }
  bool invertible() const { return condition_.rank == components_.size(); }
  /// 16 hexadecimal digits that name components and settings: descriptors of one hash mean the
  /// same.
  const std::string& hash() const { return hash_; }

  /// out = W H, row by row: rows x width, host memory. In tiles; returns when out is there.
  /// @throws Error invalid_argument when shapes or components do not fit.
  void transform(Device& device, const Weights& weights, MatrixView<double> out) const;
  /// On several devices, which share the rows.
  void transform(std::vector<Device>& devices, const Weights& weights,
                 MatrixView<double> out) const;

 private:
  Components components_;
  Settings settings_;
  std::int64_t width_ = 0;
  std::vector<double> h_;
  Condition condition_;
  std::string hash_;
};

// --- the inverse --------------------------------------------------------------------------------

struct InverseOptions {
  /// A row is on the manifold of mixtures when its residual is at most this times |phi|.
  double on_manifold = 1e-9;
  /// As the original program does it: absolute values, rounded to 12 decimals, divided by their
  /// sum.
  bool compat = false;
};

/// Of one row.
struct Inverse {
  double residual = 0;  ///< |phi - H'w|
  double kkt = 0;  ///< largest violation of the optimality conditions over the largest |(H phi)_j|
  bool on_manifold = false;  ///< whether phi is the descriptor of a mixture
  int steps = 0;             ///< of the active set
};
struct Inverted {
  Weights weights;
  std::vector<Inverse> rows;
};

/// min |phi - H'w| subject to w >= 0, sum w = 1, exactly but for rounding. H is factored once; its
/// solution without signs is the guess from which a primal-dual active set starts on P = H H'.
/// After steps that do not improve, single swaps take over, which end.
class Inverter {
 public:
  /// Keeps what it needs of `descriptor`. `device` must outlive the inverter but may be moved.
  /// @throws Error unavailable when H is not invertible or has a condition above 1e7, saying what
  /// would help: an n_grids, a smaller sigma, or which components are equal.
  Inverter(Device& device, const Descriptor& descriptor);
  /// On several devices, which share the rows of a call.
  Inverter(std::vector<Device>& devices, const Descriptor& descriptor);
  ~Inverter();
  Inverter(Inverter&&) noexcept;
  Inverter& operator=(Inverter&&) noexcept;

  /// All rows in one call; phi: rows x width, host. The same bits for any number of threads.
  /// @throws Error invalid_argument for another width or a value that is not finite, naming the
  /// row; numerical, naming a row whose active set did not end.
  Inverted invert(MatrixView<const double> phi, const InverseOptions& options = {}) const;

 private:
  struct State;
  std::vector<std::unique_ptr<State>> states_;  ///< one of each device
};

// --- other descriptors --------------------------------------------------------------------------

/// Weighted mean, weighted variance, maximum and minimum of each feature over the components of a
/// mixture, in blocks of K: the paper's summary statistics. `sum` adds the weighted sum as a fifth
/// block, for tables that expect one: weights add up to 1, so it is the mean once more.
/// out: rows x 4 K (5 K), host.
/// @throws Error invalid_argument when shapes or components do not fit.
void summary_statistics(const Weights& weights, const Components& components, bool sum,
                        MatrixView<double> out);
/// "mean:atomic_number" ... "min:...", and "sum:..." last.
std::vector<std::string> summary_names(const Components& components, bool sum);

}  // namespace kronite::kmd
