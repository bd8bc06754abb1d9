// Every file format has a page, a version and a golden file (CONTRIBUTING.md): a page that is added without a line here
// fails, and so does a line whose golden file no test of its room reads.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "golden_file.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Pages of docs/formats and their golden files, which count from the tests' folder.
const std::map<std::string, std::vector<std::string>> kGoldenFiles{
    {"bill", {"catalog/data/bill-v1.json"}},
    {"function", {"emulator/data/function-v1.json"}},
    {"history", {"job/data/history-v1.jsonl", "job/data/validation-v1.json"}},
    {"job", {"protocol/data/job-v2.json"}},
    {"ledger", {"protocol/data/ledger-v1.json"}},
    {"model-description", {"profile/data/model-description-v1.json"}},
    {"objects", {"emulator/data/object-v1.bin"}},
    {"plan", {"schedule/data/plan-v1.json", "schedule/data/plan-with-server-v1.json"}},
    {"platform",
     {"catalog/data/platform-v1.toml", "catalog/data/platform-by-memory-v1.toml",
      "catalog/data/servers/server-v1.toml"}},
    {"profile", {"profile/data/profile-v1.json"}},
    {"run-record", {"job/data/record-v1.json", "job/data/reports-v1.jsonl"}},
    {"snapshot", {"worker/data/snapshot-v1.bin"}},
    {"stage", {"model/data/stage-v1.pt"}},
    {"tensors", {"protocol/data/tensors-v1.bin"}},
    {"trace", {"timeline/data/trace-v1.json"}}};

const fs::path kPages = fs::path(FUNCPIPE_SOURCE_DIR) / "docs/formats";

// Whether a test in the golden file's room names it: "servers/server-v1.toml" by its stem.
bool is_read_by_a_test(const fs::path& golden) {
  const fs::path room = golden_path(golden.begin()->string());
  return std::ranges::any_of(fs::recursive_directory_iterator(room), [&](const fs::directory_entry& entry) {
    return entry.path().extension() == ".cpp" &&
           read_file(entry.path()).value_or("").find(golden.stem().string()) != std::string::npos;
  });
}

TEST(FormatPages, EachIsInTheTableOfGoldenFiles) {
  for (const fs::directory_entry& entry : fs::directory_iterator(kPages)) {
    EXPECT_TRUE(kGoldenFiles.contains(entry.path().stem().string()))
        << entry.path().filename() << " has no golden file: make one (tests/golden_file.h) and name it in "
        << "tests/base/format_pages_test.cpp";
  }
}

TEST(FormatPages, EachNamesItsGoldenFilesAndItsVersion) {
  for (const auto& [page, goldens] : kGoldenFiles) {
    const std::string text = read_file(kPages / (page + ".md")).value_or("");
    EXPECT_THAT(text, HasSubstr("\n## Version\n")) << page;
    for (const std::string& golden : goldens) EXPECT_THAT(text, HasSubstr("`tests/" + golden + "`")) << page;
  }
}

TEST(FormatPages, GoldenFilesAreThereSmallAndRead) {
  constexpr std::size_t kSmall = 16 * 1024;
  for (const auto& [page, goldens] : kGoldenFiles) {
    EXPECT_FALSE(goldens.empty()) << page;
    for (const std::string& golden : goldens) {
      const std::size_t size = golden_text(golden).size();
      EXPECT_GT(size, 0u) << golden;
      EXPECT_LE(size, kSmall) << golden;
      EXPECT_TRUE(is_read_by_a_test(golden)) << golden;
    }
  }
}

}  // namespace
}  // namespace funcpipe
