// A folder that lives as long as a test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.h"

namespace funcpipe {

class ScratchFolder : public ::testing::Test {
 protected:
  ScratchFolder() {
    std::string name = std::filesystem::temp_directory_path() / "funcpipe-data-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~ScratchFolder() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view content) {
    const std::filesystem::path path = folder_ / name;
    EXPECT_TRUE(write_file(path, content));
    return path.string();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace funcpipe
