// What every Store must do. To enrol an implementation, one file:
//
//   #include "store/store_conformance.h"
//   INSTANTIATE_TEST_SUITE_P(Mine, StoreConformance, testing::Values(StoreKind{"mine", [] { return make_my_store();
//   }}));
//
// The factory gives an empty store; whatever it stands on (a server, a folder) is kept alive by `owner`.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"

namespace funcpipe {

struct StoreUnderTest {
  std::shared_ptr<void> owner;  // destroyed after `store`
  std::unique_ptr<Store> store;
};

struct StoreKind {
  std::string name;
  std::function<StoreUnderTest()> make;
};
inline void PrintTo(const StoreKind& kind, std::ostream* out) {
  *out << kind.name;
}

class StoreConformance : public testing::TestWithParam<StoreKind> {
 protected:
  Store& store() { return *under_test_.store; }

  // A put that must work.
  PutOutcome put(const std::string& key, const std::string& text, PutMode mode = PutMode::overwrite) {
    auto outcome = store().put(key, text, mode);
    EXPECT_TRUE(outcome.has_value()) << describe(outcome.error());
    return outcome ? *outcome : PutOutcome::already_there;
  }
  std::optional<std::string> text(const std::string& key) {
    auto found = store().get_text(key);
    EXPECT_TRUE(found.has_value()) << describe(found.error());
    return found ? *found : std::nullopt;
  }
  // A ranged get into memory of exactly the range's size.
  Result<std::optional<Bytes>> range(const std::string& key, Bytes first, Bytes size, std::string& into) {
    return store().get(
        key,
        [&into](Bytes bytes) -> Result<MutableBytes> {
          into.resize(static_cast<std::size_t>(bytes));
          return std::as_writable_bytes(std::span(into));
        },
        ByteRange{first, size});
  }
  std::vector<std::string> keys(const std::string& prefix) {
    auto listed = store().list(prefix);
    EXPECT_TRUE(listed.has_value()) << describe(listed.error());
    std::vector<std::string> names;
    if (listed) {
      for (const ListedObject& object : *listed) names.push_back(object.key);
    }
    return names;
  }
  template <class T>
  static ErrorCode refusal(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result ? ErrorCode::failed : result.error().code;
  }
  // Deterministic bytes of every value, so that text tricks show.
  static std::string pattern(std::size_t size, unsigned seed = 1) {
    std::string bytes(size, '\0');
    for (char& c : bytes) {
      seed = seed * 1664525U + 1013904223U;
      c = static_cast<char>(seed >> 24);
    }
    return bytes;
  }

 private:
  StoreUnderTest under_test_ = GetParam().make();
};

TEST_P(StoreConformance, GivesBackWhatWasPut) {
  for (const std::size_t size : {0UL, 1UL, 1000UL, 65536UL, 3000001UL}) {
    const std::string content = pattern(size);
    EXPECT_EQ(put("a/key", content), PutOutcome::created);
    EXPECT_EQ(text("a/key"), content) << size;
    const auto bytes = store().size("a/key");
    ASSERT_TRUE(bytes.has_value()) << describe(bytes.error());
    EXPECT_EQ(*bytes, static_cast<Bytes>(size));
  }
}

TEST_P(StoreConformance, MissingKeyIsNoError) {
  EXPECT_EQ(text("nothing/here"), std::nullopt);
  const auto bytes = store().size("nothing/here");
  ASSERT_TRUE(bytes.has_value()) << describe(bytes.error());
  EXPECT_EQ(*bytes, std::nullopt);
  const std::vector<std::string> missing{"nothing/here"};
  EXPECT_TRUE(store().remove(missing).has_value());
}

TEST_P(StoreConformance, GathersPieces) {
  const std::string a = pattern(1 << 20, 1), b, c = pattern(77, 3), d = pattern(300000, 4);
  const std::vector<ConstBytes> pieces{as_bytes(a), as_bytes(b), as_bytes(c), as_bytes(d)};
  const auto outcome = store().put("pieces", pieces);
  ASSERT_TRUE(outcome.has_value()) << describe(outcome.error());
  EXPECT_EQ(text("pieces"), a + b + c + d);
}

TEST_P(StoreConformance, NoPiecesMakeAnEmptyObject) {
  ASSERT_TRUE(store().put("empty", std::span<const ConstBytes>()).has_value());
  EXPECT_EQ(text("empty"), "");
}

TEST_P(StoreConformance, OverwritesUnlessToldNotTo) {
  EXPECT_EQ(put("key", "one"), PutOutcome::created);
  EXPECT_EQ(put("key", "two"), PutOutcome::created);
  EXPECT_EQ(put("key", "three", PutMode::create_if_absent), PutOutcome::already_there);
  EXPECT_EQ(text("key"), "two");
  EXPECT_EQ(put("other", "three", PutMode::create_if_absent), PutOutcome::created);
  EXPECT_EQ(text("other"), "three");
}

TEST_P(StoreConformance, OnlyOneCreatorWins) {
  constexpr int kCreators = 8;
  for (int round = 0; round < 5; ++round) {
    const std::string key = "race/" + std::to_string(round);
    std::atomic<int> created = 0;
    std::vector<std::string> winners(kCreators);
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < kCreators; ++i) {
        threads.emplace_back([&, i] {
          const std::string content = pattern(5000, static_cast<unsigned>(i));
          const auto outcome = store().put(key, content, PutMode::create_if_absent);
          if (outcome && *outcome == PutOutcome::created) {
            ++created;
            winners[static_cast<std::size_t>(i)] = content;
          }
        });
      }
    }
    EXPECT_EQ(created, 1);
    const auto winner = std::find_if(winners.begin(), winners.end(), [](const auto& w) { return !w.empty(); });
    ASSERT_NE(winner, winners.end());
    EXPECT_EQ(text(key), *winner);
  }
}

