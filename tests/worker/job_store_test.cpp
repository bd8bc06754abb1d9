#include "worker/job_store.h"

#include <gmock/gmock.h>

#include "protocol/job_keys.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

// Counts GETs of the stop mark.
class MarkCounter final : public Store {
 public:
  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) override {
    return inner.put(key, pieces, mode);
  }
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range) override {
    if (key == stop_key("job")) ++asked;
    return inner.get(key, destination, range);
  }
  Result<std::optional<Bytes>> size(const std::string& key) override { return inner.size(key); }
  Result<> remove(std::span<const std::string> keys) override { return inner.remove(keys); }
  Result<std::vector<ListedObject>> list(const std::string& prefix) override { return inner.list(prefix); }

  MemoryStore inner;
  int asked = 0;
};

TEST(JobStore, EndsWithTheMarkWhoeverIsWaitingOrBusy) {
  MarkCounter store;
  ManualClock clock;
  JobStore job(store, "job", clock);
  const auto view = job.until({});
  ASSERT_TRUE(job.put("job/a", "x"));
  EXPECT_EQ(*view->get_text("job/missing"), std::nullopt);
  ASSERT_TRUE(store.put(stop_key("job"), "stage 1 replica 0: no memory left"));
  clock.advance(kMarkPause - 0.1);
  EXPECT_TRUE(view->get_text("job/missing")) << "asked a moment ago";
  clock.advance(0.2);
  const auto stopped = view->get_text("job/missing");
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_THAT(stopped.error().message, HasSubstr("stage 1 replica 0: no memory left"));
  EXPECT_FALSE(job.put("job/b", "x")) << "all views know";
  EXPECT_FALSE(*store.size("job/b"));
}

TEST(JobStore, ABusyWorkerSeesItToo) {
  MarkCounter store;
  ManualClock clock;
  JobStore job(store, "job", clock);
  ASSERT_TRUE(job.put("job/a", "x"));
  ASSERT_TRUE(store.put(stop_key("job"), "stopped"));
  clock.advance(kBusyMarkPause);
  EXPECT_FALSE(job.put("job/b", "x"));
}

TEST(JobStore, AsksSeldom) {
  MarkCounter store;
  ManualClock clock;
  JobStore job(store, "job", clock);
  for (int i = 0; i < 1000; ++i) {  // 100 s of polling
    EXPECT_TRUE(job.get_text("job/missing"));
    clock.advance(0.1);
  }
  EXPECT_LE(store.asked, 21);
  EXPECT_GE(store.asked, 15);
}

}  // namespace
}  // namespace funcpipe
