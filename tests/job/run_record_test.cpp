#include "job/run_record.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"

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
