// The Lambda client against servers that answer in every way Lambda does, and in some it should not.
#include "functions/lambda_service.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "store/digest.h"
#include "store/scripted_server.h"
#include "store/sigv4.h"

namespace funcpipe {
namespace {

using nlohmann::json;

std::unique_ptr<LambdaService> service_at(const std::string& url,
                                          const std::function<void(LambdaServiceOptions&)>& change = {}) {
  LambdaServiceOptions options;
  options.endpoint.url = url;
  options.credentials = {"AKID", "secret", "token"};
  options.retry.first_delay = 0.002;
  options.retry.total_loopback_refused = 0.2;
  options.retry.seed = 1;
  if (change) change(options);
  auto service = LambdaService::open(options);
  EXPECT_TRUE(service.has_value()) << describe(service.error());
  return std::move(*service);
}

ScriptedReply state(const std::string& state, const std::string& update = "Successful") {
  return reply(
      200, json{{"Configuration", {{"State", state}, {"LastUpdateStatus", update}, {"StateReason", "why"}}}}.dump());
}

ScriptedReply error(int status, const std::string& type, const std::string& message) {
  return reply(status, json{{"Type", "User"}, {"Message", message}}.dump(), "x-amzn-ErrorType: " + type + "\r\n");
}

TEST(LambdaService, CreatesAndWaitsUntilActive) {
  ScriptedServer server([](const ScriptedRequest& request) {
    if (request.method == "POST") return reply(201, "{}");
    if (request.number < 3) return state("Pending", "InProgress");
    return request.number < 5 ? state("Active", "InProgress") : state("Active");
  });
  FunctionSpec spec;
  spec.name = "worker";
  spec.memory_mb = 2048;
  spec.timeout = 300;
  spec.zip = std::string("PK\0\1\xFF", 5);
  spec.environment = {{"A", "1"}};
  const auto created = service_at(server.url())->create(spec);
  ASSERT_TRUE(created.has_value()) << describe(created.error());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 6U);
  EXPECT_EQ(requests[0].target, "/2015-03-31/functions");
  EXPECT_EQ(requests[1].target, "/2015-03-31/functions/worker");
  const json body = json::parse(requests[0].body);
  EXPECT_EQ(body, (json{{"FunctionName", "worker"},
                        {"Runtime", "provided.al2023"},
                        {"Handler", "bootstrap"},
                        {"Role", spec.role},
                        {"MemorySize", 2048},
                        {"Timeout", 300},
                        {"Code", {{"ZipFile", base64(spec.zip)}}},
                        {"Environment", {{"Variables", {{"A", "1"}}}}}}));
}

TEST(LambdaService, NamesVcpusOnlyWhereTheyAreChosen) {
  ScriptedServer server(
      [](const ScriptedRequest& request) { return request.method == "POST" ? reply(201, "{}") : state("Active"); });
  ASSERT_TRUE(service_at(server.url())->create({.name = "f", .memory_mb = 2048, .vcpus = 0.5}));
  EXPECT_EQ(json::parse(server.requests().at(0).body)["Cpu"], 0.5);
}

TEST(LambdaService, SignsForLambda) {
  ScriptedServer server([](const auto&) { return reply(404); });
  EXPECT_EQ(*service_at(server.url())->exists("a:b"), false);
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.target, "/2015-03-31/functions/a%3Ab");
  EXPECT_EQ(request.headers.at("x-amz-security-token"), "token");
  const auto authorization = parse_authorization(request.headers.at("authorization"));
  ASSERT_TRUE(authorization.has_value());
  SignableRequest signable{request.method, request.target, "", {}, hex(sha256(std::string_view()))};
  for (const std::string& name : authorization->signed_headers) {
    signable.headers.emplace_back(name, request.headers.at(name));
  }
  EXPECT_EQ(signature_v4(signable, {"lambda", "us-east-1", request.headers.at("x-amz-date")}, "secret"),
            authorization->signature);
}

TEST(LambdaService, SaysThatAFunctionNeverBecameActive) {
  for (const std::string last : {"Pending", "Failed"}) {
    ScriptedServer server([&](const auto& request) { return request.number == 0 ? reply(201) : state(last); });
    const auto service = service_at(server.url(), [](LambdaServiceOptions& options) { options.ready_limit = 0.2; });
    const auto created = service->create({.name = "slow"});
    ASSERT_FALSE(created.has_value());
    EXPECT_EQ(created.error().code, last == "Failed" ? ErrorCode::failed : ErrorCode::timeout);
    EXPECT_EQ(created.error().place, "function slow");
    EXPECT_NE(created.error().message.find(last == "Failed" ? "why" : "Pending"), std::string::npos)
        << created.error().message;
  }
}

