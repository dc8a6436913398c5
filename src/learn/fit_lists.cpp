// Training of a metric on lists: which queries share a step, and the steps.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.hpp"               // for fail
#include "learn/epochs.hpp"            // for Epochs, check_options
#include "learn/lists.hpp"             // for fit_lists
#include "learn/on_device.hpp"         // for upload, download
#include "learn/trainable_metric.hpp"  // for TrainableMetric
#include "math/random.hpp"             // for Random

namespace kronite::learn {
namespace {

/// Streams of the seed, beside that of dropout_seed().
enum : std::uint64_t { kPackingStream = 2, kOrderStream = std::uint64_t{1} << 32 };

/// Queries [begin, end), in the epoch's order, of a group.
struct Part {
  std::size_t group = 0;
  std::int64_t begin = 0, end = 0;
};
using Step = std::vector<Part>;

/// Rows, queries and relations lie part by part.
std::vector<ListBlock> blocks_of(const Step& step, const std::vector<ListGroup>& groups) {
  std::vector<ListBlock> blocks;
  std::int64_t row = 0, relation = 0;
  for (const Part& part : step) {
    const ListBlock block{row, part.end - part.begin, std::ssize(groups[part.group].candidates),
                          relation};
    blocks.push_back(block);
    row += block.candidates;
    relation += block.queries * block.candidates;
  }
  return blocks;
}

/// The steps of an epoch, and what they need.
struct Plan {
  std::vector<Step> steps;
  ListRoom room;
  std::int64_t queries = 0;    ///< of the epoch
  std::int64_t relations = 0;  ///< of a step

  /// Groups of more than `batch` queries are cut into steps of nearly one size; smaller ones are
  /// put together at random.
  Plan(const std::vector<ListGroup>& groups, std::int64_t batch, std::uint64_t seed) {
    std::vector<std::size_t> small;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto n = std::ssize(groups[g].queries);
      if (n < 2) continue;  // nothing to choose from
      if (n <= batch) {
        small.push_back(g);
        continue;
      }
      const std::int64_t parts = (n - 1) / batch + 1;
      for (std::int64_t k = 0; k < parts; ++k)
        steps.push_back({{g, k * n / parts, (k + 1) * n / parts}});
    }
    math::Random(seed, kPackingStream).shuffle(std::span(small));
    std::int64_t left = 0;
    for (const std::size_t g : small) {
      const auto n = std::ssize(groups[g].queries);
      if (n > left) {
        steps.emplace_back();
        left = batch;
      }
      steps.back().push_back({g, 0, n});
      left -= n;
    }
    for (const Step& step : steps) {
      const auto blocks = blocks_of(step, groups);
      room.include(blocks);
      const ListBlock& last = blocks.back();
      relations = std::max(relations, last.relation + last.queries * last.candidates);
      for (const ListBlock& block : blocks) queries += block.queries;
    }
  }
};

void check_groups(const std::vector<ListGroup>& groups, std::int64_t rows, const char* name) {
  for (const ListGroup& group : groups) {
    const auto all_below = [](const std::vector<std::int32_t>& numbers, std::int64_t limit) {
      return std::all_of(numbers.begin(), numbers.end(),
                         [limit](std::int32_t i) { return i >= 0 && i < limit; });
    };
    const auto n = std::ssize(group.queries), m = std::ssize(group.candidates),
               classes = std::ssize(group.alike);
    bool good = all_below(group.queries, rows) && all_below(group.candidates, rows) &&
                std::ssize(group.query_class) == n && all_below(group.query_class, classes) &&
                std::ssize(group.candidate_class) == m &&
                all_below(group.candidate_class, classes) && std::ssize(group.left_out) == n;
    for (const auto& list : group.alike) good = good && all_below(list, classes);
    for (const auto& list : group.left_out) good = good && all_below(list, m);
    if (!good)
      fail(Errc::invalid_argument,
           "the {} lists name rows, candidates or classes that are not there, or not one class of "
           "each query and candidate",
           name);
  }
}

void check_rows(const MetricShape& shape, const ListRows& rows) {
  const VectorShape& vectors = shape.embedding.vectors;
  bool good = rows.values.cols == shape.embedding.inputs;
  if (shape.has_traits()) good = good && rows.traits.rows == rows.values.rows;
  if (vectors.slots > 0)
    good = good && rows.kinds.rows == rows.values.rows && rows.kinds.cols == vectors.slots;
  for (std::int64_t i = 0; good && vectors.slots > 0 && i < rows.kinds.rows; ++i)
    for (std::int64_t s = 0; s < vectors.slots; ++s)
      good = good && rows.kinds.row(i)[s] < vectors.kinds;
  if (!good)
    fail(Errc::invalid_argument,
         "the rows of the lists have other values, kinds or traits than the metric's shape says");
}

/// One call of fit_lists().
class ListFitting {
 public:
  ListFitting(Device& device, const MetricShape& shape, const FitOptions& options,
              const ListRows& rows, const std::vector<ListGroup>& groups,
              const std::vector<ListGroup>& validation);

