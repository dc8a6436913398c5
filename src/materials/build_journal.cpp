// Entries as bytes and back, and finding the last whole one.
#include "materials/build_journal.hpp"

#include <unistd.h>
#include <zlib.h>  // for crc32_z

#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <type_traits>

#include "base/fail.hpp"  // for fail
#include "base/log.hpp"   // for notice

namespace kronite {
namespace {

constexpr std::string_view kHeading = "kronite build journal ";
constexpr std::size_t kMostPending = 4 << 20;  // bytes
constexpr std::int64_t kLongestPending = 500;  // ms
constexpr std::size_t kLongestEntry = 1u << 30;

/// In front of each entry.
struct EntryHead {
  std::uint32_t bytes;
  std::uint32_t checksum;
};

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// put() and get() of the same types, in the same order, are each other's inverse.
class Encoder {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(static_cast<std::uint64_t>(values.size()));
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void put(const std::string& text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes.append(text);
  }

  std::string bytes;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  void get(T& value) {
    std::memcpy(&value, take(1, sizeof value), sizeof value);
  }
  template <class T>
  void get(std::vector<T>& values) {
    const std::size_t count = length();
    const char* from = take(count, sizeof(T));
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), from, count * sizeof(T));
  }
  void get(std::string& text) {
    const std::size_t count = length();
    text.assign(take(count, 1), count);
  }

 private:
  std::size_t length() {
    std::uint64_t count = 0;
    get(count);
    return count;
  }
  const char* take(std::size_t count, std::size_t size) {
    if (count > rest_.size() / size) fail(Errc::corrupt, "an entry is shorter than it says");
    const char* from = rest_.data();
    rest_.remove_prefix(count * size);
    return from;
  }

  std::string_view rest_;
};

/// Every field of an outcome, for Encoder::put and Decoder::get alike. The composition follows from
/// the structure.
template <class Visit, class T>
void visit_template(Visit&& visit, T& t) {
  visit(t.structure.lattice);
  visit(t.structure.fractional);
  visit(t.structure.z);
  visit(t.id);
  visit(t.formula);
  visit(t.ratio);
  visit(t.license);
  visit(t.source);
  visit(t.where);
  visit(t.space_group);
  visit(t.e_above_hull);
  visit(t.formation_energy);
  visit(t.fingerprint);
}

template <class Visit, class T>
void visit_left_out(Visit&& visit, T& left) {
  visit(left.where);
  visit(left.id);
  visit(left.formula);
  visit(left.reason);
  visit(left.why);
}

std::string encode(const Outcome& outcome) {
  Encoder encoder;
  const auto put = [&](const auto& value) { encoder.put(value); };
  put(static_cast<std::uint8_t>(outcome.index()));
  if (const auto* t = std::get_if<Template>(&outcome))
    visit_template(put, *t);
  else
    visit_left_out(put, std::get<LeftOut>(outcome));
  return std::move(encoder.bytes);
}

Outcome decode(std::string_view bytes) {
  Decoder decoder(bytes);
  const auto get = [&](auto& value) { decoder.get(value); };
  std::uint8_t kind = 0;
  get(kind);
  if (kind == 0) {
    Template t;
    visit_template(get, t);
    t.composition = t.structure.composition().reduced();
    return t;
  }
  LeftOut left;
  visit_left_out(get, left);
  if (static_cast<int>(left.reason) >= kLeftOutReasons)
    fail(Errc::corrupt, "an entry has an unknown reason");
  return left;
}

std::string_view text_of(const io::MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

/// The entry at `offset`; none when it is not whole.
std::optional<std::string_view> entry_at(std::string_view file, std::size_t offset) {
  EntryHead head;
  if (offset > file.size() || file.size() - offset < sizeof head) return {};
  std::memcpy(&head, file.data() + offset, sizeof head);
  const std::string_view rest = file.substr(offset + sizeof head);
  if (head.bytes > kLongestEntry || rest.size() <= head.bytes || rest[head.bytes] != '\n')
    return {};
  const std::string_view entry = rest.substr(0, head.bytes);
  return checksum(entry) == head.checksum ? std::optional(entry) : std::nullopt;
}

}  // namespace

BuildJournal::BuildJournal(std::string path, const std::string& key) : path_(std::move(path)) {
  const std::string heading = std::string(kHeading) + key + "\n";
  require_ours();  // before the file is touched
  file_.emplace(path_);
  begin(heading);
  find_entries(heading.size());
}

BuildJournal::~BuildJournal() {
  try {
    if (file_) write_pending();
  } catch (const Error&) {
    // The entries are lost; the next build computes them again.
  }
}

void BuildJournal::require_ours() const {
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) return;
  const io::MappedFile before(path_);
  const std::string_view text = text_of(before).substr(0, kHeading.size());
  if (text != kHeading.substr(0, text.size()))
    fail(Errc::invalid_argument,
         "{}: this is where the journal of the build would be, but it holds something else; move "
         "it away",
         path_);
}

void BuildJournal::begin(const std::string& heading) {
  const io::MappedFile before(path_);
  const std::string_view text = text_of(before);
  if (text.substr(0, heading.size()) == heading) return;
  if (!text.empty()) notice(path_ + ": of a build with other sources or options; starting afresh");
  file_->truncate(0);
  file_->append(heading);
}

void BuildJournal::find_entries(std::size_t heading_bytes) {
  const io::MappedFile mapped(path_);
  const std::string_view text = text_of(mapped);
  std::size_t end = heading_bytes;
  for (auto entry = entry_at(text, end); entry; entry = entry_at(text, end)) {
    offsets_.push_back(static_cast<std::int64_t>(end));
    end += sizeof(EntryHead) + entry->size() + 1;
  }
  file_->truncate(static_cast<std::int64_t>(end));
}

void BuildJournal::append(const Outcome& outcome) {
  const std::string entry = encode(outcome);
  if (pending_.empty()) pending_since_ = now_ms();
  offsets_.push_back(file_->size() + static_cast<std::int64_t>(pending_.size()));
  const EntryHead head{static_cast<std::uint32_t>(entry.size()), checksum(entry)};
  pending_.append(reinterpret_cast<const char*>(&head), sizeof head);
  pending_.append(entry).push_back('\n');
  if (pending_.size() > kMostPending || now_ms() - pending_since_ > kLongestPending)
    write_pending();
}

void BuildJournal::write_pending() {
  if (pending_.empty()) return;
  file_->append(pending_);
  pending_.clear();
}

void BuildJournal::flush() {
  write_pending();
  mapped_ = std::make_unique<io::MappedFile>(path_);
}

Outcome BuildJournal::read(std::int64_t i) const {
  const auto offset = static_cast<std::size_t>(offsets_[static_cast<std::size_t>(i)]);
  const auto entry = entry_at(text_of(*mapped_), offset);
  if (!entry) fail(Errc::corrupt, "{}: this journal changed while it was in use", path_);
  return decode(*entry);
}

void BuildJournal::discard() {
  mapped_.reset();
  pending_.clear();
  ::unlink(path_.c_str());  // while it is locked: behind that it may be another build's
  file_.reset();
}

}  // namespace kronite
