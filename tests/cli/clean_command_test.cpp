// What funcpipe clean takes away, and what it leaves: with the real program, in folders that look like results.
#include <gmock/gmock.h>

#include "base/files.h"
#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Clean, LeavesWhatItDidNotMake) {
  const ScratchJob job("clean_foreign");
  job.write("rr/z/.runs/data/x", "mine");
  job.write("rr/z/.runs/data/reports.jsonl", "mine too");
  job.write("rr/z/.runs/note", "mine");
  job.write("rr/z/.partial/y", "mine");
  job.write("rr/file/.runs", "a file of that name");
  job.write("rr/commit/.commit/.names", "\n../../../x\n");
  job.write("rr/commit/.commit/model.pt", "mine");
  job.write("rr/commit/model.pt", "mine");
  job.write("x", "out of reach");
  job.write("elsewhere/run/record.json.7.partial", "half a record that a link leads to");
  fs::create_directories(job.folder() / "rr/link");
  fs::create_directory_symlink(job.folder() / "elsewhere", job.folder() / "rr/link/.runs");
  const ChildOutput cleaned = job.run({"clean", "rr"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  for (const char* file : {"rr/z/.runs/data/x", "rr/z/.runs/data/reports.jsonl", "rr/z/.runs/note", "rr/z/.partial/y",
                           "rr/file/.runs", "rr/commit/.commit/.names", "rr/commit/.commit/model.pt",
                           "rr/commit/model.pt", "x", "elsewhere/run/record.json.7.partial", "rr/link/.runs"})
    EXPECT_TRUE(fs::exists(job.folder() / file)) << file;
  for (const char* left :
       {"rr/z/.runs/data: left as it is", "rr/z/.runs/note: left as it is", "rr/z/.partial: left as it is",
        "rr/file/.runs: left as it is", "rr/commit/.commit: left as it is", "rr/link/.runs: left as it is"})
    EXPECT_THAT(cleaned.out, HasSubstr(left));
}

TEST(Clean, TakesAwayItsOwnAndSaysSo) {
  const ScratchJob job("clean_own");
  job.write("rr/z/.partial/.funcpipe-made", "FuncPipe made this folder and will remove it.\n");
  job.write("rr/z/.partial/model.pt", "half");
  job.write("rr/z/.runs/z-1/record.json.17.partial", "half");
  job.write("rr/c/.commit/.names", "\nmodel.pt\n");
  job.write("rr/c/.commit/model.pt", "new");
  const ChildOutput cleaned = job.run({"clean", "rr"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  EXPECT_FALSE(fs::exists(job.folder() / "rr/z"));
  EXPECT_FALSE(fs::exists(job.folder() / "rr/c/.commit"));
  EXPECT_EQ(read_file(job.folder() / "rr/c/model.pt").value_or("none"), "new");
  EXPECT_THAT(cleaned.out, HasSubstr("rr/z: removed the unfinished results"));
  EXPECT_THAT(cleaned.out, HasSubstr("rr/z: removed the folder of run z-1"));
  EXPECT_THAT(cleaned.out, HasSubstr("rr/c: put the results in place"));
  EXPECT_THAT(cleaned.out, Not(HasSubstr("left as it is")));
}

// A job's later runs lie in folders with a number, where the first one's results are kept.
TEST(Clean, OfAJobFileTakesItsLaterRunsToo) {
  const ScratchJob job("clean_numbered");
  for (const char* const folder : {"runs/tiny-2", "runs/tiny-10", "runs/tiny-other", "runs/tinier-2"}) {
    job.write(std::string(folder) + "/.partial/.funcpipe-made", "FuncPipe made this folder and will remove it.\n");
    job.write(std::string(folder) + "/.partial/model.pt", "half");
  }
  const ChildOutput cleaned = job.run({"clean", "job.toml"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  EXPECT_FALSE(fs::exists(job.folder() / "runs/tiny-2/.partial"));
  EXPECT_FALSE(fs::exists(job.folder() / "runs/tiny-10/.partial"));
  EXPECT_TRUE(fs::exists(job.folder() / "runs/tiny-other/.partial"));
  EXPECT_TRUE(fs::exists(job.folder() / "runs/tinier-2/.partial"));
}

TEST(Clean, GoesOnAfterADamagedRecordAndNamesEachOfThem) {
  const ScratchJob job("clean_damaged");
  const auto record = [](const std::string& id, const std::string& prefix, const std::string& version) {
    return fmt::format(R"({{"version":{},"id":"{}","prefix":"{}","s3_endpoint":"","lambda_endpoint":"","region":"r",)"
                       R"("bucket":"b","functions":[],"working_folder":"/","spec":null}})",
                       version, id, prefix);
  };
  const std::vector<std::string> contents = {
      "zz",
      "[]",
      "{}",
      "",
      record("r04", "jobs/r04", "9"),
      std::string(100'000, '['),
      record("r06", "jobs", "1"),
      record("other", "jobs/other", "1"),
      record("r08", "jobs/other", "1"),
  };
  for (std::size_t i = 0; i < contents.size(); ++i)
    job.write(fmt::format("rr/a/.runs/r{:02}/record.json", i), contents[i]);
  job.write("rr/b/.runs/r09/record.json", "zz");
  job.write("rr/c/.runs/r10/record.json.5.partial", "zz");
  const ChildOutput cleaned = job.run({"clean", "rr"});
  EXPECT_EQ(cleaned.exit_code, 2) << cleaned.err;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const std::string folder = fmt::format("rr/a/.runs/r{:02}", i);
    EXPECT_THAT(cleaned.err, HasSubstr("funcpipe: " + folder + "/record.json: the record of a run is damaged: "));
    EXPECT_THAT(cleaned.err, HasSubstr("delete the folder " + folder + "\n"));
    EXPECT_TRUE(fs::exists(job.folder() / folder / "record.json"));
  }
  EXPECT_THAT(cleaned.err, HasSubstr("rr/b/.runs/r09"));
  EXPECT_FALSE(fs::exists(job.folder() / "rr/c")) << "the rest is cleared away";
}

}  // namespace
}  // namespace funcpipe
