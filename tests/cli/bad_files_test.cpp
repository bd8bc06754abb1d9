// Files that would stop the program, or steer the terminal, if they were taken for what they should be.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>

#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(BadFiles, APipeIsRefusedByNameWithoutWaiting) {
  const ScratchJob job("bad_pipe");
  ASSERT_EQ(::mkfifo((job.folder() / "pipe").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((job.folder() / "pipe.toml").c_str(), 0600), 0);
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"train", "pipe.toml"},
                                                    {"validate", "pipe"},
                                                    {"emulate", "--platform", "pipe.toml"},
                                                    {"plan", "pipe", "--batch", "8"},
                                                    {"simulate", "pipe", "--profile", "pipe"},
                                                    {"plan", "/dev/zero", "--batch", "8"}}) {
    const ChildOutput output = job.run(arguments, "ulimit -t 20");
    EXPECT_EQ(output.exit_code, 2) << arguments[0] << " " << output.err;
    const auto file = std::ranges::find_if(
        arguments, [](const std::string& word) { return word.starts_with("pipe") || word.starts_with("/dev"); });
    EXPECT_THAT(output.err, HasSubstr(*file + ": is a "));
    EXPECT_THAT(output.err, HasSubstr("not a regular file"));
    EXPECT_THAT(output.err, HasSubstr("hint: "));
  }
}

TEST(BadFiles, AKeyOfAHundredThousandPartsIsRefused) {
  const ScratchJob job("bad_keys");
  std::string key = "a";
  for (int i = 1; i < 100'000; ++i) key += ".a";
  job.write("key.toml", key + " = 1\n");
  job.write("header.toml", "[" + key + "]\n");
  job.write("platform.toml", "format = 1\n" + key + " = 1\n");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"validate", "key.toml"},
                                                    {"train", "header.toml"},
                                                    {"emulate", "--platform", "platform.toml", "--folder", "cloud"}}) {
    const ChildOutput output = job.run(arguments);
    EXPECT_EQ(output.exit_code, 2) << output.err;
    EXPECT_THAT(output.err, HasSubstr(".toml:"));
    EXPECT_THAT(output.err, HasSubstr("a key has more than 32 parts"));
  }
}

TEST(BadFiles, WhatIsInThemDoesNotSteerTheTerminal) {
  const ScratchJob job("bad_escapes");
  job.write("escape.toml", "[job]\n\"\\u001b[2J\\u0007\\u0000x\" = 1\n");
  const ChildOutput output = job.run({"validate", "escape.toml"});
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.err, HasSubstr(R"(\x1b[2J\x07\x00x)"));
  EXPECT_THAT(output.err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(output.err, Not(HasSubstr("\a")));
}

}  // namespace
}  // namespace funcpipe
