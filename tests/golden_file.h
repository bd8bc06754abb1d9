// Golden files: for each page of docs/formats a small file that the format's writer once made. Tests read it field by
// field and write it again, so nobody changes a format without knowing it. Where a change is meant: raise the version
// if a reader of before would not take the new file, delete the golden file, and run the test with
// FUNCPIPE_MAKE_GOLDEN=1.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.h"

namespace funcpipe {

// `name` counts from the tests' folder: "profile/data/profile-v1.json".
inline std::filesystem::path golden_path(std::string_view name) {
  return std::filesystem::path(FUNCPIPE_SOURCE_DIR) / "tests" / name;
}

// Its bytes. Nothing, and the test fails, if there is no such file.
inline std::string golden_text(std::string_view name) {
  const auto text = read_file(golden_path(name));
  EXPECT_TRUE(text) << describe(text.error());
  return text.value_or("");
}

// Makes the golden file of `written` if it is missing and FUNCPIPE_MAKE_GOLDEN is set. For formats that are compared
// field by field alone, because their bytes depend on the release of libtorch.
inline void make_golden(std::string_view written, std::string_view name) {
  const std::filesystem::path path = golden_path(name);
  if (std::getenv("FUNCPIPE_MAKE_GOLDEN") == nullptr || std::filesystem::exists(path)) return;
  const auto made = write_file(path, written);
  EXPECT_TRUE(made) << describe(made.error());
}

// Fails unless `written` is the golden file, byte for byte.
inline void expect_golden(std::string_view written, std::string_view name) {
  make_golden(written, name);
  const std::string golden = golden_text(name);
  std::size_t same = 0;
  while (same < golden.size() && same < written.size() && golden[same] == written[same]) ++same;
  EXPECT_TRUE(written == golden) << "the format has changed: tests/" << name << " has " << golden.size()
                                 << " bytes, the writer gives " << written.size() << ", of which the first " << same
                                 << " are the same; tests/golden_file.h says what to do where that is meant";
}

}  // namespace funcpipe
