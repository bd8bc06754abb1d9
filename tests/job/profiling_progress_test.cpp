#include "job/profiling_progress.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/files.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

class MeasuredResultsFile : public ::testing::Test {
 protected:
  MeasuredResultsFile() { fs::remove_all(file_.parent_path()); }
  ~MeasuredResultsFile() override { fs::remove_all(file_.parent_path()); }

  const fs::path file_ = fs::path(::testing::TempDir()) / "measured_results_test" / "measured.json";
};

TEST_F(MeasuredResultsFile, GoesOnWithTheSameSettingsOnly) {
  {
    auto results = ProfilingProgress::open(file_, "model a");
    ASSERT_TRUE(results) << describe(results.error());
    results->add({1024, 1}, OptionMeasurement{.cold_start = 2});
    results->add({{1024, 1}, 4, 7}, {{true, 1, 2, 0, 0}, {3, 4, 5, 6}, 3});
    results->add({{512, 1}, 4, 7}, {.time = {.fits = false}, .sizes = {}, .least = 0});
    ASSERT_TRUE(results->save());
  }
  const auto again = ProfilingProgress::open(file_, "model a");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->layer_count(), 2U);
  ASSERT_NE(again->option({1024, 1}), nullptr);
  EXPECT_EQ(again->option({1024, 1})->cold_start, 2);
  EXPECT_EQ(again->option({1024, 2}), nullptr);
  ASSERT_NE(again->layer({{1024, 1}, 4, 7}), nullptr);
  EXPECT_EQ(again->layer({{1024, 1}, 4, 7})->sizes.working, 4);
  EXPECT_FALSE(again->layer({{512, 1}, 4, 7})->time.fits);
  EXPECT_EQ(again->layer({{1024, 1}, 1, 7}), nullptr);
  ASSERT_NE(again->fitting(4, 7), nullptr);
  EXPECT_TRUE(again->fitting(4, 7)->time.fits);
  EXPECT_EQ(again->fitting(4, 8), nullptr);

  const auto other = ProfilingProgress::open(file_, "model b");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->layer_count(), 0U);
}

TEST_F(MeasuredResultsFile, SaysWhereItIsDamaged) {
  ASSERT_TRUE(write_file(file_, R"({"settings": "model a", "options": [{"memory_mb": 1}], "layers": []})"));
  const auto results = ProfilingProgress::open(file_, "model a");
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().place, file_.string());
}

}  // namespace
}  // namespace funcpipe
