// A reduced comparison end to end: its files, the same bytes however many threads, ours at least as good as published.
#include "comparison/comparison.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "comparison/results.h"
#include "planner/made_profile.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Reduced : public ::testing::Test {
 protected:
  Reduced() {
    std::filesystem::create_directories(folder_);
    EXPECT_TRUE(save_profile(made_profile(*load_platform("aws-lambda-70MBps"), 8), folder_ / "made.json"));
    selection_.models = {(folder_ / "made.json").string()};
    selection_.batches = {8, 16};
    selection_.platforms = {"aws-lambda-70MBps"};
  }
  ~Reduced() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("funcpipe_comparison_" + std::to_string(::getpid()));
  Selection selection_;
};

TEST_F(Reduced, GivesTheSameBytesWithAnyNumberOfThreads) {
  selection_.threads = 1;
  const auto one = run_comparison(selection_, {});
  ASSERT_TRUE(one) << describe(one.error());
  selection_.threads = 3;
  int last = 0, all = 0;
  const auto three = run_comparison(selection_, {}, [&](int done, int of) {
    EXPECT_EQ(done, last + 1);
    last = done;
    all = of;
  });
  ASSERT_TRUE(three);
  EXPECT_EQ(last, all);
  const std::vector<ResultFile> a = result_files(*one), b = result_files(*three);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].content, b[i].content) << a[i].name;
    EXPECT_THAT(a[i].content, Not(HasSubstr(folder_.string()))) << "a place on this machine";
  }
  for (const Cell& cell : one->cells) EXPECT_TRUE(cell.ours_covers_published()) << cell.batch;

  ASSERT_TRUE(write_results(result_files(*one), folder_ / "results"));
  const auto readme = read_file(folder_ / "results" / "README.md");
  ASSERT_TRUE(readme);
  for (const char* part : {"aws-lambda-70MBps", "made.json", "Seed 1", "c5.9xlarge", "1.30x to 2.20x"})
    EXPECT_THAT(*readme, HasSubstr(part));
}

TEST_F(Reduced, HearsAStop) {
  std::stop_source source;
  source.request_stop();
  const auto stopped = run_comparison(selection_, source.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST_F(Reduced, RefusesWhatThereIsNot) {
  Selection other = selection_;
  other.platforms = {"aws-lambada"};
  EXPECT_EQ(run_comparison(other, {}).error().code, ErrorCode::not_found);
  other = selection_;
  other.models = {"resnet1001"};
  EXPECT_EQ(run_comparison(other, {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(prepare_folder("/proc/nowhere").error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace funcpipe
