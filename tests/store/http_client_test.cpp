#include "store/http_client.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/scripted_server.h"

namespace funcpipe {
namespace {

using Kind = HttpFailure::Kind;

Destination into(std::string& text) {
  return [&text](Bytes size) -> Result<MutableBytes> {
    text.resize(static_cast<std::size_t>(size));
    return std::as_writable_bytes(std::span(text));
  };
}

// A port of loopback where nobody listens.
std::string deserted() {
  const ScriptedServer server([](const auto&) { return reply(200); });
  return server.url();
}

TEST(HttpClient, SendsWhatItIsGiven) {
  ScriptedServer server([](const auto&) { return reply(200, "answer", "X-Thing:  some value \r\n"); });
  HttpClient client(true);
  const std::string a = "one ", b(200000, 'b'), c;
  const ConstBytes pieces[] = {as_bytes(a), as_bytes(b), as_bytes(c)};
  const auto answer = client.perform({"PUT", server.url() + "/a%20b/../c?x=%2F", {{"X-Mine", "1"}}, pieces});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "answer");
  EXPECT_EQ(answer->header("x-thing"), "some value");
  EXPECT_EQ(answer->header("x-other"), std::nullopt);
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/a%20b/../c?x=%2F") << "as given: the path is signed";
  EXPECT_EQ(request.body, a + b);
  EXPECT_EQ(request.headers.at("x-mine"), "1");
  EXPECT_EQ(request.headers.count("expect"), 0U);
  EXPECT_EQ(request.headers.count("transfer-encoding"), 0U);
}

TEST(HttpClient, EmptyBodiesHaveALength) {
  ScriptedServer server([](const auto&) { return reply(200); });
  HttpClient client(true);
  for (const char* method : {"PUT", "POST"}) {
    ASSERT_TRUE(client.perform({method, server.url() + "/", {}, {}}).has_value());
    EXPECT_EQ(server.requests().back().headers.at("content-length"), "0") << method;
  }
  for (const char* method : {"GET", "DELETE", "HEAD"}) {
    ASSERT_TRUE(client.perform({method, server.url() + "/", {}, {}}).has_value()) << method;
    EXPECT_EQ(server.requests().back().method, method);
    EXPECT_EQ(server.requests().back().headers.count("content-length"), 0U) << method;
  }
}

TEST(HttpClient, DownloadsIntoTheDestination) {
  const std::string content(3000000, 'z');
  ScriptedServer server([&](const auto& request) {
    return request.target == "/missing" ? reply(404, "no such thing") : reply(200, content);
  });
  HttpClient client(true);
  std::string text;
  const auto answer = client.perform({"GET", server.url() + "/", {}, {}, into(text)});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_TRUE(text == content);
  EXPECT_EQ(static_cast<void*>(answer->received.data()), static_cast<void*>(text.data()));
  EXPECT_EQ(answer->received.size(), content.size());
  EXPECT_EQ(answer->body, "");

  text = "untouched";
  const auto missing = client.perform({"GET", server.url() + "/missing", {}, {}, into(text)});
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(missing->body, "no such thing");
  EXPECT_EQ(text, "untouched") << "an error's text is no object";
}

TEST(HttpClient, KeepsConnections) {
  ScriptedServer server([](const auto&) { return reply(200, "x"); });
  HttpClient client(true);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.perform({"GET", server.url() + "/", {}, {}}).has_value());
  EXPECT_EQ(server.requests().back().connection, 0);
  HttpCall fresh{"GET", server.url() + "/", {}, {}};
  fresh.fresh_connection = true;
  ASSERT_TRUE(client.perform(fresh).has_value());
  EXPECT_EQ(server.requests().back().connection, 1);
}

