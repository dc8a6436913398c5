// Scoring of template pairs, training of networks and fingerprints of crystals, at any size.
#include "cases/crystals.hpp"       // for disturbed
#include "cases/network_cases.hpp"  // for published_2022, published_2024
#include "kronite/array.hpp"        // for Array
#include "kronite/csp.hpp"          // for score_top_k
#include "kronite/fingerprint.hpp"
#include "kronite/learn.hpp"  // for fit
#include "sweep_jobs.hpp"
#include "training_work.hpp"  // for operations_per_epoch, random_pairs

namespace kronite::bench {
namespace {

constexpr std::int64_t kBest = 10;  // kept for each template
constexpr std::int64_t kDescriptor = 290;

struct Library {
  test::ScoreInputs<float> host;
  test::DeviceScore<float> on;
  Array<float> p;
  Array<std::int32_t> index;

  Library(Device& device, const test::ScoreCase& c)
      : host(c),
        on(device, host),
        p(device, c.candidates, kBest),
        index(device, c.candidates, kBest) {}
};

/// Templates of one ratio against themselves, each unordered pair once.
Job score(test::ScoreCase c, std::int64_t templates) {
  c.candidates = templates;
  c.queries = 1;
  c.pairs = 0;
  const double n = static_cast<double>(templates), pairs = n * (n - 1) / 2;
  Job job;
  job.operations = pairs * test::operations_per_pair(c);
  job.bytes = n * (kDescriptor * sizeof(float) + kBest * 8);
  job.memory = job.bytes;
  job.item = "pairs";
  job.items = pairs;
  job.prepare = [c](Device& device) {
    return work_on(std::make_shared<Library>(device, c), [&device](Library& l) {
      const auto count = static_cast<std::int32_t>(l.p.view().rows);
      csp::score_top_k(device, l.on.candidates.view(), l.on.candidates.view(),
                       {{0, count, 0, count}}, l.on.ensemble.view(), l.p.view(), l.index.view(),
                       {true});
      device.synchronize();
    });
  };
  return job;
}

struct Pairs {
  test::HostMatrix<float> rows;
  learn::LabelledPairs training, validation;
};

/// One epoch of one network on differences of descriptors.
Job train(const learn::NetworkShape& shape, std::int64_t pairs) {
  constexpr std::int64_t rows = 28810, validation = 256;
  Job job;
  job.operations = operations_per_epoch(shape, kDescriptor, 2, pairs, validation);
  job.bytes = 2.0 * static_cast<double>(pairs) * kDescriptor * sizeof(float);
  job.item = "pairs";
  job.items = static_cast<double>(pairs);
  job.prepare = [=](Device& device) {
    auto inputs = std::make_shared<Pairs>(Pairs{test::random_matrix<float>(1, rows, kDescriptor),
                                                random_pairs(2, pairs, rows),
                                                random_pairs(5, validation, rows)});
    return work_on(std::move(inputs), [&device, shape](Pairs& p) {
      learn::FitOptions options;
      options.max_epochs = 1;
      learn::fit(device, shape, options, p.rows.view(), p.training, p.validation);
      device.synchronize();
    });
  };
  return job;
}

struct Crystals {
  std::vector<Structure> structures;
  test::HostMatrix<double> out;
};

/// Crystals of 32 sites, each site with surroundings of its own.
Job fingerprint_crystals(std::int64_t crystals) {
  const Structure crystal = test::disturbed();
  Job job;
  job.bytes = static_cast<double>(crystals) * kFingerprintSize * sizeof(double);
  job.item = "sites";
  job.items = static_cast<double>(crystals) * static_cast<double>(crystal.size());
  job.prepare = [=](Device& device) {
    auto inputs = std::make_shared<Crystals>(
        Crystals{std::vector<Structure>(static_cast<std::size_t>(crystals), crystal),
                 test::HostMatrix<double>(crystals, kFingerprintSize)});
    return work_on(std::move(inputs), [&device](Crystals& c) {
      const MatrixView<double> out(c.out.values.data(), c.out.rows, c.out.cols);
      fingerprints(device, c.structures, out);
    });
  };
  return job;
}

}  // namespace

std::vector<HotPath> csp_paths() {
  learn::NetworkShape of_2022;
  of_2022.hidden = {50, 50, 50};
  of_2022.batch_norm = false;
  return {
      {"score_2022",
       {"templates"},
       [](const auto& n) { return score(test::published_2022(0), n[0]); }},
      {"score_2024",
       {"templates"},
       [](const auto& n) { return score(test::published_2024(0), n[0]); }},
      {"train_2022", {"pairs"}, [of_2022](const auto& n) { return train(of_2022, n[0]); }},
      {"train_2024", {"pairs"}, [](const auto& n) { return train({}, n[0]); }},
      {"fingerprints", {"crystals"}, [](const auto& n) { return fingerprint_crystals(n[0]); }},
  };
}

}  // namespace kronite::bench