  FittedParameters run(const FitHooks& hooks);

 private:
  double train(int epoch);
  /// Losses go to losses_ from `first_loss` on; returns how many.
  std::int64_t step(const Step& step, std::int64_t first_loss);
  void gather(const Part& part, const ListBlock& block);
  void gather_row(std::int64_t from, std::int64_t row);
  ValidationScores judge(const std::vector<float>& parameters) const;

  Device& device_;
  Backend& backend_;
  const VectorShape vectors_;
  const MetricLayout layout_;
  const std::uint64_t seed_, dropout_seed_;
  const ListRows rows_;
  const std::int64_t inputs_, traits_;  // of a row in training
  const std::vector<ListGroup>& groups_;
  const std::vector<ListGroup>& validation_;
  Plan plan_;
  std::vector<std::vector<std::int32_t>> order_;  // of each group's queries, in this epoch

  std::vector<float> host_rows_, host_traits_;
  std::vector<std::uint8_t> host_relation_;
  TrainableMetric<float> metric_;
  Epochs epochs_;
  Scratch<float> x_, own_, losses_;  // rows, traits
  Scratch<std::uint8_t> relation_;
};

ListFitting::ListFitting(Device& device, const MetricShape& shape, const FitOptions& options,
                         const ListRows& rows, const std::vector<ListGroup>& groups,
                         const std::vector<ListGroup>& validation)
    : device_(device),
      backend_(device.backend()),
      vectors_(shape.embedding.vectors),
      layout_(shape),
      seed_(options.seed),
      dropout_seed_(dropout_seed(options.seed)),
      rows_(rows),
      inputs_(shape.embedding.training_inputs()),
      traits_(shape.has_traits() ? rows.traits.cols : 0),
      groups_(groups),
      validation_(validation),
      plan_(groups, options.batch, options.seed),
      order_(groups.size()),
      host_rows_(static_cast<std::size_t>(plan_.room.rows * inputs_)),
      host_traits_(static_cast<std::size_t>(plan_.room.rows * traits_)),
      host_relation_(static_cast<std::size_t>(plan_.relations)),
      metric_(device, layout_, plan_.room),
      epochs_(device, options, metric_.parameters(), metric_.gradient(), std::ssize(plan_.steps)),
      x_(backend_, plan_.room.rows, inputs_),
      own_(backend_, plan_.room.rows, traits_),
      losses_(backend_, plan_.queries),
      relation_(backend_, plan_.relations) {
  for (std::size_t g = 0; g < groups.size(); ++g) order_[g].resize(groups[g].queries.size());
}

FittedParameters ListFitting::run(const FitHooks& hooks) {
  epochs_.start(initial_parameters(layout_, seed_), hooks.resume);
  FitState state = epochs_.run(
      hooks, [&](int epoch) { return train(epoch); },
      [&](const std::vector<float>& parameters) { return judge(parameters); });
  return {std::move(state.best), state.best_epoch, std::move(state.history)};
}

double ListFitting::train(int epoch) {
  math::Random random(seed_, kOrderStream + static_cast<std::uint64_t>(epoch));
  for (auto& order : order_) {
    std::iota(order.begin(), order.end(), 0);
    random.shuffle(std::span(order));
  }
  std::vector<std::size_t> steps(plan_.steps.size());
  std::iota(steps.begin(), steps.end(), 0U);
  random.shuffle(std::span(steps));
  std::int64_t done = 0;
  for (const std::size_t s : steps) done += step(plan_.steps[s], done);
  const auto losses = download(backend_, losses_.vector());
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

std::int64_t ListFitting::step(const Step& step, std::int64_t first_loss) {
  const auto blocks = blocks_of(step, groups_);
  std::int64_t rows = 0, queries = 0, relations = 0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    gather(step[b], blocks[b]);
    rows += blocks[b].candidates;
    queries += blocks[b].queries;
    relations += blocks[b].queries * blocks[b].candidates;
  }
  const Place place = backend_.place();
  const MatrixView<float> x(x_.data(), rows, inputs_, place),
      own(own_.data(), rows, traits_, place);
  upload<float>(backend_, std::span(host_rows_).first(static_cast<std::size_t>(rows * inputs_)),
                x.data);
  upload<float>(backend_, std::span(host_traits_).first(static_cast<std::size_t>(rows * traits_)),
                own.data);
  upload<std::uint8_t>(backend_,
                       std::span(host_relation_).first(static_cast<std::size_t>(relations)),
                       relation_.data());
  const auto number = static_cast<std::uint32_t>(epochs_.begin_step());
  metric_.forward(x, own, blocks, {relation_.data(), relations, place}, {dropout_seed_, number, 0},
                  {losses_.data() + first_loss, queries, place});
  metric_.backward(x, own);
  epochs_.step();
  return queries;
}

/// The candidates of a block come in the epoch's order, the queries of the part first.
void ListFitting::gather(const Part& part, const ListBlock& block) {
  const ListGroup& group = groups_[part.group];
  std::vector<std::int32_t> order = order_[part.group];
  std::rotate(order.begin(), order.begin() + part.begin, order.end());
  for (std::size_t k = 0; k < order.size(); ++k)
    gather_row(group.candidates[static_cast<std::size_t>(order[k])],
               block.first + static_cast<std::int64_t>(k));
  std::vector<std::uint8_t> relation(order.size());  // in the group's order
  auto to = host_relation_.begin() + block.relation;
  for (std::int64_t i = 0; i < block.queries; ++i) {
    group.relations(static_cast<std::size_t>(order[static_cast<std::size_t>(i)]), relation);
    to = std::transform(order.begin(), order.end(), to, [&](std::int32_t candidate) {
      return relation[static_cast<std::size_t>(candidate)];
    });
  }
}

/// Its values, ones where its kinds are, and its traits.
void ListFitting::gather_row(std::int64_t from, std::int64_t row) {
  float* to =
      std::copy_n(rows_.values.row(from), rows_.values.cols, host_rows_.data() + row * inputs_);
  std::fill_n(to, vectors_.columns(), 0.0F);
  for (std::int64_t slot = 0; slot < vectors_.slots; ++slot)
    if (const std::int32_t kind = rows_.kinds.row(from)[slot]; kind >= 0)
      to[slot * vectors_.kinds + kind] = 1;
  if (traits_ > 0)
    std::copy_n(rows_.traits.row(from), traits_, host_traits_.data() + row * traits_);
}

ValidationScores ListFitting::judge(const std::vector<float>& parameters) const {
  const MetricNetwork metric = network_of(layout_, parameters);
  const ListScorer scorer(device_, {&metric, 1}, rows_);
  double loss = 0;
  std::int64_t queries = 0, right = 0;
  for (const ListGroup& group : validation_)
    scorer.score(group, [&](std::size_t, const ListScores& scores) {
      loss += scores.loss();
      ++queries;
      right += scores.misses() == 0;
    });
  if (queries == 0) return {};
  if (!std::isfinite(loss)) epochs_.diverged();
  return {loss / static_cast<double>(queries),
          static_cast<double>(right) / static_cast<double>(queries)};
}

}  // namespace

