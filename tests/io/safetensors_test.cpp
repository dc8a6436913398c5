// Safetensors files: what is written is what the format says, and every damage is named.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"  // for write_file
#include "io/input.hpp"        // for read_file
#include "io/safetensors.hpp"
#include "kronite/error.hpp"
#include "support/temporary_folder.hpp"  // for TemporaryFolder

namespace kronite::io {
namespace {

class Safetensors : public testing::Test {
 protected:
  /// A file by hand: length, header, data.
  std::string file(const std::string& header, const std::string& data = "") const {
    const std::uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
  }

  void expect_refused(const std::string& bytes, const std::string& reason) const {
    write_file(path_, bytes);
    try {
      const SafetensorsFile opened(path_);
      ADD_FAILURE() << "accepted, expected: " << reason;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::corrupt);
      EXPECT_EQ(std::string(e.what()).find(path_ + ": "), 0u) << e.what();
      EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
    }
  }

  const test::TemporaryFolder folder_;
  const std::string path_ = folder_.path("a.safetensors");
};

TEST_F(Safetensors, WritesTheBytesThatTheFormatPrescribes) {
  SafetensorsWriter writer;
  writer.set("made by", "a \"test\"");
  writer.add("b", std::vector<float>{1, 2, 3, 4}, {2, 2});

  const std::string bytes = writer.bytes();

  std::string header =
      R"({"__metadata__":{"made by":"a \"test\""},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::vector<float> values{1, 2, 3, 4};
  EXPECT_EQ(bytes, file(header, {reinterpret_cast<const char*>(values.data()), 16}));
}

TEST_F(Safetensors, ReadsBackTensorsOfEveryTypeAndTextsInTheirOrder) {
  const std::vector<double> f64{0.1, -std::numeric_limits<double>::infinity(), 5e-324};
  const std::vector<float> f32{0.1F, 3.4e38F};
  const std::vector<std::int64_t> i64{std::numeric_limits<std::int64_t>::min(), 7};
  const std::vector<std::uint64_t> u64{std::numeric_limits<std::uint64_t>::max()};
  const std::vector<std::int32_t> i32{-1, 2, 3, 4, 5, 6};
  const std::vector<std::uint32_t> u32{4000000000U};
  const std::vector<std::uint8_t> u8{0, 255, 3};
  SafetensorsWriter writer;
  writer.add("u8", u8);
  writer.add("f32", f32);
  writer.add("i32", i32, {3, 1, 2});
  writer.add("u32", u32, {});
  writer.add("f64", f64);
  writer.add("i64", i64);
  writer.add("u64", u64);
  writer.add("none", std::vector<float>{}, {0, 290});
  writer.set("z", "first");
  writer.set("a", "line\nend");
  writer.set("z", "changed");
  writer.write(path_);

  const SafetensorsFile read(path_);

  EXPECT_EQ(read.values<double>("f64", {3}), f64);
  EXPECT_EQ(read.values<float>("f32", {2}), f32);
  EXPECT_EQ(read.values<std::int64_t>("i64", {2}), i64);
  EXPECT_EQ(read.values<std::uint64_t>("u64", {1}), u64);
  EXPECT_EQ(read.values<std::int32_t>("i32", {3, 1, 2}), i32);
  EXPECT_EQ(read.values<std::uint32_t>("u32", {}), u32);
  EXPECT_EQ(read.values<std::uint8_t>("u8", {3}), u8);
  EXPECT_TRUE(read.values<float>("none", {0, 290}).empty());
  EXPECT_EQ(read.metadata(), (TensorMetadata{{"z", "changed"}, {"a", "line\nend"}}));
  EXPECT_EQ(read.required_text("a"), "line\nend");
}

TEST_F(Safetensors, AlignsEveryTensorToItsElements) {
  SafetensorsWriter writer;
  writer.add("bytes", std::vector<std::uint8_t>{1, 2, 3});
  writer.add("floats", std::vector<float>{1});
  writer.add("doubles", std::vector<double>{1});
  const std::string bytes = writer.bytes();

  const SafetensorsFile read(std::as_bytes(std::span(bytes)), "memory");

  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  EXPECT_EQ(header % 8, 0u);
  const std::byte* data = std::as_bytes(std::span(bytes)).data() + 8 + header;
  EXPECT_EQ(read.find("doubles")->bytes.data() - data, 0);
  EXPECT_EQ(read.find("floats")->bytes.data() - data, 8);
  EXPECT_EQ(read.find("bytes")->bytes.data() - data, 12);
}

TEST_F(Safetensors, ReadsHalfPrecisionAndTakesAnyFloatingPointAsFloatOrDouble) {
  // Bit patterns and values: IEEE 754 binary16; bfloat16 is the first half of a float.
  const std::string halves("\x00\x3C\x01\x00\xFF\x7B\x00\xFC\x00\xC5", 10);
  const std::string bfloats("\x80\x3F\xC0\xC0", 4);
  write_file(path_, file(R"({"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},)"
                         R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[10,14]}})",
                         halves + bfloats));

  const SafetensorsFile read(path_);

  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(read.values<double>("h", {5}), (std::vector<double>{1, 0x1p-24, 65504, -infinity, -5}));
  EXPECT_EQ(read.values<float>("b", {2}), (std::vector<float>{1, -6}));
}

