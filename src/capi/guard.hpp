// The border between C++ and C: exceptions become codes, texts go into the caller's buffer, option
// structs of any age become today's.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <type_traits>

#include "base/fail.hpp"  // for fail

namespace kronite::capi {

/// Keeps the sentence for kronite_last_error() and returns the code as C sees it.
int keep_error(Errc code, const char* message) noexcept;

/// Runs `body`; whatever it throws ends here.
template <class Body>
int guarded(Body&& body) noexcept {
  try {
    body();
    return static_cast<int>(Errc::ok);
  } catch (const Error& e) {
    return keep_error(e.code(), e.what());
  } catch (const std::bad_alloc&) {
    return keep_error(Errc::out_of_memory, "not enough host memory");
  } catch (const std::exception& e) {
    return keep_error(Errc::internal, e.what());
  } catch (...) {
    return keep_error(Errc::internal, "an exception of unknown type reached the C interface");
  }
}

/// The object behind a pointer that must not be null.
template <class T>
T& given(T* pointer, const char* name) {
  if (!pointer) fail(Errc::invalid_argument, "{} is null", name);
  return *pointer;
}

/// As given(), for an array that may be null only when it is empty.
template <class T>
T* given_array(T* pointer, bool empty, const char* name) {
  if (!pointer && !empty) fail(Errc::invalid_argument, "{} is null", name);
  return pointer;
}

/// kronite.h's rule for texts.
void put_text(std::string_view text, char* buffer, std::size_t capacity, std::size_t* needed);

/// No struct of kronite.h is larger; a `size` beyond it was never set.
inline constexpr std::size_t kMaxStructSize = 4096;

/// `size` bytes of a struct from a caller compiled against another version, as today's struct:
/// fields it did not know are zero; fields that this version does not know must be zero.
template <class Options>
Options options_of(const Options* options, const char* name) {
  static_assert(std::is_trivially_copyable_v<Options>);
  Options result{};
  if (!options) return result;
  const std::size_t size = options->size;
  if (size < sizeof(std::size_t) || size > kMaxStructSize)
    fail(Errc::invalid_argument, "{}.size is {}: set it to sizeof({})", name, size, name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(options);
  for (std::size_t i = sizeof(Options); i < size; ++i)
    if (bytes[i] != 0)
      fail(Errc::unavailable, "{} sets an option that this version of kronite does not know", name);
  std::memcpy(&result, bytes, size < sizeof(Options) ? size : sizeof(Options));
  return result;
}

/// The way back: today's struct to a caller whose struct has `to->size` bytes. One of an older
/// version gets the fields that it knows, a newer one zeros at the end.
template <class Result>
void put_struct(Result values, Result* to, const char* name, const char* type) {
  static_assert(std::is_trivially_copyable_v<Result>);
  const std::size_t size = given(to, name).size;
  if (size < sizeof(std::size_t) || size > kMaxStructSize)
    fail(Errc::invalid_argument, "{}->size is {}: set it to sizeof({})", name, size, type);
  values.size = size;
  std::memset(to, 0, size);
  std::memcpy(to, &values, size < sizeof values ? size : sizeof values);
}

}  // namespace kronite::capi