FittedParameters fit_lists(Device& device, const MetricShape& shape, const FitOptions& options,
                           const ListRows& rows, const std::vector<ListGroup>& training,
                           const std::vector<ListGroup>& validation, const FitHooks& hooks) {
  check_options(options);
  if (options.batch < 1)
    fail(Errc::invalid_argument, "the batch is {} queries, expected at least 1", options.batch);
  check_rows(shape, rows);
  check_groups(training, rows.values.rows, "training");
  check_groups(validation, rows.values.rows, "validation");
  for (const ListGroup& group : training)
    if (group.queries != group.candidates)
      fail(Errc::invalid_argument, "the queries of a training list are not its candidates");
  const auto queries_of = [](const std::vector<ListGroup>& groups) {
    std::size_t count = 0;
    for (const ListGroup& group : groups) count += group.queries.size();
    return count;
  };
  const auto chooses = [](const ListGroup& group) { return group.queries.size() > 1; };
  if (std::none_of(training.begin(), training.end(), chooses))
    fail(Errc::invalid_argument, "no training list has two candidates to choose from");
  if (options.patience > 0 && queries_of(validation) == 0)
    fail(Errc::invalid_argument,
         "there are no validation queries to stop early by; with a patience of 0 all {} epochs run",
         options.max_epochs);
  return ListFitting(device, shape, options, rows, training, validation).run(hooks);
}

}  // namespace kronite::learn
