// Atoms, bonds and cell edges as painter's-algorithm pieces, written out as SVG.
#include "materials/drawing.hpp"

#include <fmt/format.h>  // for format_to

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <vector>

#include "io/escape.hpp"                 // for escape_markup
#include "materials/element_colour.hpp"  // for element_colour
#include "materials/lattice.hpp"         // for dot, cross, norm, wrap

namespace kronite {
namespace {

constexpr double kOnBoundary = 0.01;  // fractional distance at which an atom counts as on a face
constexpr double kMargin = 6;         // pixels around the picture
constexpr double kLegendHeight = 26;  // pixels
constexpr double kLongCell = 2.0;     // length over the next one from which a cell lies down
constexpr double kYaw = 0.40;         // radians about the vertical
constexpr double kPitch = 0.22;       // radians downwards
constexpr double kViewDistance = 7;   // in radii of the cell
constexpr double kBondReach = 1.2;    // of the nearest-neighbour distance
constexpr int kMostBonds = 8;         // more neighbours than this is a packing, not bonding
constexpr int kEdgePieces = 24;       // per cell edge, for the order of depth
constexpr std::size_t kMostSitesWithBonds = 300;  // beyond, bonds hide more than they show

Vector3 plus(const Vector3& a, double s, const Vector3& b) {
  return {a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]};
}
Vector3 unit(const Vector3& a) { return plus({}, 1 / norm(a), a); }
double distance(const Vector3& a, const Vector3& b) { return norm(plus(a, -1, b)); }

/// Å; between a ball-and-stick and a space-filling model.
double drawn_radius(int z) {
  const ElementTable& table = ElementTable::embedded();
  static const auto column = static_cast<std::size_t>(
      std::find(table.features().begin(), table.features().end(), "covalent_radius_cordero") -
      table.features().begin());
  const double covalent = table.has(z) ? table.row(z)[column] / 100 : 1.7;  // the table is in pm
  return 0.18 + 0.34 * covalent;
}

struct Atom {
  std::size_t site;
  Vector3 at;  // Å
};

/// The sites of one cell, those on its boundary repeated on every side they lie on.
std::vector<Atom> atoms_in_cell(const Structure& structure) {
  std::vector<Atom> atoms;
  for (std::size_t i = 0; i < structure.size(); ++i) {
    std::array<std::vector<double>, 3> places;
    for (std::size_t k = 0; k < 3; ++k) {
      double f = wrap(structure.fractional[i][k]);
      if (f > 1 - kOnBoundary) f -= 1;
      places[k].push_back(f);
      if (f < kOnBoundary) places[k].push_back(f + 1);
    }
    for (const double x : places[0])
      for (const double y : places[1])
        for (const double z : places[2])
          atoms.push_back({i, cartesian(structure.lattice, {x, y, z})});
  }
  return atoms;
}

/// Per site the distance to its nearest neighbour in the crystal, and how many are about as near.
struct Neighbours {
  std::vector<double> nearest;
  std::vector<int> count;
};

Neighbours nearest_neighbours(const Structure& structure) {
  const std::size_t n = structure.size();
  Neighbours found{std::vector<double>(n, std::numeric_limits<double>::infinity()),
                   std::vector<int>(n, 0)};
  std::vector<Vector3> at, images;
  for (const auto& f : structure.fractional) at.push_back(cartesian(structure.lattice, f));
  for (int a = -1; a <= 1; ++a)
    for (int b = -1; b <= 1; ++b)
      for (int c = -1; c <= 1; ++c)
        for (const auto& f : structure.fractional)
          images.push_back(cartesian(structure.lattice, {f[0] + a, f[1] + b, f[2] + c}));
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> distances;
    for (const auto& image : images)
      if (const double d = distance(at[i], image); d > 0.1) distances.push_back(d);
    if (distances.empty()) continue;
    found.nearest[i] = *std::min_element(distances.begin(), distances.end());
    found.count[i] =
        static_cast<int>(std::count_if(distances.begin(), distances.end(), [&](double d) {
          return d <= kBondReach * found.nearest[i];
        }));
  }
  return found;
}

/// Which lattice vectors point out of the page, right and up, in cyclic order.
std::array<std::size_t, 3> axis_order(const Lattice& lattice) {
  const Vector3 l = lengths(lattice);
  if (l[2] > kLongCell * std::max(l[0], l[1])) return {1, 2, 0};
  if (l[0] > kLongCell * std::max(l[1], l[2])) return {2, 0, 1};
  return {0, 1, 2};
}

struct Point {
  double x = 0, y = 0, depth = 0, scale = 1;  // y downwards; a larger depth is nearer
};

