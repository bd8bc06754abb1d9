#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "emulator/s3/crc64nvme.h"
#include "emulator/s3/object_folder.h"
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
  EXPECT_EQ(server.run_python("boto3_client.py", scratch.path()), 0);
}

TEST(S3Clients, Awscli) {
  ScratchFolder scratch;
  S3Harness server(scratch.path() / "objects");
  EXPECT_EQ(server.run_python("awscli_client.py", scratch.path()), 0);
}

TEST(S3Clients, KeepsOrRefuses) {
  ScratchFolder scratch;
  S3Harness server(scratch.path() / "objects");
  EXPECT_EQ(server.run_python("kept_or_refused_client.py", scratch.path()), 0);
}

TEST(S3Clients, Framing) {
  ScratchFolder scratch;
  S3Harness server(scratch.path() / "objects");
  EXPECT_EQ(server.run_python("framing_client.py", scratch.path()), 0);
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
    std::ofstream(scratch.path() / ".new" / "funcpipe-unfinished-1-7") << "half an object";
  }
  S3Harness server(scratch.path());
  auto store = server.store();
  EXPECT_EQ(store->get_text("a/../large").value(), large);
  EXPECT_EQ(store->get_text("empty").value(), "");
  EXPECT_EQ(store->get_text("gone").value(), std::nullopt);
  EXPECT_EQ(store->list("").value().size(), 2u);
  EXPECT_EQ(store->put("empty", "other", PutMode::create_if_absent).value(), PutOutcome::already_there);
  EXPECT_FALSE(fs::exists(scratch.path() / ".new" / "funcpipe-unfinished-1-7"));
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

TEST(S3Server, OthersFilesAreLeftAlone) {
  ScratchFolder scratch;
  const auto put = [&](const fs::path& path) {
    fs::create_directories((scratch.path() / path).parent_path());
    std::ofstream(scratch.path() / path) << "mine";
  };
  const std::vector<fs::path> mine = {".new/draft.txt", "bucket/key", "bucket/deep/file", "My Files/a", "notes.txt"};
  for (const auto& path : mine) put(path);
  {
    S3Harness server(scratch.path());
    auto store = server.store();
    EXPECT_EQ(store->get_text("key").value(), std::nullopt);
    const auto refused = store->put("key", std::string_view("theirs"));
    ASSERT_FALSE(refused) << "the file has that object's place";
    EXPECT_THAT(describe(refused.error()), HasSubstr("bucket/key"));
    EXPECT_TRUE(store->put("other", std::string_view("theirs")));
    const std::string keys[] = {"key", "other"};
    EXPECT_TRUE(store->remove(keys));
  }
  for (const auto& path : mine) {
    std::ifstream in(scratch.path() / path);
    std::string text;
    in >> text;
    EXPECT_EQ(text, "mine") << path;
  }
  const auto folder = ObjectFolder::open(scratch.path(), 0).value();
  const auto removed = folder->remove_bucket("bucket");
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::already_exists);
  EXPECT_TRUE(fs::exists(scratch.path() / "bucket/deep/file"));
}

TEST(S3Server, FoldersAreForTheirOwner) {
  ScratchFolder scratch;
  S3Harness server(scratch.path() / "new" / "objects");
  ASSERT_TRUE(server.store()->put("key", std::string_view("value")));
  for (const char* made : {"new", "new/objects", "new/objects/.new", "new/objects/bucket"})
    EXPECT_EQ(fs::status(scratch.path() / made).permissions(), fs::perms::owner_all) << made;
}

// What one job's functions may do: everything under their prefix, nothing beside it.
TEST(S3Server, AnInstanceIsKeptToItsJobsKeys) {
  ScratchFolder scratch;
  S3Harness server(scratch.path());
  auto client = server.store();
  for (const char* key : {"jobs/one/a", "jobs/one2/a", "jobs/two/a", "a"})
    ASSERT_TRUE(client->put(key, std::string_view("1")));
  ASSERT_TRUE(server.store("elsewhere")->put("jobs/one/a", std::string_view("1")));
  const Credentials instance = server.add_scoped_instance({"bucket", "jobs/one/"});
  auto store = server.store_of(instance);
  EXPECT_EQ(store->get_text("jobs/one/a").value(), "1");
  EXPECT_TRUE(store->put("jobs/one/b/c", std::string_view("2")));
  EXPECT_EQ(store->list("jobs/one/").value().size(), 2u);
  const std::string own = "jobs/one/b/c";
  EXPECT_TRUE(store->remove({&own, 1}));

  const auto denied = [](const auto& result) { return !result && result.error().code == ErrorCode::permission_denied; };
  for (const std::string key : {"jobs/one2/a", "jobs/two/a", "a", "jobs/one", "jobs/two/new", "jobs/absent/x"}) {
    EXPECT_TRUE(denied(store->get_text(key))) << key;
    EXPECT_TRUE(denied(store->size(key))) << key;
    EXPECT_TRUE(denied(store->put(key, std::string_view("2")))) << key;
    EXPECT_TRUE(denied(store->remove({&key, 1}))) << key;
    EXPECT_TRUE(denied(store->list(key))) << key;
  }
  EXPECT_TRUE(denied(store->list("")));
  EXPECT_TRUE(denied(store->bucket_exists()));
  EXPECT_TRUE(denied(server.store_of(instance, "newbucket")->create_bucket()));
  EXPECT_TRUE(denied(server.store_of(instance, "elsewhere")->get_text("jobs/one/a")));
  EXPECT_EQ(client->list("").value().size(), 4u) << "nothing was changed";
}

// Connections that wait for nothing give way before a client is turned away.
TEST(S3Server, RunningOutOfFilesCostsIdleConnectionsFirst) {
  ScratchFolder scratch;
  S3Harness server(scratch.path());
  auto store = server.store();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const rlimit tight{static_cast<rlim_t>(open_files() + 40), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  // Both ends are this process's: 18 connections leave the server a handful of descriptors.
  std::vector<int> idle;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 100; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (socket < 0) break;
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket);
      break;
    }
    idle.push_back(socket);
  }
  EXPECT_GT(idle.size(), 15u);
  for (int freed = 0; freed < 3 && !idle.empty(); ++freed, idle.pop_back()) ::close(idle.back());
  const auto start = std::chrono::steady_clock::now();
  const auto put = store->put("key", std::string_view("value"));
  EXPECT_TRUE(put) << describe(put.error());
  EXPECT_LT(seconds_since(start), 10);
  for (const int socket : idle) ::close(socket);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(store->get_text("key").value(), "value");
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

TEST(Crc64Nvme, HasItsCheckValueInOnePieceOrMany) {
  const std::string_view text = "123456789";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(crc64nvme(bytes), 0xae8b14860a799888);
  EXPECT_EQ(crc64nvme(bytes.subspan(4), crc64nvme(bytes.first(4))), 0xae8b14860a799888);
  const std::string longer = pattern(1001, 6);
  const auto all = std::as_bytes(std::span(longer));
  std::uint64_t one_by_one = 0;
  for (std::size_t i = 0; i < all.size(); ++i) one_by_one = crc64nvme(all.subspan(i, 1), one_by_one);
  EXPECT_EQ(crc64nvme(all), one_by_one);
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
