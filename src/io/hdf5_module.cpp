// The HDF5 module: walks through the groups of a file. Nothing else of kronite uses the HDF5
// library.
#include <hdf5.h>

#include <memory>

#include "base/fail.hpp"  // for fail
#include "io/hdf5.hpp"

namespace kronite::io {
namespace {

constexpr int kDeepest = 16;                 // groups within groups
constexpr std::size_t kMostItems = 100'000;  // groups can hold themselves
constexpr std::uint64_t kMostValues = std::uint64_t{1}
                                      << 28;  // a data set need not lie in the file

/// An identifier of the library and how it is closed.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }
  bool good() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::string& path) : path_(path) {}

  Hdf5Content read() {
    // The library's own lines on stderr are not for users.
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const Handle file(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!file.good()) refuse("it is damaged, or locked by another program");
    const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
    if (!root.good()) refuse("it has no root group");
    read_group(root, "", 0);
    return std::move(content_);
  }

 private:
  [[noreturn]] void refuse(std::string_view reason) const {
    fail(Errc::parse, "{}: this HDF5 file cannot be read: {}", path_, reason);
  }

  void count_item() {
    if (++items_ > kMostItems) refuse("it has more groups and data sets than weights have");
  }

  void read_group(hid_t group, const std::string& path, int depth) {
    if (depth > kDeepest) refuse("its groups lie deeper in each other than those of weights");
    read_attributes(group, path);
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0) refuse("a group is damaged");
    for (hsize_t i = 0; i < info.nlinks; ++i) {
      count_item();
      const std::string name = link_name(group, i);
      H5L_info_t link;
      if (H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT) < 0) refuse("a link is damaged");
      if (link.type != H5L_TYPE_HARD) continue;
      const Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
      if (!object.good()) refuse("an object is damaged");
      const H5I_type_t type = H5Iget_type(object);
      if (type == H5I_GROUP) read_group(object, path + '/' + name, depth + 1);
      if (type == H5I_DATASET) read_array(object, path + '/' + name);
    }
  }

  std::string link_name(hid_t group, hsize_t i) const {
    const auto name = [&](char* to, std::size_t room) {
      return H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, to, room, H5P_DEFAULT);
    };
    const ssize_t length = name(nullptr, 0);
    if (length < 0) refuse("a link is damaged");
    std::string text(static_cast<std::size_t>(length) + 1, '\0');
    if (name(text.data(), text.size()) < 0) refuse("a link is damaged");
    text.pop_back();
    return text;
  }

  /// Texts and other things that are no numbers are passed over.
  void read_array(hid_t set, const std::string& path) {
    const Handle type(H5Dget_type(set), H5Tclose), space(H5Dget_space(set), H5Sclose);
    if (!type.good() || !space.good()) refuse("a data set is damaged");
    const H5T_class_t kind = H5Tget_class(type);
    if (kind != H5T_FLOAT && kind != H5T_INTEGER) return;
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0) refuse("a data set is damaged");
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    if (H5Sget_simple_extent_dims(space, extents.data(), nullptr) < 0)
      refuse("a data set is damaged");
    Hdf5Array array{path, {extents.begin(), extents.end()}, {}};
    std::uint64_t count = 1;
    for (const hsize_t extent : extents)
      if (__builtin_mul_overflow(count, extent, &count)) count = kMostValues + 1;
    values_ += count;
    if (count > kMostValues || values_ > kMostValues)
      refuse("it has more values than weights have");
    array.values.resize(count);
    if (count > 0 &&
        H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) < 0)
      refuse(fmt::format("the data set {} is damaged", path));
    content_.arrays.push_back(std::move(array));
  }

  void read_attributes(hid_t group, const std::string& path) {
    H5O_info_t info;
    if (H5Oget_info(group, &info) < 0) refuse("a group is damaged");
    for (hsize_t i = 0; i < info.num_attrs; ++i) {
      count_item();
      const Handle attribute(
          H5Aopen_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT),
          H5Aclose);
      if (!attribute.good()) refuse("an attribute is damaged");
      const Handle type(H5Aget_type(attribute), H5Tclose);
      const Handle space(H5Aget_space(attribute), H5Sclose);
      const bool is_list =
          type.good() && space.good() && H5Sget_simple_extent_type(space) == H5S_SIMPLE;
      if (!is_list || H5Tget_class(type) != H5T_STRING) continue;
      content_.texts.push_back(
          {path + '@' + attribute_name(attribute), texts_of(attribute, type, space)});
    }
  }

  std::string attribute_name(hid_t attribute) const {
    const ssize_t length = H5Aget_name(attribute, 0, nullptr);
    if (length < 0) refuse("an attribute is damaged");
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    if (H5Aget_name(attribute, name.size(), name.data()) < 0) refuse("an attribute is damaged");
    name.pop_back();
    return name;
  }

  /// Texts of a fixed length, padded, or of any length.
  std::vector<std::string> texts_of(hid_t attribute, hid_t type, hid_t space) const {
    const hssize_t found = H5Sget_simple_extent_npoints(space);
    const std::size_t bytes = H5Tget_size(type);
    if (found < 0 || static_cast<std::size_t>(found) > kMostItems || bytes == 0 ||
        bytes > kMostValues / (static_cast<std::size_t>(found) + 1))
      refuse("an attribute is damaged");
    const auto count = static_cast<std::size_t>(found);
    std::vector<std::string> texts;
    if (count == 0) return texts;
    if (H5Tis_variable_str(type) > 0) {
      std::vector<char*> pointers(count, nullptr);
      if (H5Aread(attribute, type, pointers.data()) < 0) refuse("an attribute is damaged");
      for (const char* text : pointers) texts.emplace_back(text ? text : "");
      H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
      return texts;
    }
    std::string all(count * bytes, '\0');
    if (H5Aread(attribute, type, all.data()) < 0) refuse("an attribute is damaged");
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = all.substr(i * bytes, bytes);
      texts.push_back(text.substr(0, text.find('\0')));
    }
    return texts;
  }

  const std::string& path_;
  Hdf5Content content_;
  std::size_t items_ = 0;
  std::uint64_t values_ = 0;
};

Hdf5Content read(const std::string& path) { return Hdf5Reader(path).read(); }

}  // namespace
}  // namespace kronite::io

extern "C" __attribute__((visibility("default"))) const kronite::io::Hdf5Module*
kronite_hdf5_module() {
  static const kronite::io::Hdf5Module module{kronite::io::kHdf5ModuleVersion, kronite::io::read};
  return &module;
}
