#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "emulator/object_folder.h"
#include "emulator/s3_harness.h"
#include "store/store_conformance.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Served {  // a server with its folder, for a store under test
  explicit Served(Bytes cache) : server(scratch.path(), cache) {}
  ScratchFolder scratch;
  S3Harness server;
};

StoreUnderTest served_store(Bytes cache_capacity) {
  auto served = std::make_shared<Served>(cache_capacity);  // shared: the suite keeps it as the store's owner
  auto store = served->server.store();
  return StoreUnderTest{served, std::move(store)};
}

INSTANTIATE_TEST_SUITE_P(Emulator, StoreConformance,
                         testing::Values(StoreKind{"cached", [] { return served_store(256 * kMiB); }},
                                         StoreKind{"from_disk", [] { return served_store(0); }}),
                         [](const auto& test) { return test.param.name; });

std::string pattern(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
  return text;
}

TEST(S3Clients, Boto3) {
  ScratchFolder scratch;
  S3Harness server(scratch.path() / "objects");
  EXPECT_EQ(server.run_python("s3_boto3_client.py", scratch.path()), 0);
}

TEST(S3Clients, Awscli) {
  ScratchFolder scratch;
  S3Harness server(scratch.path() / "objects");
  EXPECT_EQ(server.run_python("s3_awscli_client.py", scratch.path()), 0);
}

TEST(S3Server, ARestartFindsEverythingAgain) {
  ScratchFolder scratch;
  const std::string large = pattern(3'000'000, 1);
  {
    S3Harness server(scratch.path());
    auto store = server.store();
    ASSERT_TRUE(store->put("a/../large", large));
    ASSERT_TRUE(store->put("empty", std::string_view()));
    ASSERT_TRUE(store->put("gone", std::string_view("x")));
    const std::string gone = "gone";
    ASSERT_TRUE(store->remove({&gone, 1}));
    // What a killed emulator leaves behind.
    std::ofstream(scratch.path() / ".new" / "half") << "half an object";
  }
  S3Harness server(scratch.path());
  auto store = server.store();
  EXPECT_EQ(store->get_text("a/../large").value(), large);
  EXPECT_EQ(store->get_text("empty").value(), "");
  EXPECT_EQ(store->get_text("gone").value(), std::nullopt);
  EXPECT_EQ(store->list("").value().size(), 2u);
  EXPECT_EQ(store->put("empty", "other", PutMode::create_if_absent).value(), PutOutcome::already_there);
  EXPECT_FALSE(fs::exists(scratch.path() / ".new" / "half"));
}

TEST(S3Server, ASecondEmulatorMayNotUseTheFolder) {
  ScratchFolder scratch;
  S3Harness server(scratch.path());
  const auto second = ObjectFolder::open(scratch.path(), 0);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
}

TEST(S3Server, ACutFileIsNoObject) {
  ScratchFolder scratch;
  {
    S3Harness server(scratch.path());
    ASSERT_TRUE(server.store()->put("key", pattern(1000, 2)));
  }
  fs::resize_file(scratch.path() / "bucket" / "key", 900);
  const auto folder = ObjectFolder::open(scratch.path(), 0).value();
  EXPECT_EQ(folder->find("bucket", "key"), nullptr);
  EXPECT_THAT(folder->ignored(), testing::ElementsAre(HasSubstr("key")));
}

TEST(S3Server, OnlyOneOfManyCreatesAKey) {
  ScratchFolder scratch;
  S3Harness server(scratch.path());
  auto store = server.store();
  std::atomic<int> created = 0;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i)
      writers.emplace_back([&, i] {
        const auto outcome = store->put("key", pattern(200'000, static_cast<unsigned>(i)), PutMode::create_if_absent);
        created += outcome && *outcome == PutOutcome::created;
      });
  }
  EXPECT_EQ(created, 1);
}

TEST(S3Server, TheBillCountsEveryRequestAndByte) {
  ScratchFolder scratch;
  S3Harness server(scratch.path());
  server.store();
  const auto instance = server.add_instance("stage-0", 1e12, {});
  auto store = server.store_of(instance);
  const std::string text = pattern(2'000'000, 3);
  ASSERT_TRUE(store->put("a", text));
  ASSERT_TRUE(store->put("a", text, PutMode::create_if_absent));
  ASSERT_TRUE(store->get_text("a"));
  ASSERT_TRUE(store->get_text("absent"));
  ASSERT_TRUE(store->size("a"));
  ASSERT_TRUE(store->list(""));
  const std::string key = "a";
  ASSERT_TRUE(store->remove({&key, 1}));
  const Usage usage = server.bill().by_function.at("stage-0");
  EXPECT_EQ(usage.put, 2);
  EXPECT_EQ(usage.get, 3);
  EXPECT_EQ(usage.list, 1);
  EXPECT_EQ(usage.remove, 1);
  EXPECT_EQ(usage.uploaded, 4'000'000);
  EXPECT_EQ(usage.downloaded, 2'000'000);
  const auto counts = store->counts();
  EXPECT_EQ(counts.put + counts.get + counts.list + counts.remove, 7);
}

