#include "job/run_record.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "golden_file.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

TEST(RunRecord, IsReadAsItWasWritten) {
  const fs::path runs = fs::path(::testing::TempDir()) / fmt::format("runs-{}", ::getpid());
  JobConfig::PlatformChoice cloud;
  cloud.s3_endpoint = "http://127.0.0.1:9000";
  cloud.lambda_endpoint = "http://127.0.0.1:9001";
  cloud.bucket = "mine";
  RunRecord record = record_of(cloud, "tiny-1", "jobs/tiny-1");
  record.functions = {"funcpipe-tiny-1024"};
  const RunFolder folder(runs / "tiny-1");
  ASSERT_TRUE(folder.write(record));
  ASSERT_EQ(RunFolder::all(runs).size(), 1u);
  const auto read = RunFolder::all(runs).front().read();
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->id, "tiny-1");
  EXPECT_EQ(read->prefix, "jobs/tiny-1");
  EXPECT_EQ(read->functions, record.functions);
  EXPECT_EQ(read->working_folder, fs::current_path());
  EXPECT_FALSE(read->embedded());
  EXPECT_EQ(read->cloud().lambda_endpoint, cloud.lambda_endpoint);
  EXPECT_EQ(read->cloud().bucket, "mine");
  EXPECT_FALSE(read->spec);
  EXPECT_TRUE(folder.remove());
  EXPECT_FALSE(fs::exists(runs));
}

constexpr const char* kGolden = "job/data/record-v1.json";

// What read() makes of `text` as the record of run fashion-17.
Result<RunRecord> read_as_record(std::string_view text) {
  const fs::path runs = fs::path(::testing::TempDir()) / fmt::format("golden-runs-{}", ::getpid());
  const RunFolder folder(runs / "fashion-17");
  EXPECT_TRUE(write_file(folder.path() / "record.json", text));
  auto record = folder.read();
  fs::remove_all(runs);
  return record;
}

// One of a training that has been published; its `spec` is job.json's golden file.
TEST(RunRecord, IsWrittenAsTheGoldenFile) {
  const std::string job = "protocol/data/job-v2.json";
  const auto spec = job_spec_from_json(*parse_json(golden_text(job), job), job);
  ASSERT_TRUE(spec) << describe(spec.error());
  const RunRecord record{.id = "fashion-17",
                         .prefix = "jobs/fashion-17",
                         .s3_endpoint = "http://127.0.0.1:9000",
                         .lambda_endpoint = "http://127.0.0.1:9001",
                         .region = "us-east-1",
                         .bucket = "mine",
                         .functions = {"funcpipe-fashion-1024", "funcpipe-fashion-2048"},
                         .working_folder = "/home/me",
                         .spec = *spec};
  const fs::path runs = fs::path(::testing::TempDir()) / fmt::format("written-runs-{}", ::getpid());
  const RunFolder folder(runs / "fashion-17");
  ASSERT_TRUE(folder.write(record));
  expect_golden(read_file(folder.path() / "record.json").value_or(""), kGolden);
  fs::remove_all(runs);
}

TEST(RunRecord, ReadsTheGoldenFile) {
  const auto read = read_as_record(golden_text(kGolden));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->id, "fashion-17");
  EXPECT_EQ(read->prefix, "jobs/fashion-17");
  EXPECT_EQ(read->s3_endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(read->lambda_endpoint, "http://127.0.0.1:9001");
  EXPECT_EQ(read->region, "us-east-1");
  EXPECT_EQ(read->bucket, "mine");
  EXPECT_EQ(read->functions, (std::vector<std::string>{"funcpipe-fashion-1024", "funcpipe-fashion-2048"}));
  EXPECT_EQ(read->working_folder, "/home/me");
  ASSERT_TRUE(read->spec);
  EXPECT_EQ(read->spec->id, "fashion-17");
}

TEST(RunRecord, OfAnotherVersionIsRefusedAndStays) {
  auto json = nlohmann::json::parse(golden_text(kGolden));
  json["version"] = 2;
  const auto read = read_as_record(json.dump());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(read.error().message, ::testing::HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(read.error().hint, ::testing::HasSubstr("the release of funcpipe that began it"));
  EXPECT_THAT(read.error().hint, ::testing::HasSubstr("it stays"));
}

TEST(RunRecord, RemovingARunLeavesFilesThatAreNotARuns) {
  const fs::path runs = fs::path(::testing::TempDir()) / fmt::format("mixed-runs-{}", ::getpid());
  const RunFolder folder(runs / "x");
  ASSERT_TRUE(folder.write(record_of({}, "x", "jobs/x")));
  for (const char* name : {"bill.json", "mine.txt"}) ASSERT_TRUE(write_file(folder.path() / name, "text"));
  EXPECT_FALSE(folder.remove());
  EXPECT_EQ(folder.read().error().code, ErrorCode::not_found);
  EXPECT_FALSE(fs::exists(folder.bill()));
  EXPECT_TRUE(fs::exists(folder.path() / "mine.txt"));
  EXPECT_FALSE(folder.remove()) << "nothing says that it is a run's";
  fs::remove_all(runs);
}

TEST(RunRecord, OfAnotherRunIsRefused) {
  const fs::path runs = fs::path(::testing::TempDir()) / fmt::format("other-runs-{}", ::getpid());
  const RunFolder folder(runs / "x");
  RunRecord stranger = record_of({}, "x", "jobs/x");
  stranger.functions = {"somebody-elses"};
  for (const RunRecord& record :
       {record_of({}, "y", "jobs/y"), record_of({}, "x", "jobs/y"), record_of({}, "x", "other/x"), stranger}) {
    ASSERT_TRUE(folder.write(record));
    const auto read = folder.read();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::invalid_input);
    EXPECT_NE(read.error().hint, "");
  }
  fs::remove_all(runs);
}

TEST(RunRecord, ADamagedOneNeverNamesAWholeBucket) {
  const fs::path runs = fs::path(::testing::TempDir()) / fmt::format("damaged-runs-{}", ::getpid());
  const RunFolder folder(runs / "x");
  for (const char* prefix : {"", "/", "jobs/"}) {
    ASSERT_TRUE(folder.write(record_of({}, "x", prefix)));
    EXPECT_FALSE(folder.read()) << prefix;
  }
  ASSERT_TRUE(write_file(folder.path() / "record.json", "{"));
  EXPECT_FALSE(folder.read());
  folder.remove();
  EXPECT_EQ(folder.read().error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace funcpipe