/// From Å to the page, before it is fitted into the picture.
class View {
 public:
  explicit View(const Lattice& lattice) {
    const auto [out, right, up] = axis_order(lattice);
    const Vector3 vertical = unit(lattice[up]);
    const Vector3 sideways = unit(plus(lattice[right], -dot(lattice[right], vertical), vertical));
    const Vector3 outward = cross(sideways, vertical);
    const double cy = std::cos(kYaw), sy = std::sin(kYaw);
    const double cp = std::cos(kPitch), sp = std::sin(kPitch);
    right_ = plus(plus({}, cy, sideways), -sy, outward);
    const Vector3 turned = plus(plus({}, sy, sideways), cy, outward);
    up_ = plus(plus({}, cp, vertical), -sp, turned);
    towards_ = plus(plus({}, sp, vertical), cp, turned);
    centre_ = cartesian(lattice, {0.5, 0.5, 0.5});
    for (const double x : {0.0, 1.0})
      for (const double y : {0.0, 1.0})
        distance_ =
            std::max(distance_, kViewDistance * distance(cartesian(lattice, {x, y, 0}), centre_));
  }

  Point operator()(const Vector3& at) const {
    const Vector3 r = plus(at, -1, centre_);
    const double depth = dot(r, towards_), scale = distance_ / (distance_ - depth);
    return {scale * dot(r, right_), -scale * dot(r, up_), depth, scale};
  }

 private:
  Vector3 right_{}, up_{}, towards_{}, centre_{};
  double distance_ = 0;
};

/// What is painted in one go: an atom, half a bond, or a stretch of a cell edge.
struct Piece {
  enum class Kind { edge, bond, atom } kind;
  int z;
  Point from, to;
  double radius;  // Å, of atoms
  double depth() const { return kind == Kind::atom ? from.depth : (from.depth + to.depth) / 2; }
};

bool inside_an_atom(const Structure& structure, const std::vector<Atom>& atoms,
                    const Vector3& point) {
  return std::any_of(atoms.begin(), atoms.end(), [&](const Atom& atom) {
    return distance(atom.at, point) < drawn_radius(structure.z[atom.site]);
  });
}

void add_edges(const Structure& structure, const std::vector<Atom>& atoms, const View& view,
               std::vector<Piece>& pieces) {
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const double u : {0.0, 1.0})
      for (const double v : {0.0, 1.0}) {
        const auto point = [&](double t) {
          Vector3 f{};
          f[axis] = t / kEdgePieces;
          f[(axis + 1) % 3] = u;
          f[(axis + 2) % 3] = v;
          return cartesian(structure.lattice, f);
        };
        for (int k = 0; k < kEdgePieces; ++k)
          if (!inside_an_atom(structure, atoms, point(k + 0.5)))
            pieces.push_back({Piece::Kind::edge, 0, view(point(k)), view(point(k + 1)), 0});
      }
}

void add_bonds(const Structure& structure, const std::vector<Atom>& atoms, const View& view,
               std::vector<Piece>& pieces) {
  if (structure.size() > kMostSitesWithBonds) return;
  const Neighbours near = nearest_neighbours(structure);
  for (std::size_t i = 0; i < atoms.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const std::size_t a = atoms[i].site, b = atoms[j].site;
      if (std::min(near.count[a], near.count[b]) > kMostBonds) continue;
      const double d = distance(atoms[i].at, atoms[j].at);
      if (d > kBondReach * std::min(near.nearest[a], near.nearest[b])) continue;
      // Half a bond each, in its atom's colour, from the surface of the sphere.
      const Vector3 along = unit(plus(atoms[j].at, -1, atoms[i].at));
      const Point middle = view(plus(atoms[i].at, d / 2, along));
      const auto add_half = [&](const Atom& atom, double sign) {
        const int z = structure.z[atom.site];
        const Point surface = view(plus(atom.at, sign * 0.9 * drawn_radius(z), along));
        pieces.push_back({Piece::Kind::bond, z, surface, middle, 0});
      };
      add_half(atoms[i], 1);
      add_half(atoms[j], -1);
    }
}

/// Far to near; pieces at one depth in a fixed order.
std::vector<Piece> pieces_in_order(const Structure& structure) {
  const View view(structure.lattice);
  const auto atoms = atoms_in_cell(structure);
  std::vector<Piece> pieces;
  add_edges(structure, atoms, view, pieces);
  add_bonds(structure, atoms, view, pieces);
  for (const auto& atom : atoms) {
    const int z = structure.z[atom.site];
    pieces.push_back({Piece::Kind::atom, z, view(atom.at), {}, drawn_radius(z)});
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.depth() < b.depth(); });
  return pieces;
}

/// Moves and scales the pieces so that they fill the given box.
double fit(std::vector<Piece>& pieces, double width, double height) {
  double left = 1e300, right = -1e300, top = 1e300, bottom = -1e300;
  const auto cover = [&](const Point& p, double r) {
    left = std::min(left, p.x - r);
    right = std::max(right, p.x + r);
    top = std::min(top, p.y - r);
    bottom = std::max(bottom, p.y + r);
  };
  for (const auto& piece : pieces) {
    cover(piece.from, piece.radius * piece.from.scale);
    if (piece.kind != Piece::Kind::atom) cover(piece.to, 0);
  }
  const double pixels =
      std::min((width - 2 * kMargin) / (right - left), (height - 2 * kMargin) / (bottom - top));
  const auto place = [&](Point& p) {
    p.x = width / 2 + pixels * (p.x - (left + right) / 2);
    p.y = height / 2 + pixels * (p.y - (top + bottom) / 2);
  };
  for (auto& piece : pieces) {
    place(piece.from);
    place(piece.to);
  }
  return pixels;
}

