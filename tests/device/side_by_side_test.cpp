// Parts on several threads: each once, the first error, results in order.
#include "base/side_by_side.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kronite/error.hpp"

namespace kronite {
namespace {

/// Long enough for other threads to come in between.
void linger() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

std::string message_of(const std::function<void()>& f, Errc expected) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(SideBySide, DoesEveryPartOnceWhateverTheNumberOfWorkers) {
  for (const std::size_t workers : {1, 2, 5, 40})
    for (const std::int64_t parts : {0, 1, 3, 30}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(parts));
      std::atomic<bool> known = true;
      side_by_side(workers, parts, [&](const Part& part) {
        ++done[static_cast<std::size_t>(part.number())];
        if (part.worker() >= workers) known = false;
      });
      for (const auto& times : done) EXPECT_EQ(times, 1) << workers << " workers, " << parts;
      EXPECT_TRUE(known);
    }
}

TEST(SideBySide, WorkersAreThreadsOfTheirOwn) {
  std::mutex guard;
  std::set<std::thread::id> threads;
  std::atomic<int> here = 0;
  side_by_side(3, 3, [&](const Part&) {
    {
      const std::lock_guard lock(guard);
      threads.insert(std::this_thread::get_id());
    }
    ++here;
    while (here < 3) std::this_thread::yield();  // all three parts at the same time
  });
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 1U) << "the caller's thread works too";
}

TEST(SideBySide, OneWorkerIsTheCallersThread) {
  std::vector<std::int64_t> order;
  side_by_side(1, 4, [&](const Part& part) { order.push_back(part.number()); });
  EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(SideBySide, ThrowsTheFirstErrorInOrderOfParts) {
  for (const std::size_t workers : {1, 2, 4})
    for (int round = 0; round < 20; ++round) {
      const std::string message = message_of(
          [&] {
            side_by_side(workers, 40, [&](const Part& part) {
              if (part.number() == 5) linger();  // later ones fail before it does
              if (part.number() >= 5)
                throw Error(Errc::numerical, "part " + std::to_string(part.number()));
            });
          },
          Errc::numerical);
      EXPECT_EQ(message, "part 5");
    }
}

TEST(SideBySide, EndsThePartsBeforeAnErrorAndBeginsNoOthers) {
  std::vector<std::atomic<int>> done(100);
  std::atomic<int> later = 0;
  EXPECT_THROW(side_by_side(2, 100,
                            [&](const Part& part) {
                              if (part.number() == 10) throw Error(Errc::io, "no");
                              ++done[static_cast<std::size_t>(part.number())];
                              if (part.number() < 10) return;
                              ++later;  // in hand when part 10 fails
                              while (!part.needless()) std::this_thread::yield();
                            }),
               Error);
  for (std::size_t n = 0; n < 10; ++n) EXPECT_EQ(done[n], 1) << n;
  EXPECT_LE(later, 1);
}

TEST(SideBySide, ALongPartLearnsThatNobodyWillLookAtIt) {
  std::atomic<bool> begun = false, was_needless = false;
  const std::string message = message_of(
      [&] {
        side_by_side(2, 2, [&](const Part& part) {
          EXPECT_FALSE(part.number() == 0 && part.needless());
          if (part.number() == 0) {
            while (!begun) std::this_thread::yield();
            throw Error(Errc::io, "first");
          }
          begun = true;
          while (!part.needless()) std::this_thread::yield();
          was_needless = true;
          throw Error(Errc::cancelled, "second");
        });
      },
      Errc::io);
  EXPECT_TRUE(was_needless);
  EXPECT_EQ(message, "first");
}

TEST(SideBySide, SharesTheThreadsOfOpenMp) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(8);
  std::vector<int> share(2);
  std::atomic<int> here = 0;
  side_by_side(2, 2, [&](const Part& part) {
    share[part.worker()] = omp_get_max_threads();
    ++here;
    while (here < 2) std::this_thread::yield();
  });
  EXPECT_EQ(share, (std::vector<int>{4, 4}));
  EXPECT_EQ(omp_get_max_threads(), 8);
  omp_set_num_threads(before);
}

TEST(SideBySide, RefusesAJobWithoutWorkers) {
  message_of([] { side_by_side(0, 3, [](const Part&) {}); }, Errc::invalid_argument);
}

TEST(SharedProgress, IsToldOneAtATimeAndCountsUp) {
  std::vector<long long> told;
  const Progress progress = [&](long long done, long long total) {
    told.push_back(done);  // a race, if two came at a time
    EXPECT_EQ(total, 200);
    return true;
  };
  SharedProgress shared(progress, 200);
  side_by_side(4, 200, [&](const Part&) {
    shared.ask();
    shared.add(1);
  });
  shared.finish();
  EXPECT_EQ(told.size(), 201U);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), 200);
}

TEST(SharedProgress, IsNotAskedAgainOnceItHasStopped) {
  std::atomic<int> asked = 0;
  const Progress progress = [&](long long, long long) { return ++asked < 3; };
  SharedProgress shared(progress, 50, "stopped by hand");
  const std::string message =
      message_of([&] { side_by_side(4, 50, [&](const Part&) { shared.ask(); }); }, Errc::cancelled);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(message, "stopped by hand");
}

TEST(InOrder, GivesResultsOnInOrder) {
  std::vector<std::int64_t> taken;
  InOrder<std::int64_t> in_order([&](std::int64_t part, std::int64_t&& result) {
    EXPECT_EQ(result, part * part);
    taken.push_back(part);
  });
  side_by_side(4, 50, [&](const Part& part) {
    if (part.number() % 7 == 0) linger();
    in_order.put(part.number(), part.number() * part.number());
  });
  std::vector<std::int64_t> all(50);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(taken, all);
}

TEST(InOrder, StopsAtTheFirstPartThatHasFailed) {
  std::vector<std::int64_t> taken;
  InOrder<int> in_order([&](std::int64_t part, int&&) { taken.push_back(part); });
  EXPECT_THROW(side_by_side(3, 30,
                            [&](const Part& part) {
                              if (part.number() == 9) throw Error(Errc::io, "no");
                              in_order.put(part.number(), 0);
                            }),
               Error);
  std::vector<std::int64_t> before(9);
  std::iota(before.begin(), before.end(), 0);
  EXPECT_EQ(taken, before);
}

TEST(InOrder, IsNotCalledAgainAfterItHasThrown) {
  int calls = 0;
  InOrder<int> in_order([&](std::int64_t, int&&) {
    if (++calls == 2) throw Error(Errc::io, "the disk is full");
  });
  in_order.put(0, 0);
  EXPECT_THROW(in_order.put(1, 0), Error);
  in_order.put(2, 0);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace kronite
