#include "protocol/job_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace funcpipe {
namespace {

// One key of every kind, and of those that differ in one figure, two.
const std::vector<std::string> kResults = {job_spec_key("p"),
                                           report_key("p", 10, 0),
                                           report_key("p", 10, 1),
                                           report_key("p", 1, 10),
                                           validation_report_key("p", 1, 0),
                                           trace_key("p", {1, 0}),
                                           trace_key("p", kParameterServer),
                                           trained_key("p", 0),
                                           trained_key("p", 1)};
const std::vector<std::string> kOthers = {stage_key("p", 0),
                                          stage_key("p", 1),
                                          stop_key("p"),
                                          block_key(input_column_prefix(training_data_prefix("p")), 0),
                                          block_key(input_column_prefix(training_data_prefix("p")), 1),
                                          block_key(target_column_prefix(training_data_prefix("p")), 0),
                                          block_key(input_column_prefix(validation_data_prefix("p")), 0),
                                          block_key(target_column_prefix(validation_data_prefix("p")), 0),
                                          snapshot_key("p", 1, 0, {0, 0}),
                                          snapshot_key("p", 1, 0, {1, 0}),
                                          snapshot_key("p", 1, 1, {0, 1}),
                                          claim_key("p", {1, 0}),
                                          ledger_key("p", {1, 0}),
                                          waiting_key("p", {1, 0}),
                                          waiting_key("p", kParameterServer),
                                          waiting_key(validation_prefix("p"), {1, 0})};

TEST(JobKeys, AreDistinctAndUnderThePrefix) {
  std::set<std::string> keys(kResults.begin(), kResults.end());
  keys.insert(kOthers.begin(), kOthers.end());
  EXPECT_EQ(keys.size(), kResults.size() + kOthers.size());
  for (const std::string& key : keys) EXPECT_TRUE(key.starts_with("p/")) << key;
}

// A finished training may wait in the store for another release to assemble it.
TEST(JobKeys, StayWhatTheyAre) {
  EXPECT_EQ(job_prefix("fashion-17"), "jobs/fashion-17");
  EXPECT_EQ(job_spec_key("p"), "p/job.json");
  EXPECT_EQ(stage_key("p", 3), "p/model/stage-03.pt");
  EXPECT_EQ(stop_key("p"), "p/stop");
  EXPECT_EQ(block_key(input_column_prefix(training_data_prefix("p")), 12), "p/data/train/input/00000012");
  EXPECT_EQ(block_key(target_column_prefix(validation_data_prefix("p")), 0), "p/data/validation/target/00000000");
  EXPECT_EQ(report_key("p", 10, 0), "p/report/i00000010-r0.json");
  EXPECT_EQ(validation_report_key("p", 2, 1), "p/validation/v00000002-r1.json");
  const std::string snapshot = snapshot_key("p", 10, 2, {3, 1});
  EXPECT_EQ(snapshot, "p/snapshot/s3-r1/i000000000010-v000000000002");
  EXPECT_EQ(progress_of_snapshot(snapshot), (Progress{10, 2}));
  for (const char* other : {"", "i", "p/snapshot/s3-r1/i000000000010-v00000000000x", "p/i000000000010-v0000000000022",
                            "i-00000000010-v000000000002"})
    EXPECT_FALSE(progress_of_snapshot(other)) << other;
  EXPECT_EQ(claim_key("p", {3, 1}), "p/claim/s3-r1");
  EXPECT_EQ(ledger_key("p", {3, 1}), "p/ledger/s3-r1.json");
  EXPECT_EQ(trace_key("p", {3, 1}), "p/trace/s3-r1.json");
  EXPECT_EQ(trace_key("p", kParameterServer), "p/trace/server.json");
  EXPECT_EQ(trained_key("p", 3), "p/trained/stage-03.pt");
  EXPECT_EQ(waiting_key("p", {3, 1}), "p/waiting/s3-r1.json");
  EXPECT_EQ(waiting_key("p", kParameterServer), "p/waiting/server.json");
  EXPECT_EQ(waiting_key(validation_prefix("p"), {3, 1}), "p/validation/waiting/s3-r1.json");
}

TEST(JobKeys, TellResultsFromTheRest) {
  for (const std::string& key : kResults) EXPECT_TRUE(is_result_key("p", key)) << key;
  for (const std::string& key : kOthers) EXPECT_FALSE(is_result_key("p", key)) << key;
  EXPECT_FALSE(is_result_key("p", "p/validation/i00000001/activation/s0-r0/m0")) << "what a round exchanges";
  for (const std::string& key : kResults) EXPECT_FALSE(is_result_key("q", key)) << key << " of another job";
  EXPECT_FALSE(is_result_key("p", job_spec_key("p/x")));
}

}  // namespace
}  // namespace funcpipe