TEST(LambdaService, ALostAnswerToCreateIsNoStrangersFunction) {
  ScriptedServer server([](const ScriptedRequest& request) -> ScriptedReply {
    if (request.number == 0) return {"", 0, true};
    if (request.number == 1) return error(409, "ResourceConflictException", "Function already exist: f");
    return state("Active");
  });
  const auto created = service_at(server.url())->create({.name = "f"});
  EXPECT_TRUE(created.has_value()) << describe(created.error());
}

TEST(LambdaService, InvokesAndReadsTheAnswer) {
  const std::string log = "line\nREPORT RequestId: 1 Duration: 2.00 ms\n";
  ScriptedServer server(
      [&](const auto&) { return reply(200, "{\"loss\": 1}", "X-Amz-Log-Result: " + base64(log) + "\r\n"); });
  const auto answer = service_at(server.url())->invoke("f", "{\"rank\": 0}");
  ASSERT_TRUE(answer.has_value()) << describe(answer.error());
  EXPECT_EQ(answer->payload, "{\"loss\": 1}");
  EXPECT_EQ(answer->log_tail, log);
  EXPECT_EQ(answer->function_error, std::nullopt);
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.target, "/2015-03-31/functions/f/invocations");
  EXPECT_EQ(request.body, "{\"rank\": 0}");
  EXPECT_EQ(request.headers.at("x-amz-invocation-type"), "RequestResponse");
  EXPECT_EQ(request.headers.at("x-amz-log-type"), "Tail");
}

TEST(LambdaService, ReadsFunctionErrors) {
  const std::map<std::string, std::string> expected{
      {R"({"errorMessage": "boom", "errorType": "Runtime.ExitError"})", "Runtime.ExitError: boom"},
      {R"({"errorMessage": "Task timed out after 3.00 seconds"})", "Task timed out after 3.00 seconds"},
      {"no json", "Unhandled: no json"},
      {"[1]", "Unhandled: [1]"},
      {R"({"errorMessage": 5})", R"(Unhandled: {"errorMessage": 5})"}};
  for (const auto& [payload, text] : expected) {
    ScriptedServer server([&](const auto&) { return reply(200, payload, "X-Amz-Function-Error: Unhandled\r\n"); });
    const auto answer = service_at(server.url())->invoke("f", "{}");
    ASSERT_TRUE(answer.has_value()) << describe(answer.error());
    EXPECT_EQ(answer->function_error, text);
    EXPECT_EQ(answer->payload, payload);
  }
}

TEST(LambdaService, NeverInvokesTwiceOnALostAnswer) {
  for (const auto& answer : {ScriptedReply{"", 0, true}, ScriptedReply{"HTTP/1.1 200 OK\r\nContent-Le", 0, true},
                             reply(500), reply(502), reply(503)}) {
    ScriptedServer server([&](const auto&) { return answer; });
    const auto invocation = service_at(server.url())->invoke("f", "{}");
    ASSERT_FALSE(invocation.has_value());
    EXPECT_EQ(invocation.error().code, ErrorCode::unavailable) << describe(invocation.error());
    EXPECT_EQ(server.requests().size(), 1U) << answer.raw;
  }
}

// libcurl repeats by itself what it sent over a kept connection that turns out dead.
TEST(LambdaService, NeverInvokesOverAKeptConnection) {
  ScriptedServer server([](const ScriptedRequest& request) -> ScriptedReply {
    return request.method == "GET" ? reply(200, "{}") : ScriptedReply{"", 0, true};
  });
  const auto service = service_at(server.url());
  ASSERT_TRUE(service->exists("f").has_value());
  EXPECT_FALSE(service->invoke("f", "{}").has_value());
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_NE(requests[0].connection, requests[1].connection);
}