TEST_P(StoreConformance, ReadsRanges) {
  const std::string content = pattern(100000);
  put("ranges", content);
  std::string part;
  for (const auto& [first, size] : {std::pair<Bytes, Bytes>{0, 1}, {0, 100000}, {99999, 1}, {5000, 70000}}) {
    const auto bytes = range("ranges", first, size, part);
    ASSERT_TRUE(bytes.has_value()) << describe(bytes.error());
    EXPECT_EQ(*bytes, size);
    EXPECT_EQ(part, content.substr(static_cast<std::size_t>(first), static_cast<std::size_t>(size)));
  }
  const auto empty = range("ranges", 10, 0, part);
  ASSERT_TRUE(empty.has_value()) << describe(empty.error());
  EXPECT_EQ(*empty, 0);
  const auto missing = range("no such key", 0, 5, part);
  ASSERT_TRUE(missing.has_value()) << describe(missing.error());
  EXPECT_EQ(*missing, std::nullopt);
}

TEST_P(StoreConformance, RefusesRangesOutsideTheObject) {
  put("ranges", pattern(1000));
  std::string part;
  for (const auto& [first, size] : {std::pair<Bytes, Bytes>{0, 1001}, {999, 2}, {1000, 1}, {5000, 10}, {1001, 0}}) {
    const auto bytes = range("ranges", first, size, part);
    ASSERT_FALSE(bytes.has_value()) << first << " " << size;
    EXPECT_EQ(bytes.error().code, ErrorCode::invalid_input) << describe(bytes.error());
  }
}

TEST_P(StoreConformance, DestinationMayBeLargerAndMayRefuse) {
  put("key", "0123456789");
  std::string room(50, '.');
  Bytes announced = -1;
  const auto bytes = store().get("key", [&](Bytes size) -> Result<MutableBytes> {
    announced = size;
    return std::as_writable_bytes(std::span(room));
  });
  ASSERT_TRUE(bytes.has_value()) << describe(bytes.error());
  EXPECT_EQ(*bytes, 10);
  EXPECT_EQ(announced, 10);
  EXPECT_EQ(room, "0123456789" + std::string(40, '.'));

  const auto refused =
      store().get("key", [](Bytes) -> Result<MutableBytes> { return fail(ErrorCode::exhausted, "no room here"); });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::exhausted);
  EXPECT_EQ(refused.error().message, "no room here");
  EXPECT_EQ(text("key"), "0123456789") << "the store works on after a refusal";
}

