#include "protocol/worker_ledger.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "golden_file.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

const WorkerLedger kLedger{.saved = {120, 2}, .collected = {100, 1}};

TEST(WorkerLedger, IsWhatTheGoldenFileSays) {
  expect_golden(to_json(kLedger).dump(), "protocol/data/ledger-v1.json");
  const auto read =
      worker_ledger_from_json(nlohmann::json::parse(golden_text("protocol/data/ledger-v1.json")), "ledger");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->saved, (Progress{120, 2}));
  EXPECT_EQ(read->collected, (Progress{100, 1}));
}

TEST(WorkerLedger, OfAnotherVersionOrDamagedIsRefused) {
  nlohmann::json json = to_json(kLedger);
  json["version"] = 9;
  const auto other = worker_ledger_from_json(json, "p/ledger/s0-r0.json");
  ASSERT_FALSE(other);
  EXPECT_THAT(describe(other.error()), HasSubstr("9"));
  for (const char* text : {"[]", "{}", "7", R"({"version": 1, "saved_iteration": "x"})"})
    EXPECT_FALSE(worker_ledger_from_json(nlohmann::json::parse(text), "p")) << text;
}

}  // namespace
}  // namespace funcpipe
