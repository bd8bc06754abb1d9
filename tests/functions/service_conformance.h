// What every FunctionService must do. To enrol an implementation, one file:
//
//   #include "functions/service_conformance.h"
//   INSTANTIATE_TEST_SUITE_P(Mine, ServiceConformance, testing::Values(ServiceKind{"mine", [] { return make_mine();
//   }}));
//
// Its functions must behave as `conformance_function` does (a service in this process) or run the package that
// `conformance_package` makes (a service that starts processes on this machine).
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/files.h"
#include "functions/deployment_package.h"
#include "functions/function_service.h"
#include "functions/memory_service.h"

namespace funcpipe {

struct ServiceUnderTest {
  std::shared_ptr<void> owner;  // what the service stands on; destroyed after it
  std::unique_ptr<FunctionService> service;
};

struct ServiceKind {
  std::string name;
  std::function<ServiceUnderTest()> make;
};
inline void PrintTo(const ServiceKind& kind, std::ostream* out) {
  *out << kind.name;
}

// The function under test. Its payload is {"do": one of echo, environment, fail, sleep, write, ...}.
inline Result<std::string> conformance_function(const MemoryCall& call) {
  const auto ask = nlohmann::json::parse(call.payload);
  const std::string what = ask.at("do");
  call.log += "asked to " + what + "\n";
  if (what == "fail") return fail(ErrorCode::failed, ask.at("message"));
  if (what == "sleep") {
    SystemClock clock;
    clock.sleep_until(clock.now() + ask.at("seconds").get<double>(), call.stop);
  }
  if (what == "write" && !write_file(ask.at("path").get<std::string>(), ask.at("text").get<std::string>())) {
    return fail(ErrorCode::failed, "cannot write");
  }
  if (what == "environment") {
    const auto found = call.spec.environment.find(ask.at("name"));
    return nlohmann::json(found == call.spec.environment.end() ? "" : found->second).dump();
  }
  return call.payload;
}

// The same over Lambda's Runtime API, as a package.
inline std::string conformance_package() {
  constexpr const char* kBootstrap = R"(#!/usr/bin/python3
import json, os, time, urllib.request

base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def answer(request, kind, body):
    opener.open(urllib.request.Request(base + request + "/" + kind, data=body, method="POST")).read()

while True:
    with opener.open(base + "next", timeout=None) as event:
        request = event.headers["Lambda-Runtime-Aws-Request-Id"]
        payload = event.read()
    ask = json.loads(payload)
    print("asked to " + ask["do"], flush=True)
    if ask["do"] == "fail":
        error = {"errorType": "failed", "errorMessage": ask["message"]}
        answer(request, "error", json.dumps(error).encode())
        continue
    if ask["do"] == "sleep":
        time.sleep(ask["seconds"])
    if ask["do"] == "write":
        with open(ask["path"] + ".part", "w") as file:
            file.write(ask["text"])
        os.rename(ask["path"] + ".part", ask["path"])
    if ask["do"] == "environment":
        payload = json.dumps(os.environ.get(ask["name"], "")).encode()
    answer(request, "response", payload)
)";
  auto package = make_package({{"bootstrap", {kBootstrap, true}}});
  FUNCPIPE_CHECK(package.has_value(), "{}", package.error().message);
  return *package;
}

class ServiceConformance : public testing::TestWithParam<ServiceKind> {
 protected:
  FunctionService& service() { return *under_test_.service; }

  static FunctionSpec spec(const std::string& name) {
    FunctionSpec spec;
    spec.name = name;
    spec.memory_mb = 512;
    spec.timeout = 60;
    spec.zip = conformance_package();
    return spec;
  }
  void create(const FunctionSpec& wanted) {
    const auto created = service().create(wanted);
    ASSERT_TRUE(created.has_value()) << describe(created.error());
  }
  static std::string ask(nlohmann::json what) { return what.dump(); }
  std::string invoke(const std::string& name, const std::string& payload) {
    const auto answer = service().invoke(name, payload);
    EXPECT_TRUE(answer.has_value()) << describe(answer.error());
    if (!answer) return {};
    EXPECT_EQ(answer->function_error, std::nullopt);
    return answer->payload;
  }

 private:
  ServiceUnderTest under_test_ = GetParam().make();
};

TEST_P(ServiceConformance, CreatesInvokesRemoves) {
  EXPECT_EQ(service().exists("one").value_or(true), false);
  create(spec("one"));
  EXPECT_EQ(service().exists("one").value_or(false), true);
  const std::string payload = ask({{"do", "echo"}, {"text", "h\u00E9llo \"quotes\" \\ \n end"}});
  EXPECT_EQ(invoke("one", payload), payload);
  EXPECT_EQ(invoke("one", payload), payload) << "a second time";
  const auto removed = service().remove("one");
  ASSERT_TRUE(removed.has_value()) << describe(removed.error());
  EXPECT_EQ(service().exists("one").value_or(true), false);
  create(spec("one"));
  EXPECT_EQ(invoke("one", payload), payload) << "a name may come back";
}

