#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {
namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  Files() : folder_(fs::temp_directory_path() / fmt::format("funcpipe-files-{}", ::getpid())) {}
  ~Files() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(Files, WritesMakeFoldersAndLeaveNoPartialFile) {
  const fs::path path = folder_ / "a" / "b.txt";
  ASSERT_TRUE(write_file(path, "first"));
  ASSERT_TRUE(write_file(path, "second"));
  EXPECT_EQ(*read_file(path), "second");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a"), {}), 1);
}

TEST_F(Files, ADeviceThatNeverEndsIsRefused) {
  const auto zeros = read_file("/dev/zero");
  ASSERT_FALSE(zeros);
  EXPECT_EQ(zeros.error().code, ErrorCode::invalid_input);
  EXPECT_EQ(zeros.error().place, "/dev/zero");
  EXPECT_EQ(*read_file("/dev/null"), "");
}

TEST_F(Files, APipeIsReadToItsEnd) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "some text", 9), 9);
  close(ends[1]);
  EXPECT_EQ(*read_file(fmt::format("/dev/fd/{}", ends[0])), "some text");
  close(ends[0]);
}

TEST_F(Files, APipeIsWrittenToAndNotReplaced) {
  fs::create_directories(folder_);
  const fs::path path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  EXPECT_TRUE(write_file(path, "text"));
  char content[8] = {};
  EXPECT_EQ(read(reader, content, sizeof content), 4);
  close(reader);
  EXPECT_TRUE(fs::is_fifo(path));
}

// RLIMIT_FSIZE stands in for a full disk: the write fails part way with EFBIG.
TEST_F(Files, AFailedWriteLeavesTheOldContentAndNoPartialFile) {
  const fs::path path = folder_ / "a.txt";
  ASSERT_TRUE(write_file(path, "old"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{4096, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto written = write_file(path, std::string(1 << 20, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().place, path.string());
  EXPECT_EQ(*read_file(path), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, ReadingNamesWhatIsMissingOrWrong) {
  EXPECT_EQ(read_file(folder_ / "none").error().code, ErrorCode::not_found);
  EXPECT_EQ(read_file(fs::temp_directory_path()).error().code, ErrorCode::invalid_input);
  ASSERT_TRUE(write_file(folder_ / "bad.json", "{\"a\": }"));
  const auto error = read_json(folder_ / "bad.json").error();
  EXPECT_EQ(error.code, ErrorCode::invalid_input);
  EXPECT_NE(error.message.find("byte 7"), std::string::npos) << error.message;
  EXPECT_EQ(parse_json("[1e999]", "there").error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace funcpipe
