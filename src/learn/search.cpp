// Searches and their journals.
#include "learn/search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/fail.hpp"       // for fail
#include "io/append_file.hpp"  // for AppendFile
#include "io/input.hpp"        // for read_file

namespace kronite::learn {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kPatience = std::chrono::seconds(20);
constexpr auto kPause = std::chrono::milliseconds(20);

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json space_json(const Space& space) {
  Json json = Json::object();
  for (const Dimension& d : space) {
    if (d.kind == Dimension::Kind::choice)
      json[d.name] = d.choices;
    else
      json[d.name] = {{"low", d.low}, {"high", d.high}, {"logarithmic", d.logarithmic}};
    if (d.kind == Dimension::Kind::integer) json[d.name]["step"] = d.step;
  }
  return json;
}

Json value_json(const Dimension& d, double value) {
  if (d.kind == Dimension::Kind::choice) return d.choices[static_cast<std::size_t>(value)];
  if (d.kind == Dimension::Kind::integer) return static_cast<std::int64_t>(value);
  return value;
}

/// @throws Json::exception, or std::out_of_range for what the dimension does not allow.
double value_of(const Dimension& d, const Json& json) {
  double value = 0;
  if (d.kind == Dimension::Kind::choice)
    value = static_cast<double>(
        std::find(d.choices.begin(), d.choices.end(), json.get<std::string>()) - d.choices.begin());
  else
    value = json.get<double>();
  if (!d.allows(value)) throw std::out_of_range(fmt::format("{} cannot be {}", d.name, value));
  return value;
}

}  // namespace

Search::Search(Space space, std::string subject, std::uint64_t seed, std::string journal,
               const TpeOptions& options)
    : space_(std::move(space)),
      subject_(std::move(subject)),
      seed_(seed),
      path_(std::move(journal)),
      options_(options) {
  require(!space_.empty(), "there is no hyper-parameter to search for");
  check_beginning();
  exchange([] { return std::string(); });
}

/// Before the file is opened to be written, which drops a half-written last line: a file that is no
/// journal must stay as it is.
void Search::check_beginning() const {
  const std::string expected = heading();
  std::string found(expected.size(), '\0');
  std::ifstream file(path_, std::ios::binary);
  file.read(found.data(), static_cast<std::streamsize>(found.size()));
  found.resize(static_cast<std::size_t>(file.gcount()));  // 0 where there is no file
  if (!expected.starts_with(found))
    fail(Errc::invalid_argument,
         "{}: this is the journal of another search (other settings, data, space or seed), or no "
         "journal; name a new file",
         path_);
}

std::string Search::heading() const {
  return line_of({{"search", subject_}, {"seed", seed_}, {"space", space_json(space_)}});
}

template <class Make>
void Search::exchange(const Make& make) {
  if (path_.empty()) {
    make();
    return;
  }
  const auto begun = std::chrono::steady_clock::now();
  std::optional<io::AppendFile> file;
  while (!file) {
    try {
      file.emplace(path_);
    } catch (const Error& e) {
      const bool busy = e.code() == Errc::unavailable;
      if (!busy || std::chrono::steady_clock::now() - begun > kPatience) throw;
      std::this_thread::sleep_for(kPause);
    }
  }
  if (file->size() == 0) file->append(heading());
  read_journal();
  const std::string lines = make();
  if (lines.empty()) return;
  file->append(lines);
  read_ = file->size();
  ++lines_;
}

void Search::read_journal() {
  const std::string text = io::read_file(path_);
  for (auto at = static_cast<std::size_t>(read_); at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    take(text.substr(at, end - at), ++lines_);
    at = end + 1;
  }
  read_ = static_cast<std::int64_t>(text.size());
}

void Search::take(const std::string& line, std::int64_t number) {
  if (number == 1) return;  // the heading, see check_beginning()
  try {
    const Json json = Json::parse(line);
    const auto n = json.at("trial").get<std::int64_t>();
    if (json.contains("values")) {
      if (n != static_cast<std::int64_t>(trials_.size()) + 1)
        throw std::out_of_range(fmt::format("trial {} follows {}", n, trials_.size()));
      Trial asked{n, {}, {}};
      for (const Dimension& d : space_)
        asked.point.push_back(value_of(d, json.at("values").at(d.name)));
      trials_.push_back(std::move(asked));
    } else {
      const Json& loss = json.at("loss");
      trial(n).loss =
          loss.is_null() ? std::numeric_limits<double>::quiet_NaN() : loss.get<double>();
    }
  } catch (const std::exception& e) {
    fail(Errc::parse, "{}:{}: this line of the journal cannot be read: {}", path_, number,
         e.what());
  }
}

Trial& Search::trial(std::int64_t number) {
  if (number < 1 || number > static_cast<std::int64_t>(trials_.size()))
    fail(Errc::invalid_argument, "there is no trial {} among {}", number, trials_.size());
  return trials_[static_cast<std::size_t>(number - 1)];
}

Trial Search::ask() {
  exchange([&] {
    Trial next{static_cast<std::int64_t>(trials_.size()) + 1, {}, {}};
    std::vector<Observation> history;
    for (const Trial& t : trials_)
      if (t.loss) history.push_back({t.point, *t.loss});
    math::Random random(seed_, static_cast<std::uint64_t>(next.number));
    next.point = suggest(space_, history, options_, random);
    trials_.push_back(next);
    return asked_line(next);
  });
  return trials_.back();
}

std::string Search::asked_line(const Trial& trial) const {
  Json values = Json::object();
  for (std::size_t k = 0; k < space_.size(); ++k)
    values[space_[k].name] = value_json(space_[k], trial.point[k]);
  return line_of({{"trial", trial.number}, {"values", std::move(values)}});
}

void Search::tell(const Trial& told, double loss) {
  exchange([&] {
    trial(told.number).loss = loss;
    // JSON has no NaN and no infinity.
    return line_of(
        {{"trial", told.number}, {"loss", std::isfinite(loss) ? Json(loss) : Json(nullptr)}});
  });
}

std::int64_t Search::finished() const {
  return std::count_if(trials_.begin(), trials_.end(),
                       [](const Trial& t) { return t.loss.has_value(); });
}

const Trial* Search::best() const {
  const Trial* best = nullptr;
  for (const Trial& t : trials_)
    if (t.loss && std::isfinite(*t.loss) && (!best || *t.loss < *best->loss)) best = &t;
  return best;
}

}  // namespace kronite::learn