TEST(S3Server, AReapedInstanceIsRefused) {
  ScratchFolder scratch;
  S3Harness server(scratch.path());
  server.store();
  const auto instance = server.add_instance("stage-0", 1e12, {});
  auto store = server.store_of(instance);
  ASSERT_TRUE(store->put("a", std::string_view("1")));
  server.remove_instance(instance);
  const auto refused = store->put("a", std::string_view("2"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
}

class Shaping : public testing::Test {
 protected:
  // Seconds to move `size` bytes each way by `connections` of each of `instances` at once.
  void measure(const std::vector<Credentials>& instances, Bytes size, int connections) {
    std::vector<std::unique_ptr<S3Store>> stores;
    for (const Credentials& credentials : instances) stores.push_back(server.store_of(credentials));
    const std::string text = pattern(static_cast<std::size_t>(size), 4);
    const auto parallel = [&](auto work) {
      const auto start = std::chrono::steady_clock::now();
      {
        std::vector<std::jthread> threads;
        for (const auto& store : stores)
          for (int i = 0; i < connections; ++i)
            threads.emplace_back([&, key = fmt::format("key-{}", threads.size())] { work(*store, key); });
      }
      return seconds_since(start);
    };
    up = parallel([&](S3Store& store, const std::string& key) { EXPECT_TRUE(store.put(key, text)); });
    down = parallel([&](S3Store& store, const std::string& key) { EXPECT_EQ(store.get_text(key).value(), text); });
  }

  ScratchFolder scratch;
  S3Harness server{scratch.path()};
  std::unique_ptr<S3Store> client = server.store();
  double up = 0, down = 0;
};

TEST_F(Shaping, OneConnectionGetsTheBaseline) {
  measure({server.add_instance("f", 20e6, {})}, 8'000'000, 1);
  // Never faster than the formula; slower only by what the machine adds.
  EXPECT_GT(up, 0.4 * 0.97);
  EXPECT_LT(up, 0.4 * 1.5);
  EXPECT_GT(down, 0.4 * 0.97);
  EXPECT_LT(down, 0.4 * 1.5);
}

TEST_F(Shaping, ConnectionsOfAnInstanceShareIt) {
  measure({server.add_instance("f", 20e6, {})}, 2'000'000, 4);
  EXPECT_GT(up, 0.4 * 0.97);
  EXPECT_LT(up, 0.4 * 1.5);
  EXPECT_GT(down, 0.4 * 0.97);
  EXPECT_LT(down, 0.4 * 1.5);
}

TEST_F(Shaping, ABurstRunsAheadOfTheBaseline) {
  measure({server.add_instance("f", 10e6, {}, Burst{4'000'000, 400e6})}, 6'000'000, 1);
  EXPECT_GT(up, 0.2 * 0.9);  // 4 MB of the 6 at once
  EXPECT_LT(up, 0.45);
}

TEST_F(Shaping, AllInstancesShareTheStoresBandwidth) {
  Platform platform;
  platform.store = {.upload = 60e6, .download = 60e6};
  const StoreLinks store = store_links(platform, 2);  // dilated like all the rest
  std::vector<Credentials> instances;
  for (int i = 0; i < 4; ++i) instances.push_back(server.add_instance("f", 20e6, {}, {}, store));
  measure(instances, 3'000'000, 1);  // 12 MB at 30 MB/s; each alone would take 0.15 s
  EXPECT_GT(up, 0.4 * 0.97);
  EXPECT_LT(up, 0.4 * 1.5);
  EXPECT_GT(down, 0.4 * 0.97);
  EXPECT_LT(down, 0.4 * 1.5);
  measure({instances.front()}, 8'000'000, 2);  // one alone has its own link
  EXPECT_GT(up, 0.8 * 0.97);
  EXPECT_GT(down, 0.8 * 0.97);
}

TEST_F(Shaping, LatencyIsWaitedForEveryRequest) {
  auto store = server.store_of(server.add_instance("f", 1e12, Latency{.put = 0.08, .get = 0.05}));
  const auto timed = [](auto work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return seconds_since(start);
  };
  EXPECT_GE(timed([&] { ASSERT_TRUE(store->put("a", std::string_view("1"))); }), 0.08);
  EXPECT_GE(timed([&] { ASSERT_TRUE(store->get_text("a")); }), 0.05);
  EXPECT_GE(timed([&] { ASSERT_TRUE(store->get_text("absent")); }), 0.05);
  EXPECT_GE(timed([&] { ASSERT_TRUE(store->size("a")); }), 0.05);
}

// Stands for a full disk: no file of this process may pass 1 MiB.
class FileSizeLimit {
 public:
  FileSizeLimit() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 20, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(S3Server, AFullDiskIsAnErrorAndLeavesNothing) {
  ScratchFolder scratch;
  S3Harness server(scratch.path());
  auto store = server.store();
  ASSERT_TRUE(store->put("key", std::string_view("old")));
  {
    const FileSizeLimit limit;
    const auto refused = store->put("key", pattern(3'000'000, 5));
    ASSERT_FALSE(refused);
    EXPECT_THAT(describe(refused.error()), HasSubstr("InsufficientStorage"));
    EXPECT_EQ(store->get_text("key").value(), "old");
    EXPECT_TRUE(fs::is_empty(scratch.path() / ".new"));
  }
  EXPECT_TRUE(store->put("key", pattern(3'000'000, 5)));
}

TEST(ObjectFile, NamesAreSafeAndDistinct) {
  EXPECT_EQ(object_file_name("a/b"), "a%2Fb");
  EXPECT_EQ(object_file_name(".."), "%2E%2E");
  EXPECT_EQ(object_file_name("."), "%2E");
  const std::string x(1024, 'x'), y = std::string(1023, 'x') + 'y';
  EXPECT_NE(object_file_name(x), object_file_name(y));
  EXPECT_LE(object_file_name(x).size(), 200u);
}

}  // namespace
}  // namespace funcpipe
