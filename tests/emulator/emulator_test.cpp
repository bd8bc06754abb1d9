#include "emulator/emulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "emulator/s3_harness.h"

namespace funcpipe {
namespace {

EmulatorOptions options_in(const std::filesystem::path& folder) {
  EmulatorOptions options;
  options.platform = load_platform("local").value();
  options.folder = folder;
  return options;
}

std::unique_ptr<S3Store> store_of(const Emulator& emulator) {
  S3Options options;
  options.endpoint = emulator.s3();
  options.bucket = "bucket";
  options.credentials = emulator.credentials();
  auto store = S3Store::open(std::move(options)).value();
  EXPECT_TRUE(store->create_bucket());
  return store;
}

int port_of(const Endpoint& endpoint) {
  return std::stoi(endpoint.url.substr(endpoint.url.rfind(':') + 1));
}

TEST(Emulator, ServesBillsAndFindsObjectsAgain) {
  ScratchFolder scratch;
  {
    auto emulator = Emulator::start(options_in(scratch.path()));
    ASSERT_TRUE(emulator) << describe(emulator.error());
    EXPECT_FALSE((*emulator)->isolation().empty());
    ASSERT_TRUE(store_of(**emulator)->put("key", std::string_view("value")));
    EXPECT_EQ((*emulator)->bill().by_function.at("client").put, 2);  // the bucket and the object
  }
  auto again = Emulator::start(options_in(scratch.path()));
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(store_of(**again)->get_text("key").value(), "value");
}

// Of /proc/net/tcp and tcp6: the local addresses that listen at a port, in hexadecimal.
std::set<std::string> listeners_at(int port) {
  std::set<std::string> addresses;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string number, local, remote, state;
      words >> number >> local >> remote >> state;
      const std::size_t colon = local.rfind(':');
      if (colon == std::string::npos || state != "0A") continue;  // a heading, or no listener
      if (std::stoi(local.substr(colon + 1), nullptr, 16) == port) addresses.insert(local.substr(0, colon));
    }
  }
  return addresses;
}

TEST(Emulator, ListensOnThisMachineAlone) {
  ScratchFolder scratch;
  const auto emulator = Emulator::start(options_in(scratch.path())).value();
  for (const Endpoint& endpoint : {emulator->s3(), emulator->lambda()})
    EXPECT_EQ(listeners_at(port_of(endpoint)), std::set<std::string>{"0100007F"})
        << "127.0.0.1, as the kernel writes it";
}

TEST(Emulator, CredentialsAreOfThisRun) {
  ScratchFolder one, two;
  auto first = Emulator::start(options_in(one.path())).value();
  auto second = Emulator::start(options_in(two.path())).value();
  EXPECT_NE(first->credentials().access_key_id, second->credentials().access_key_id);
  S3Options options;
  options.endpoint = second->s3();
  options.bucket = "bucket";
  options.credentials = first->credentials();
  const auto refused = S3Store::open(std::move(options)).value()->get_text("key");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
}

TEST(Emulator, APortInUseIsNamed) {
  ScratchFolder one, two;
  auto first = Emulator::start(options_in(one.path())).value();
  for (const bool s3 : {true, false}) {
    auto options = options_in(two.path() / "new" / "folder");
    (s3 ? options.s3_port : options.lambda_port) = port_of(first->s3());
    const auto second = Emulator::start(std::move(options));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::unavailable);
    EXPECT_THAT(second.error().message, testing::HasSubstr(std::to_string(port_of(first->s3()))));
    EXPECT_FALSE(second.error().hint.empty());
    EXPECT_TRUE(std::filesystem::is_empty(two.path())) << "what was made for it is gone";
  }
}

TEST(Emulator, AFolderThatIsAFileIsRefused) {
  const auto refused = Emulator::start(options_in("/dev/null/folder"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(describe(refused.error()), testing::HasSubstr("/dev/null/folder"));
}

TEST(Emulator, StopsWhileRequestsAreUnderWay) {
  ScratchFolder scratch;
  auto emulator = Emulator::start(options_in(scratch.path())).value();
  auto store = store_of(*emulator);
  std::atomic<bool> done = false;
  std::jthread busy([&] {
    const std::string text(4'000'000, 'x');
    while (!done && store->put("key", text)) {
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto start = std::chrono::steady_clock::now();
  emulator.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));  // 1 on an idle machine
  done = true;
}

}  // namespace
}  // namespace funcpipe
