// What a hostile or broken client may send: the server answers 400 or closes, and goes on serving others.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "emulator/memory_budget.h"
#include "emulator/s3_harness.h"
#include "emulator/token_bucket.h"

namespace funcpipe {
namespace {

using testing::StartsWith;

// Sends `text`, closes the sending side, and returns everything the server answers.
std::string exchange(int port, const std::string& text) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{5, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  ::shutdown(socket, SHUT_WR);
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  ::close(socket);
  return answer;
}

class Malformed : public testing::Test {
 protected:
  ~Malformed() override { EXPECT_TRUE(server.store("still-there")->put("key", std::string_view("value"))); }
  std::string send(const std::string& text) { return exchange(server.port(), text); }

  ScratchFolder scratch;
  S3Harness server{scratch.path()};
};

TEST_F(Malformed, IsAnswered400) {
  for (const std::string text :
       {"hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET nowhere HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\n\r\n", "GET /?a=%4 HTTP/1.1\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"})
    EXPECT_THAT(send(text), StartsWith("HTTP/1.1 400")) << text;
}

TEST_F(Malformed, TooLongAHeaderIs431) {
  EXPECT_THAT(send("GET / HTTP/1.1\r\nx: " + std::string(200'000, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431"));
}

TEST_F(Malformed, UnsignedRequestsAre403WithXml) {
  const auto answer = send("GET /bucket/key HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(answer, testing::HasSubstr("<Code>AccessDenied</Code>"));
  EXPECT_THAT(send("PUT /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(send("PUT /b/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
              StartsWith("HTTP/1.1 403"));
}

TEST_F(Malformed, NoiseDoesNoHarm) {
  const unsigned seed = 20261123;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string request =
      "PUT /bucket/key?x-id=PutObject HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nx-amz-date: "
      "20261123T170052Z\r\n"
      "Expect: 100-continue\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIA/20261123/us-east-1/s3/aws4_request, "
      "SignedHeaders=host;x-amz-date, Signature=00\r\n\r\nbody";
  for (int i = 0; i < 300; ++i) {
    std::string text = request;
    for (int k = 0; k < 1 + i % 5; ++k) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 20);
          break;
        default:
          text.insert(at, std::string(random() % 20, static_cast<char>(random())));
      }
    }
    const auto answer = send(text);
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 ")) << text;
  }
}

TEST(MemoryBudget, IsGivenBackAndNeverExceeded) {
  const auto budget = std::make_shared<MemoryBudget>(1000);
  {
    MemoryHold hold(budget);
    EXPECT_TRUE(hold.grow(600));
    EXPECT_FALSE(hold.grow(401));
    EXPECT_EQ(budget->allocate(500), nullptr);
    const auto memory = budget->allocate(400);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(budget->held(), 1000);
    MemoryHold moved(std::move(hold));
    EXPECT_EQ(budget->held(), 1000);
  }
  EXPECT_EQ(budget->held(), 0);
  EXPECT_TRUE(MemoryHold().grow(1 << 30)) << "without a budget there is no limit";
}

TEST(TokenBucket, BooksAtTheBaselineInOrder) {
  TokenBucket bucket(100, {});
  EXPECT_DOUBLE_EQ(bucket.book(50, 10), 10.5);
  EXPECT_DOUBLE_EQ(bucket.book(100, 10), 11.5);  // behind the first, whoever asks
  EXPECT_DOUBLE_EQ(bucket.book(100, 20), 21);    // idle time is not saved up
}

TEST(TokenBucket, ABurstIsUsedUpAndRefills) {
  TokenBucket bucket(100, Burst{200, 1000});
  EXPECT_DOUBLE_EQ(bucket.book(100, 10), 10.1);  // at the burst rate
  EXPECT_DOUBLE_EQ(bucket.book(400, 10), 13);    // 500 bytes, of which 200 ahead of 100 a second
  EXPECT_DOUBLE_EQ(bucket.book(100, 100), 100.1);
}

TEST(TokenBucket, WithoutALimitNothingWaits) {
  TokenBucket bucket(std::numeric_limits<double>::infinity(), {});
  EXPECT_TRUE(bucket.unlimited());
  EXPECT_DOUBLE_EQ(bucket.book(1 << 30, 5), 5);
}

}  // namespace
}  // namespace funcpipe
