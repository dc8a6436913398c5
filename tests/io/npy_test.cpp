// .npy in and out. The expected bytes follow NumPy Enhancement Proposal 1.
#include <gtest/gtest.h>

#include <sys/stat.h>  // for mkfifo

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"  // for AtomicFile, write_file
#include "io/input.hpp"        // for read_file
#include "io/npy.hpp"
#include "kronite/error.hpp"
#include "kronite/io.hpp"
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite {
namespace {

class NpyFile : public testing::Test {
 protected:
  /// A file of version 1.0 with this dictionary and these values.
  template <class T>
  void write(const std::string& dictionary, const std::vector<T>& values) {
    std::string file("\x93NUMPY\x01\x00", 8);
    file += {static_cast<char>(dictionary.size()), '\0'};
    file += dictionary;
    file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    io::write_file(path_, file);
  }

  void expect_refused(const std::string& reason) {
    try {
      read_npy(path_);
      ADD_FAILURE() << "accepted, expected: " << reason;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::parse);
      EXPECT_TRUE(std::string(e.what()).starts_with(path_ + ": ")) << e.what();
      EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
    }
  }

  const test::TemporaryFolder folder_;
  const std::string path_ = folder_.path("values.npy");
};

TEST_F(NpyFile, HasTheHeaderOfTheFormat) {
  const std::string header = io::npy_header(3, 290);

  EXPECT_EQ(header.size() % 64, 0u);
  EXPECT_EQ(header.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(static_cast<std::size_t>(static_cast<unsigned char>(header[8])) +
                256u * static_cast<unsigned char>(header[9]) + 10,
            header.size());
  EXPECT_EQ(header.find("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 290), }"), 10u);
  EXPECT_EQ(header.back(), '\n');
}

TEST_F(NpyFile, TakesTheNumberOfRowsAfterwards) {
  const std::vector<double> values = {1, 2, 3, 4, 5, 6};

  io::AtomicFile file(path_);
  file.write(io::npy_header(0, 2));
  file.write(values.data(), values.size() * sizeof(double));
  file.overwrite(0, io::npy_header(3, 2));
  file.commit();

  const NpyMatrix matrix = read_npy(path_);
  EXPECT_EQ(matrix.rows, 3);
  EXPECT_EQ(matrix.values, values);
}

TEST(AtomicFile, RefusesWhatIsNoNameOfAFile) {
  const test::TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);

  EXPECT_THROW(io::AtomicFile{pipe}, Error);
  EXPECT_THROW(io::AtomicFile{folder.path(".")}, Error);
  EXPECT_THROW(io::AtomicFile{""}, Error);

  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST_F(NpyFile, HasAHeaderOfOneLengthForAnyShape) {
  EXPECT_EQ(io::npy_header(0, 1).size(), 128u);
  EXPECT_EQ(io::npy_header(std::int64_t{1} << 62, std::int64_t{1} << 62).size(), 128u);
}

TEST_F(NpyFile, ReadsBackWhatWasWritten) {
  // A view with a gap between its rows.
  const std::vector<double> values = {1, 2, -1, 0.1, 1e-300, -1};

  write_npy(path_, {values.data(), 2, 2, 3, Place{}});
  const NpyMatrix matrix = read_npy(path_);

  EXPECT_EQ(matrix.rows, 2);
  EXPECT_EQ(matrix.cols, 2);
  EXPECT_EQ(matrix.values, (std::vector<double>{1, 2, 0.1, 1e-300}));
  EXPECT_EQ(std::filesystem::file_size(path_) % 64, 4 * sizeof(double));
}

TEST_F(NpyFile, KeepsAMatrixWithoutRows) {
  write_npy(path_, {nullptr, 0, 290});
  const NpyMatrix matrix = read_npy(path_);

  EXPECT_EQ(matrix.rows, 0);
  EXPECT_EQ(matrix.cols, 290);
}

TEST_F(NpyFile, TakesNoTimeForAMatrixWithoutColumns) {
  write<double>("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000000, 0), }",
                {});

  const NpyMatrix matrix = read_npy(path_);

  EXPECT_EQ(matrix.rows, 1'000'000'000'000'000'000);
  EXPECT_TRUE(matrix.values.empty());
}

TEST_F(NpyFile, ReadsFloat32AndColumnMajorOrder) {
  write<float>("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", {1, 2, 3, 4, 5, 6});

  const NpyMatrix matrix = read_npy(path_);

  EXPECT_EQ(matrix.values, (std::vector<double>{1, 3, 5, 2, 4, 6}));
}

TEST_F(NpyFile, IsRefusedWithAReason) {
  const std::vector<double> six(6);

  io::write_file(path_, "");
  expect_refused("first bytes");
  io::write_file(path_, "PK\x03\x04");
  expect_refused("first bytes");
  io::write_file(path_, "\x93NUMPY\x01");
  expect_refused("cut off");
  io::write_file(path_, std::string("\x93NUMPY\x01\x00\xFF\x00{'descr'", 18));
  expect_refused("cut off");
  io::write_file(path_, std::string("\x93NUMPY\x09\x00\x00\x00\x00\x00", 12));
  expect_refused("version");
  write("{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", six);
  expect_refused("two dimensions");
  write("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4), }", six);
  expect_refused("2 x 4 values do not fit the 48 bytes");
  write("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", six);
  expect_refused("do not fit");
  write("{'descr': '<f8', 'fortran_order': False, 'shape': (-2, 3), }", six);
  expect_refused("shape");
  write("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }", six);
  expect_refused("these are <i8");
  write("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 3), }", six);
  expect_refused("number format");
  write("{'descr': '<f8', 'fortran_order': 1, 'shape': (2, 3), }", six);
  expect_refused("fortran_order");
  write("{'descr': '<f8', 'fortran_order': False}", six);
  expect_refused("no shape");
}

TEST_F(NpyFile, NamesAMissingFile) {
  try {
    read_npy("/nowhere/at/all.npy");
    FAIL() << "read";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::io);
    EXPECT_NE(std::string(e.what()).find("/nowhere/at/all.npy"), std::string::npos);
  }
}

TEST_F(NpyFile, GivesRowsInParts) {
  write<float>("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", {1, 2, 3, 4, 5, 6});
  const io::NpyRows rows(path_);
  ASSERT_EQ(rows.rows(), 3);
  ASSERT_EQ(rows.cols(), 2);
  std::vector<double> part(2 * 3, -1);  // rows of two with one more between them

  rows.read(1, {part.data(), 2, 2, 3, Place{}});

  EXPECT_EQ(part, (std::vector<double>{2, 5, -1, 3, 6, -1}));
}

TEST_F(NpyFile, RowsAreThoseOfAMatrix) {
  write<double>("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", {1, 2, 3});
  EXPECT_THROW(io::NpyRows{path_}, Error);
  write<double>("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }", {1, 2, 3});
  EXPECT_THROW(io::NpyRows{path_}, Error);
}

}  // namespace
}  // namespace kronite