class SvgWriter {
 public:
  SvgWriter(const Structure& structure, const DrawingOptions& options)
      : options_(options), elements_(structure.z.begin(), structure.z.end()) {}

  std::string write(const std::vector<Piece>& pieces, double pixels) {
    open();
    for (const auto& piece : pieces) {
      if (piece.kind == Piece::Kind::edge) {
        add_to_edge(piece);
        continue;
      }
      close_edge();
      piece.kind == Piece::Kind::atom ? write_atom(piece, pixels) : write_bond(piece, pixels);
    }
    close_edge();
    if (options_.legend) write_legend();
    text_ += "</svg>\n";
    return std::move(text_);
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }
  void open();
  void add_to_edge(const Piece& piece);
  void close_edge();
  void write_bond(const Piece& piece, double pixels);
  void write_atom(const Piece& piece, double pixels);
  void write_legend();

  const DrawingOptions& options_;
  std::set<int> elements_;
  std::string text_;
  std::string edge_;  // stretches of cell edge with nothing in between, as one path
};

void SvgWriter::open() {
  const std::string& id = options_.id_prefix;
  put("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:g} {1:g}\" width=\"{0:g}\" "
      "height=\"{1:g}\" role=\"img\" aria-labelledby=\"{2}-title {2}-desc\">\n"
      "<title id=\"{2}-title\">{3}</title><desc id=\"{2}-desc\">{4}</desc>\n<defs>",
      options_.width, options_.height, id, io::escape_markup(options_.title),
      io::escape_markup(options_.description));
  for (const int z : elements_) {
    const Colour colour = element_colour(z);
    put("<radialGradient id=\"{}-{}\" cx=\".36\" cy=\".32\" r=\".72\"><stop offset=\"0\" "
        "stop-color=\"{}\"/><stop offset=\".5\" stop-color=\"{}\"/><stop offset=\"1\" "
        "stop-color=\"{}\"/></radialGradient>",
        id, element_symbol(z), colour.shaded(0.62).hex(), colour.hex(), colour.shaded(-0.42).hex());
  }
  text_ += "</defs>\n";
}

void SvgWriter::add_to_edge(const Piece& piece) {
  fmt::format_to(std::back_inserter(edge_), "M{:.1f} {:.1f}L{:.1f} {:.1f}", piece.from.x,
                 piece.from.y, piece.to.x, piece.to.y);
}

void SvgWriter::close_edge() {
  if (edge_.empty()) return;
  put("<path d=\"{}\" stroke=\"currentColor\" stroke-opacity=\".6\" stroke-linecap=\"round\"/>\n",
      edge_);
  edge_.clear();
}

void SvgWriter::write_bond(const Piece& piece, double pixels) {
  put("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\" stroke-width=\"{:.1f}\"/>\n",
      piece.from.x, piece.from.y, piece.to.x, piece.to.y,
      element_colour(piece.z).shaded(-0.12).hex(),
      std::clamp(0.2 * pixels * piece.from.scale, 1.5, 8.0));
}

void SvgWriter::write_atom(const Piece& piece, double pixels) {
  put("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"url(#{}-{})\" stroke=\"{}\" "
      "stroke-width=\".7\"/>\n",
      piece.from.x, piece.from.y, std::max(1.5, pixels * piece.radius * piece.from.scale),
      options_.id_prefix, element_symbol(piece.z), element_colour(piece.z).shaded(-0.5).hex());
}

void SvgWriter::write_legend() {
  const auto count = static_cast<double>(elements_.size());
  const double step = std::min(52.0, (options_.width - 2 * kMargin) / count);
  const double size = std::min(14.0, 0.42 * step), radius = size / 2;
  double x = (options_.width - step * count) / 2 + radius;
  const double y = options_.height - kLegendHeight / 2;
  put("<g font-family=\"system-ui,sans-serif\" font-size=\"{:.1f}\" fill=\"currentColor\">\n",
      size);
  for (const int z : elements_) {
    put("<circle cx=\"{0:.1f}\" cy=\"{1:.1f}\" r=\"{2:.1f}\" fill=\"url(#{3}-{4})\" stroke=\"{5}\" "
        "stroke-width=\".7\"/><text x=\"{6:.1f}\" y=\"{7:.1f}\">{4}</text>\n",
        x, y, radius, options_.id_prefix, element_symbol(z), element_colour(z).shaded(-0.5).hex(),
        x + 1.5 * radius, y + 0.36 * size);
    x += step;
  }
  text_ += "</g>\n";
}

}  // namespace

std::string draw_svg(const Structure& structure, const DrawingOptions& options) {
  check_structure(structure);
  auto pieces = pieces_in_order(structure);
  const double height = options.height - (options.legend ? kLegendHeight : 0);
  const double pixels = fit(pieces, options.width, height);
  return SvgWriter(structure, options).write(pieces, pixels);
}

}  // namespace kronite