// What a server that restarts, or reaps idle connections, does to a client that kept one.
TEST(HttpClient, SurvivesAKeptConnectionThatDied) {
  ScriptedServer server([](const auto& request) {
    ScriptedReply answer = reply(200, "x");
    answer.close = true;  // without saying "Connection: close"
    EXPECT_EQ(request.body, "body");
    return answer;
  });
  HttpClient client(true);
  const std::string body = "body";
  const ConstBytes piece = as_bytes(body);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.perform({"PUT", server.url() + "/", {}, {&piece, 1}});
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
  }
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(HttpClient, TellsTheWaysToFailApart) {
  HttpClient client(true);
  const auto refused = client.perform({"GET", deserted() + "/", {}, {}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, Kind::refused) << refused.error().message;
  EXPECT_FALSE(refused.error().sent);

  ScriptedServer server([](const ScriptedRequest& request) -> ScriptedReply {
    if (request.target == "/hangup") return {"", 0, true};
    if (request.target == "/half") return {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", 0, true};
    if (request.target == "/unmeasured") return {"HTTP/1.1 200 OK\r\n\r\nwhat", 0, true};
    return {reply(200).raw, 30};
  });
  std::string text;
  const auto hangup = client.perform({"GET", server.url() + "/hangup", {}, {}});
  ASSERT_FALSE(hangup.has_value());
  EXPECT_EQ(hangup.error().kind, Kind::cut) << hangup.error().message;
  EXPECT_TRUE(hangup.error().sent);

  const auto half = client.perform({"GET", server.url() + "/half", {}, {}, into(text)});
  ASSERT_FALSE(half.has_value());
  EXPECT_EQ(half.error().kind, Kind::cut) << half.error().message;

  const auto unmeasured = client.perform({"GET", server.url() + "/unmeasured", {}, {}, into(text)});
  ASSERT_FALSE(unmeasured.has_value());
  EXPECT_EQ(unmeasured.error().kind, Kind::rejected);
  EXPECT_EQ(unmeasured.error().error.code, ErrorCode::corrupt);

  for (const HttpLimits& limits : {HttpLimits{.stall = 0, .overall = 0.3}, HttpLimits{.stall = 1, .overall = 60}}) {
    HttpCall slow{"GET", server.url() + "/slow", {}, {}};
    slow.limits = limits;
    const auto timeout = client.perform(slow);
    ASSERT_FALSE(timeout.has_value());
    EXPECT_EQ(timeout.error().kind, Kind::timeout) << timeout.error().message;
    EXPECT_TRUE(timeout.error().sent);
  }
}

TEST(HttpClient, TheDestinationMaySayNo) {
  ScriptedServer server([](const auto&) { return reply(200, "too much"); });
  HttpClient client(true);
  const auto answer = client.perform({"GET", server.url() + "/", {}, {}, [](Bytes) -> Result<MutableBytes> {
                                        return fail(ErrorCode::exhausted, "no room");
                                      }});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, Kind::rejected);
  EXPECT_EQ(answer.error().error.message, "no room");
  EXPECT_EQ(client.perform({"GET", server.url() + "/", {}, {}})->body, "too much");
}

// A child of this process makes the request and is stopped meanwhile, for longer than the limits allow.
TEST(HttpClient, TimeInWhichThisProcessStoodStillCountsAgainstNobody) {
  ScriptedServer server([](const auto&) { return ScriptedReply{reply(200, "answer").raw, 1.5}; });
  const pid_t child = ::fork();
  if (child == 0) {
    HttpClient client(true);
    HttpCall request{"GET", server.url() + "/", {}, {}};
    request.limits.stall = 4;
    request.limits.overall = 6;
    const auto answer = client.perform(request);
    ::_exit(answer && answer->body == "answer" ? 0 : 1);
  }
  ASSERT_GT(child, 0);
  while (server.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(child, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(8));
  ::kill(child, SIGCONT);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// In whatever phase it is.
TEST(HttpClient, AStopEndsNameLookupAndConnectingToo) {
  HttpClient client(false);
  for (const char* url : {"http://name-lookup.funcpipe.invalid/", "http://10.255.255.1/"}) {
    std::stop_source source;
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      source.request_stop();
    });
    HttpCall request{"GET", url, {}, {}};
    request.limits.connect = 30;
    request.stop = source.get_token();
    const SystemClock clock;
    const Seconds start = clock.now();
    static_cast<void>(client.perform(request));  // whatever answers there
    EXPECT_LT(clock.now() - start, 3) << url;
  }
}

TEST(HttpClient, StopsPromptly) {
  ScriptedServer server([](const auto&) { return ScriptedReply{reply(200).raw, 60}; });
  HttpClient client(true);
  std::stop_source source;
  const std::jthread stopper([&] {
    while (server.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    source.request_stop();
  });
  const SystemClock clock;
  const Seconds start = clock.now();
  HttpCall request{"GET", server.url() + "/", {}, {}};
  request.stop = source.get_token();
  const auto answer = client.perform(request);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, Kind::stopped);
  EXPECT_LT(clock.now() - start, 10);
}

TEST(HttpClient, ManyThreadsShareIt) {
  ScriptedServer server([](const ScriptedRequest& request) { return reply(200, request.target + request.body); });
  HttpClient client(true);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string body(static_cast<std::size_t>(1000 * t + i), static_cast<char>('a' + t));
          const ConstBytes piece = as_bytes(body);
          const std::string path = fmt::format("/{}/{}", t, i);
          const auto answer = client.perform({"PUT", server.url() + path, {}, {&piece, 1}});
          if (!answer || answer->body != path + body) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(server.requests().size(), 400U);
}

}  // namespace
}  // namespace funcpipe
