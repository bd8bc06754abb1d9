#include "job/fresh_name.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

class FreshName : public ::testing::Test {
 protected:
  FreshName() { fs::remove_all(folder_); }
  void leave(const std::string& name, const char* file) {
    fs::create_directories(folder_ / name);
    EXPECT_TRUE(write_file(folder_ / name / file, "x"));
  }
  std::string fresh(const std::string& name) const { return fresh_name({.name = name, .folder = folder_.string()}); }

  const fs::path folder_ = fs::path(::testing::TempDir()) / "fresh_name";
};

TEST_F(FreshName, IsTheJobsOwnUnlessResultsLieThere) {
  EXPECT_EQ(fresh("job"), "job");
  leave("job/cloud", "log");
  EXPECT_EQ(fresh("job"), "job") << "a run that failed left no result";
  leave("job", "model.pt");
  EXPECT_EQ(fresh("job"), "job-2");
  leave("job-2", "state_dict.pt");
  EXPECT_EQ(fresh("job"), "job-3");
  EXPECT_EQ(fresh("other"), "other");
}

TEST_F(FreshName, StaysWithinWhatAJobsNameMayHave) {
  const std::string longest(40, 'n');
  leave(longest, "model.pt");
  EXPECT_EQ(fresh(longest), std::string(38, 'n') + "-2");
}

}  // namespace
}  // namespace funcpipe