TEST_F(Safetensors, RefusesFilesThatAreNone) {
  expect_refused("", "the file is empty");
  expect_refused("\x89PNG\r\n\x1a\n....", "not a safetensors file");
  expect_refused("PK\x03\x04, and more bytes", "not a safetensors file");
  expect_refused(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{", 9), "header would have");
  expect_refused(file("{]"), "not JSON");
  expect_refused(file("{} []"), "not JSON");
  EXPECT_THROW(SafetensorsFile(folder_.path("absent")), Error);
}

TEST_F(Safetensors, RefusesEveryTruncation) {
  SafetensorsWriter writer;
  writer.set("key", "text");
  writer.add("a", std::vector<float>{1, 2, 3});
  const std::string whole = writer.bytes();
  for (std::size_t length = 1; length < whole.size(); ++length)
    expect_refused(whole.substr(0, length), "the file is cut off");
}

TEST_F(Safetensors, RefusesDataThatNoTensorOwnsOrThatTwoOwn) {
  const std::string data(16, 'x');
  const auto two = [&](int begin, int end) {
    return file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                R"("b":{"dtype":"F32","shape":[1],"data_offsets":[)" +
                    std::to_string(begin) + "," + std::to_string(end) + "]}}",
                data.substr(0, 12));
  };
  write_file(path_, two(8, 12));
  EXPECT_EQ(SafetensorsFile(path_).tensors().size(), 2u);

  expect_refused(two(4, 8), "\"a\" and \"b\" overlap");
  expect_refused(two(0, 4), "overlap");
  expect_refused(
      file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", data.substr(0, 8)),
      "4 bytes before the tensor \"a\"");
  expect_refused(
      file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", data.substr(0, 8)),
      "4 bytes behind the last tensor");
  expect_refused(file("{}", "x"), "1 bytes behind the last tensor");
}

TEST_F(Safetensors, RefusesTensorsThatAreWronglyDescribed) {
  const auto one = [&](const std::string& description) {
    return file("{\"a\":" + description + "}", std::string(8, 'x'));
  };

  expect_refused(one("3"), "\"a\" is no object");
  expect_refused(one(R"({"shape":[2],"data_offsets":[0,8]})"), "has no dtype");
  expect_refused(one(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"), "F8_E4M3");
  expect_refused(one(R"({"dtype":"F32","data_offsets":[0,8]})"), "has no shape");
  expect_refused(one(R"({"dtype":"F32","shape":[2]})"), "has no data_offsets");
  expect_refused(one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "whole numbers");
  expect_refused(one(R"({"dtype":"F32","shape":[2.5],"data_offsets":[0,8]})"), "whole numbers");
  expect_refused(one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), "shape (3)");
  expect_refused(one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "data_offsets");
  expect_refused(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"), "data_offsets");
  // 2^62 x 2^62 overflows; 2^62 values of four bytes are 2^64.
  expect_refused(one(R"({"dtype":"F32","shape":[4611686018427387904,4611686018427387904],)"
                     R"("data_offsets":[0,8]})"),
                 "do not fit");
  expect_refused(one(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})"),
                 "do not fit");
}

TEST_F(Safetensors, RefusesWhatIsThereTwiceAndTextsThatAreNone) {
  const std::string a = R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";

  expect_refused(file("{" + a + "," + a + "}"), "two tensors are called \"a\"");
  expect_refused(file(R"({"__metadata__":{"k":"1","k":"2"}})"), "\"k\" twice");
  expect_refused(file(R"({"__metadata__":{"k":"1"},"__metadata__":{"k":"2"}})"), "\"k\" twice");
  expect_refused(file(R"({"__metadata__":{"k":1}})"), "\"k\" is no text");
  expect_refused(file(R"({"__metadata__":[]})"), "__metadata__ is no object");
}

TEST_F(Safetensors, SaysWhichTensorOrTextIsMissingOrAnother) {
  SafetensorsWriter writer;
  writer.add("a", std::vector<std::int64_t>{1, 2}, {2, 1});
  writer.write(path_);
  const SafetensorsFile read(path_);
  const auto reason = [](auto&& ask) -> std::string {
    try {
      ask();
    } catch (const Error& e) {
      return e.code() == Errc::corrupt ? e.what() : "another code";
    }
    return "nothing is wrong";
  };

  EXPECT_EQ(reason([&] { read.values<float>("b", {1}); }), path_ + ": the tensor \"b\" is missing");
  EXPECT_EQ(reason([&] { read.values<std::int64_t>("a", {2}); }),
            path_ + ": the tensor \"a\" has the shape 2 x 1 where 2 is expected");
  EXPECT_EQ(reason([&] {
              read.values<float>("a", {2, 1});
            }),
            path_ + ": the tensor \"a\" holds I64 values where F32 are expected");
  EXPECT_EQ(reason([&] { read.required_text("k"); }), path_ + ": its __metadata__ has no \"k\"");
}

TEST_F(Safetensors, DoesNotWriteWhatCouldNotBeRead) {
  SafetensorsWriter writer;
  writer.add("a", std::vector<float>{1});

  EXPECT_THROW(writer.add("a", std::vector<float>{1}), Error);
  EXPECT_THROW(writer.add("__metadata__", std::vector<float>{1}), Error);
  EXPECT_THROW(writer.add("b", std::vector<float>{1}, {2}), Error);
  writer.set("path", "no UTF-8: \xFF");
  writer.write(path_);
  EXPECT_EQ(SafetensorsFile(path_).required_text("path"), "no UTF-8: \xEF\xBF\xBD");
  writer.add("\xFF", std::vector<float>{1});
  EXPECT_THROW(writer.write(path_), Error);
}

}  // namespace
}  // namespace kronite::io
