#include "timeline/chrome_trace.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "golden_file.h"
#include "timeline/made_events.h"

namespace funcpipe {
namespace {

std::vector<std::vector<OpEvent>> some_events(const std::vector<Program>& programs) {
  std::vector<std::vector<OpEvent>> all(programs.size());
  for (std::size_t rank = 0; rank < programs.size(); ++rank)
    for (int op = 0; op < std::ssize(programs[rank].ops); ++op)
      all[rank].push_back({.op = op,
                           .iteration = 7,
                           .ready = 0.25 * op,
                           .start = 0.25 * op + 0.125,
                           .end = 0.25 * op + 0.375,
                           .cpu = 0.0625,
                           .asked = 0.25 * op + 0.1875});
  return all;
}

std::string written(const std::vector<Program>& programs, const std::vector<std::vector<OpEvent>>& events,
                    Seconds offset) {
  std::ostringstream out;
  ChromeTraceWriter writer(out);
  for (std::size_t rank = 0; rank < programs.size(); ++rank) {
    writer.worker(programs[rank], static_cast<int>(rank), offset, 0.0);
    writer.events(programs[rank], static_cast<int>(rank), offset, events[rank]);
  }
  writer.close();
  return out.str();
}

TEST(ChromeTrace, WhatIsWrittenIsReadAgain) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  const auto events = some_events(programs);
  const auto read = read_chrome_trace(written(programs, events, 1e9), programs, "trace.json");
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_EQ(read->size(), events.size());
  for (std::size_t rank = 0; rank < events.size(); ++rank) {
    ASSERT_EQ((*read)[rank].size(), events[rank].size());
    for (std::size_t i = 0; i < events[rank].size(); ++i) {
      const OpEvent &back = (*read)[rank][i], &given = events[rank][i];
      EXPECT_EQ(back.op, given.op);
      EXPECT_EQ(back.iteration, 7);
      EXPECT_DOUBLE_EQ(back.ready, given.ready - 0.125);
      EXPECT_DOUBLE_EQ(back.start, given.start - 0.125);
      EXPECT_DOUBLE_EQ(back.end, given.end - 0.125);
      EXPECT_DOUBLE_EQ(back.cpu, given.cpu);
      ASSERT_TRUE(back.asked);
      EXPECT_DOUBLE_EQ(*back.asked, *given.asked - 0.125);
    }
  }
}

TEST(ChromeTrace, IsJsonThatNamesWorkersLanesAndOperations) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  const std::string text = written(programs, some_events(programs), 0);
  EXPECT_EQ(text, written(programs, some_events(programs), 0));
  const nlohmann::json events = nlohmann::json::parse(text).at("traceEvents");
  EXPECT_EQ(events[0]["args"]["name"], "stage 0 replica 0");
  EXPECT_EQ(events[2]["args"]["name"], "download");
  EXPECT_EQ(events[4]["name"], "process start");
  const nlohmann::json& first = events[5];
  EXPECT_EQ(first["name"], std::string(to_string(programs[0].ops[0].kind)));
  EXPECT_EQ(first["ts"], 125000.0);
  EXPECT_EQ(first["dur"], 250000.0);
  EXPECT_EQ(first["args"]["waited_us"], 125000.0);
  EXPECT_EQ(first["args"]["op"], 0);
}

constexpr const char* kGolden = "timeline/data/trace-v1.json";

TEST(ChromeTrace, IsWrittenAsTheGoldenFile) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  Events events = two_stage_events(programs, 7);
  for (OpEvent& event : events[1])
    if (event.asked) {
      event.ready -= 0.5;
      event.cpu = 0.25;
    }
  expect_golden(written(programs, events, 1e6), kGolden);
}

TEST(ChromeTrace, ReadsTheGoldenFile) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  const auto read = read_chrome_trace(golden_text(kGolden), programs, kGolden);
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).size(), 12u);
  EXPECT_EQ(read->at(1).size(), 13u);
  const int receive = op_index(programs[1], OpKind::receive_activation, 0);
  const auto found = std::ranges::find(read->at(1), receive, &OpEvent::op);
  ASSERT_NE(found, read->at(1).end());
  EXPECT_EQ(found->iteration, 7);
  EXPECT_EQ(found->ready, -0.5);
  EXPECT_EQ(found->start, 0);
  EXPECT_EQ(found->end, 5);
  EXPECT_EQ(found->cpu, 0.25);
  EXPECT_EQ(found->asked, 4.5);
}

TEST(ChromeTrace, OfAnotherVersionIsRefusedAndOneWithoutIsOfTheFirst) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  nlohmann::json trace = nlohmann::json::parse(golden_text(kGolden));
  trace["version"] = 2;
  const auto later = read_chrome_trace(trace.dump(), programs, "trace.json");
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().place, "trace.json");
  EXPECT_THAT(later.error().message, testing::HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(later.error().hint, testing::HasSubstr("make the trace again"));
  trace.erase("version");
  EXPECT_TRUE(read_chrome_trace(trace.dump(), programs, "trace.json"));
}

TEST(ChromeTrace, RefusesWhatIsNoTraceOfThePlan) {
  const std::vector<Program> programs = programs_of(two_stage_plan());
  const auto events = some_events(programs);
  const std::string text = written(programs, events, 0);
  const auto message = [&](const std::string& trace, const std::vector<Program>& of) {
    const auto read = read_chrome_trace(trace, of, "trace.json");
    if (read) return std::string("read");
    EXPECT_EQ(read.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(read.error().place, "trace.json");
    EXPECT_FALSE(read.error().hint.empty());
    return read.error().message;
  };
  EXPECT_THAT(message("{", programs), testing::HasSubstr("not a trace"));
  EXPECT_THAT(message("[]", programs), testing::HasSubstr("not a trace"));
  EXPECT_THAT(message(R"({"traceEvents": [{"ph": "X"}]})", programs), testing::HasSubstr("not a trace"));
  EXPECT_THAT(message(text, {programs[0]}), testing::HasSubstr("process 1 is stage 1 replica 0"));
  Plan other = two_stage_plan();
  other.global_batch = 5;
  EXPECT_THAT(message(text, programs_of(other)), testing::HasSubstr("is not the plan's"));
  std::string old = text;
  for (std::size_t at; (at = old.find("\"op\":")) != std::string::npos;) old.replace(at, 5, "\"no\":");
  EXPECT_THAT(message(old, programs), testing::HasSubstr("no index"));
}

}  // namespace
}  // namespace funcpipe