TEST_P(ServiceConformance, NamesAreTakenOrMissing) {
  create(spec("taken"));
  const auto again = service().create(spec("taken"));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::already_exists) << describe(again.error());
  EXPECT_NE(again.error().place.find("taken"), std::string::npos);
  const std::string payload = ask({{"do", "echo"}});
  for (const ErrorCode code :
       {service().remove("missing").error().code, service().invoke("missing", payload).error().code,
        service().invoke_async("missing", payload).error().code}) {
    EXPECT_EQ(code, ErrorCode::not_found);
  }
}

TEST_P(ServiceConformance, FunctionsKeepTheirOwnEnvironment) {
  FunctionSpec one = spec("one"), two = spec("two");
  one.environment = {{"COLOUR", "red"}, {"EMPTY", ""}};
  two.environment = {{"COLOUR", "with spaces = and \"quotes\""}};
  create(one);
  create(two);
  EXPECT_EQ(invoke("one", ask({{"do", "environment"}, {"name", "COLOUR"}})), "\"red\"");
  EXPECT_EQ(nlohmann::json::parse(invoke("two", ask({{"do", "environment"}, {"name", "COLOUR"}}))),
            "with spaces = and \"quotes\"");
}

TEST_P(ServiceConformance, AFailedFunctionIsAnAnswerNotAnError) {
  create(spec("one"));
  const auto answer = service().invoke("one", ask({{"do", "fail"}, {"message", "out of luck"}}));
  ASSERT_TRUE(answer.has_value()) << describe(answer.error());
  EXPECT_EQ(answer->function_error, "failed: out of luck");
  EXPECT_EQ(nlohmann::json::parse(answer->payload).at("errorMessage"), "out of luck");
  const std::string payload = ask({{"do", "echo"}});
  EXPECT_EQ(invoke("one", payload), payload) << "the function works on";
}

TEST_P(ServiceConformance, ShowsTheEndOfTheLog) {
  create(spec("one"));
  const auto answer = service().invoke("one", ask({{"do", "echo"}}));
  ASSERT_TRUE(answer.has_value()) << describe(answer.error());
  EXPECT_NE(answer->log_tail.find("asked to echo\n"), std::string::npos) << answer->log_tail;
}

TEST_P(ServiceConformance, TimesOutAsToldAndSaysSo) {
  FunctionSpec brief = spec("brief");
  brief.timeout = 1;
  create(brief);
  const auto answer = service().invoke("brief", ask({{"do", "sleep"}, {"seconds", 45}}));
  ASSERT_TRUE(answer.has_value()) << describe(answer.error());
  ASSERT_TRUE(answer->function_error.has_value());
  EXPECT_NE(answer->function_error->find("timed out after 1.00 seconds"), std::string::npos) << *answer->function_error;
}

TEST_P(ServiceConformance, StopsWaitingWhenAsked) {
  create(spec("one"));
  std::stop_source source;
  const std::jthread stopper([&source] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    source.request_stop();
  });
  const SystemClock clock;
  const Seconds start = clock.now();
  const auto answer = service().invoke("one", ask({{"do", "sleep"}, {"seconds", 20}}), source.get_token());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::cancelled) << describe(answer.error());
  EXPECT_LT(clock.now() - start, 10);
}

TEST_P(ServiceConformance, FiresAndForgets) {
  const auto path = std::filesystem::temp_directory_path() / ("funcpipe-service-" + std::to_string(getpid()));
  std::filesystem::remove(path);
  create(spec("one"));
  const auto fired =
      service().invoke_async("one", ask({{"do", "write"}, {"path", path.string()}, {"text", "was here"}}));
  ASSERT_TRUE(fired.has_value()) << describe(fired.error());
  SystemClock clock;
  for (const Seconds limit = clock.now() + 30; !std::filesystem::exists(path) && clock.now() < limit;) {
    clock.sleep_until(clock.now() + 0.02);
  }
  EXPECT_EQ(read_file(path).value_or("nothing after 30 s"), "was here");
  std::filesystem::remove(path);
}

TEST_P(ServiceConformance, RunsInvocationsSideBySide) {
  constexpr int kCalls = 4;
  create(spec("one"));
  invoke("one", ask({{"do", "echo"}}));
  std::atomic<int> right = 0;
  const SystemClock clock;
  const Seconds start = clock.now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kCalls; ++i) {
      threads.emplace_back([&, i] {
        const std::string payload = ask({{"do", "sleep"}, {"seconds", 4}, {"number", i}});
        const auto answer = service().invoke("one", payload);
        if (answer && answer->payload == payload) ++right;
      });
    }
  }
  EXPECT_EQ(right, kCalls);
  EXPECT_LT(clock.now() - start, 4 * kCalls - 3) << "one after the other would take 16 s";
}

}  // namespace funcpipe