TEST(LambdaService, WaitsItsTurnWhenThrottled) {
  ScriptedServer server([](const ScriptedRequest& request) {
    return request.number < 2 ? reply(429, "{}", "Retry-After: 0\r\n") : reply(200, "\"done\"");
  });
  const auto answer = service_at(server.url())->invoke("f", "{}");
  ASSERT_TRUE(answer.has_value()) << describe(answer.error());
  EXPECT_EQ(answer->payload, "\"done\"");

  ScriptedServer full([](const auto&) { return error(429, "TooManyRequestsException", "Rate Exceeded."); });
  const auto service = service_at(full.url(), [](LambdaServiceOptions& options) { options.retry.tries = 3; });
  const auto exhausted = service->invoke("f", "{}");
  ASSERT_FALSE(exhausted.has_value());
  EXPECT_EQ(exhausted.error().code, ErrorCode::exhausted);
  EXPECT_NE(exhausted.error().message.find("Rate Exceeded"), std::string::npos);
  EXPECT_EQ(full.requests().size(), 3U);
}

TEST(LambdaService, AnInvocationHasItsOwnLimit) {
  ScriptedServer server([](const auto&) { return ScriptedReply{reply(200, "\"late\"").raw, 1.2}; });
  const auto patient = service_at(server.url(), [](LambdaServiceOptions& options) {
    options.limits.stall = 1;
    options.limits.overall = 0.1;
  });
  const auto late = patient->invoke("f", "{}");
  ASSERT_TRUE(late.has_value()) << describe(late.error());
  EXPECT_EQ(late->payload, "\"late\"");
  const auto hasty = service_at(server.url(), [](LambdaServiceOptions& options) { options.invocation_limit = 0.2; });
  const auto timeout = hasty->invoke("f", "{}");
  ASSERT_FALSE(timeout.has_value());
  EXPECT_EQ(timeout.error().code, ErrorCode::timeout);
  EXPECT_EQ(timeout.error().place, "function f");
}

TEST(LambdaService, StopsWaitingPromptly) {
  ScriptedServer server([](const auto&) { return ScriptedReply{reply(200).raw, 60}; });
  std::stop_source source;
  const std::jthread stopper([&] {
    while (server.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    source.request_stop();
  });
  const SystemClock clock;
  const Seconds start = clock.now();
  const auto answer = service_at(server.url())->invoke("f", "{}", source.get_token());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::cancelled);
  EXPECT_LT(clock.now() - start, 10);
}

TEST(LambdaService, FiresEvents) {
  ScriptedServer server([](const auto& request) { return reply(request.number == 0 ? 503 : 202); });
  const auto fired = service_at(server.url())->invoke_async("f", "{}");
  ASSERT_TRUE(fired.has_value()) << describe(fired.error());
  EXPECT_EQ(server.requests().back().headers.at("x-amz-invocation-type"), "Event");
  EXPECT_EQ(server.requests().size(), 2U) << "at least once: another try does no harm";
}

TEST(LambdaService, SaysWhatTheServiceSaid) {
  const std::vector<std::tuple<int, std::string, ErrorCode>> cases{
      {400, "InvalidParameterValueException", ErrorCode::invalid_input},
      {403, "AccessDeniedException", ErrorCode::permission_denied},
      {404, "ResourceNotFoundException:http://internal", ErrorCode::not_found},
      {409, "ResourceConflictException", ErrorCode::already_exists},
      {413, "RequestTooLargeException", ErrorCode::invalid_input},
      {418, "TeapotException", ErrorCode::failed}};
  for (const auto& [status, type, code] : cases) {
    ScriptedServer server([&, s = status, t = type](const auto&) { return error(s, t, "in its own words"); });
    const auto created = service_at(server.url())->create({.name = "f"});
    ASSERT_FALSE(created.has_value());
    EXPECT_EQ(created.error().code, code) << status;
    EXPECT_NE(created.error().message.find("in its own words"), std::string::npos) << created.error().message;
    EXPECT_NE(created.error().message.find("Exception: "), std::string::npos) << created.error().message;
  }
}

TEST(LambdaService, NobodyThere) {
  std::string url;
  {
    const ScriptedServer server([](const auto&) { return reply(200); });
    url = server.url();
  }
  const auto answer = service_at(url)->invoke("f", "{}");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_NE(answer.error().message.find(url), std::string::npos);
  EXPECT_NE(answer.error().message.find("tries"), std::string::npos) << "refused connections are tried again";
  EXPECT_NE(answer.error().hint.find("emulator"), std::string::npos);
}

}  // namespace
}  // namespace funcpipe