TEST_P(StoreConformance, KeepsStrangeKeysApart) {
  const std::vector<std::string> strange{
      "a b",     "a+b",      "a%20b",  "a%2Fb",        "a=b&c=d",          "?query", "#fragment",        "~tilde",
      "quo\"te", "<xml>&\'", "ümlaut", "\xE6\x97\xA5", "dots/../up",       "./dot",  "double//slash",    "back\\slash",
      "comma,",  "(paren)*", "colon:", "semi;",        "$dollar@at[1]!{}", " lead",  "inner  two spaces"};
  for (const std::string& key : strange) put("strange/" + key, key);
  std::vector<std::string> expected;
  for (const std::string& key : strange) {
    EXPECT_EQ(text("strange/" + key), key);
    expected.push_back("strange/" + key);
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(keys("strange/"), expected);
  ASSERT_TRUE(store().remove(expected).has_value());
  EXPECT_EQ(keys("strange/"), std::vector<std::string>());
}

TEST_P(StoreConformance, RefusesKeysOfWrongLength) {
  for (const std::string& key : {std::string(), std::string(1025, 'k')}) {
    EXPECT_EQ(refusal(store().put(key, "text")), ErrorCode::invalid_input);
    EXPECT_EQ(refusal(store().get_text(key)), ErrorCode::invalid_input);
    EXPECT_EQ(refusal(store().size(key)), ErrorCode::invalid_input);
    EXPECT_EQ(refusal(store().remove({&key, 1})), ErrorCode::invalid_input);
  }
  // The longest there may be; in parts, for stores that keep objects as files.
  std::string longest;
  while (longest.size() < 1024)
    longest += std::string(std::min<std::size_t>(200, 1024 - longest.size() - 1), 'k') + "/";
  longest.resize(1023);
  longest += "k";
  put(longest, "long");
  EXPECT_EQ(text(longest), "long");
}

TEST_P(StoreConformance, ListsInByteOrderWithSizes) {
  for (const std::string key : {"list/b", "list/a/2", "list/a/10", "list/a", "list/Z", "list/é", "lisu", "lis"}) {
    put(key, std::string(key.size(), 'x'));
  }
  EXPECT_EQ(keys("list/"), (std::vector<std::string>{"list/Z", "list/a", "list/a/10", "list/a/2", "list/b", "list/é"}));
  EXPECT_EQ(keys("list/a/"), (std::vector<std::string>{"list/a/10", "list/a/2"}));
  EXPECT_EQ(keys("nothing"), std::vector<std::string>());
  const auto all = store().list("");
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->size(), 8U);
  for (const ListedObject& object : *all) EXPECT_EQ(object.size, static_cast<Bytes>(object.key.size()));
}

TEST_P(StoreConformance, ListsAndRemovesMoreThanOnePage) {
  constexpr int kObjects = 2503;  // S3 gives and takes 1,000 a request
  std::vector<std::string> expected;
  for (int i = 0; i < kObjects; ++i) expected.push_back("many/" + std::to_string(100000 + i));
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < expected.size(); i += 4) put(expected[i], "x");
      });
    }
  }
  EXPECT_EQ(keys("many/"), expected);
  ASSERT_TRUE(store().remove(expected).has_value());
  EXPECT_EQ(keys("many/"), std::vector<std::string>());
}

TEST_P(StoreConformance, RemovedKeysAreGoneAndMayComeBack) {
  put("key", "one");
  put("other", "stays");
  const std::vector<std::string> gone{"key", "never was"};
  ASSERT_TRUE(store().remove(gone).has_value());
  EXPECT_EQ(text("key"), std::nullopt);
  EXPECT_EQ(text("other"), "stays");
  EXPECT_EQ(put("key", "two", PutMode::create_if_absent), PutOutcome::created);
  EXPECT_EQ(text("key"), "two");
  ASSERT_TRUE(store().remove({}).has_value());
}

// Readers of a key that is being overwritten see one whole version or another.
TEST_P(StoreConformance, PutsAreAtomic) {
  const std::vector<std::string> versions{pattern(200000, 1), pattern(150000, 2), pattern(250000, 3)};
  put("hot", versions[0]);
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0, read = 0;
  {
    std::vector<std::jthread> threads;
    for (int reader = 0; reader < 3; ++reader) {
      threads.emplace_back([&] {
        do {
          const auto found = store().get_text("hot");
          if (!found || !*found || std::find(versions.begin(), versions.end(), **found) == versions.end()) ++torn;
          ++read;
        } while (!done);
      });
    }
    for (std::size_t i = 0; i < 60; ++i) put("hot", versions[i % versions.size()]);
    done = true;
  }
  EXPECT_EQ(torn, 0) << "of " << read;
}

TEST_P(StoreConformance, ManyThreadsAtOnce) {
  constexpr unsigned kThreads = 8, kObjects = 40;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (unsigned i = 0; i < kObjects; ++i) {
          const std::string key = "threads/" + std::to_string(t) + "/" + std::to_string(i);
          const std::string content = pattern(1 + 4096 * i, t * kObjects + i);
          if (!store().put(key, content)) ++wrong;
          const auto found = store().get_text(key);
          if (!found || *found != content) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(keys("threads/").size(), kThreads * kObjects);
}

}  // namespace funcpipe
