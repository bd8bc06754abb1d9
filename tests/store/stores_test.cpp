// The stores that need no server, against the suite every store must pass.
#include "store/faulty_store.h"
#include "store/memory_store.h"
#include "store/store_conformance.h"

namespace funcpipe {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         testing::Values(StoreKind{"memory", [] {
                                                     return StoreUnderTest{nullptr, std::make_unique<MemoryStore>()};
                                                   }}));

INSTANTIATE_TEST_SUITE_P(FaultyWithoutFaults, StoreConformance,
                         testing::Values(StoreKind{"faulty", [] {
                                                     auto inner = std::make_shared<MemoryStore>();
                                                     auto faulty =
                                                         std::make_unique<FaultyStore>(*inner, Faults{.quiet = true});
                                                     return StoreUnderTest{inner, std::move(faulty)};
                                                   }}));

TEST(FaultyStore, FirstOperationOnEachKeyFailsOnce) {
  MemoryStore memory;
  FaultyStore store(memory, {.first_unavailable = true, .quiet = true});
  const auto first = store.put("key", "text");
  ASSERT_FALSE(first.has_value());
  EXPECT_EQ(first.error().code, ErrorCode::unavailable);
  EXPECT_EQ(*memory.get_text("key"), std::nullopt);
  EXPECT_TRUE(store.put("key", "text").has_value());
  EXPECT_FALSE(store.get_text("key").has_value());
  EXPECT_EQ(*store.get_text("key"), "text");
  EXPECT_EQ(store.counts().unavailable, 2);
}

TEST(FaultyStore, LostAnswersLeaveTheObject) {
  MemoryStore memory;
  FaultyStore store(memory, {.unavailable_after = 1, .quiet = true});
  EXPECT_FALSE(store.put("key", "text").has_value());
  EXPECT_EQ(*memory.get_text("key"), "text");
}

TEST(FaultyStore, DropsAndCorruptsAboutAsOftenAsTold) {
  MemoryStore memory;
  FaultyStore store(memory, {.seed = 7, .drop = 0.3, .corrupt = 0.3, .quiet = true});
  constexpr int kObjects = 1000;
  int dropped = 0, corrupted = 0;
  for (int i = 0; i < kObjects; ++i) {
    const std::string key = "key" + std::to_string(i);
    ASSERT_TRUE(store.put(key, "some content").has_value());
    const auto found = *store.get_text(key);
    if (!found) {
      ++dropped;
    } else if (*found != "some content") {
      ++corrupted;
      EXPECT_EQ(found->size(), std::string("some content").size());
      EXPECT_EQ(*memory.get_text(key), "some content") << "only the copy read is corrupt";
    }
  }
  EXPECT_NEAR(dropped, 300, 60);
  EXPECT_NEAR(corrupted, 210, 60);
  EXPECT_EQ(store.counts().dropped, dropped);
  EXPECT_EQ(store.counts().corrupted, corrupted);
}

TEST(FaultyStore, TheSeedAndNotTheOrderDecides) {
  const auto failures = [](std::uint64_t seed, bool backwards) {
    MemoryStore memory;
    FaultyStore store(memory, {.seed = seed, .unavailable = 0.5, .quiet = true});
    std::vector<bool> failed(200);
    for (std::size_t i = 0; i < failed.size(); ++i) {
      const std::size_t k = backwards ? failed.size() - 1 - i : i;
      failed[k] = !store.put(std::to_string(k), "x").has_value();
    }
    return failed;
  };
  EXPECT_EQ(failures(1, false), failures(1, true));
  EXPECT_NE(failures(1, false), failures(2, false));
}

TEST(FaultyStore, SaysHowToRepeatIt) {
  MemoryStore memory;
  testing::internal::CaptureStderr();
  FaultyStore store(memory, {.seed = 4711});
  EXPECT_NE(testing::internal::GetCapturedStderr().find("4711"), std::string::npos);
}

}  // namespace
}  // namespace funcpipe
