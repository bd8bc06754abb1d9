#include "emulator/lambda/package.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "emulator/lambda/harness.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

// Runs Python that fills the zipfile `z`; `link` adds a symbolic link.
std::string zip_of(const fs::path& folder, const std::string& python) {
  const std::string script = fmt::format(R"(
import zipfile
z = zipfile.ZipFile("{}", "w", zipfile.ZIP_DEFLATED)
def add(name, text="", mode=0o644):
    info = zipfile.ZipInfo(name)
    info.external_attr = (0o100000 | mode) << 16
    z.writestr(info, text)
def link(name, target):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    z.writestr(info, target)
{}
z.close()
)",
                                         (folder / "made.zip").string(), python);
  if (!write_file(folder / "make.py", script)) return {};
  const auto made = run_command(fmt::format("/usr/bin/python3 '{}'", (folder / "make.py").string()));
  EXPECT_EQ(made.status, 0) << made.output;
  return read_file(folder / "made.zip").value_or("");
}

TEST(LambdaPackage, KeepsPathsContentAndPermissions) {
  TestFolder folder;
  const auto zip = zip_of(folder.path(),
                          "add('bootstrap', 'run', 0o755); add('lib/a.txt', 'a' * 100000, 0o444)\n"
                          "link('lib/b.txt', 'a.txt')");
  const auto out = folder.path() / "out";
  const auto unpacked = unpack_zip(zip, out, 200'000);
  ASSERT_TRUE(unpacked) << describe(unpacked.error());
  EXPECT_EQ(read_file(out / "bootstrap"), "run");
  EXPECT_EQ(read_file(out / "lib" / "b.txt")->size(), 100'000u);
  struct stat facts {};
  ASSERT_EQ(::stat((out / "bootstrap").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0755u);
}

TEST(LambdaPackage, WritesNothingOutside) {
  TestFolder folder;
  const auto out = folder.path() / "deep" / "out";
  for (const char* python : {"add('../escaped')", "add('a/../../escaped')", "add('/tmp/funcpipe-escaped')",
                             "link('way', '..'); add('way/escaped')", "link('way', '/tmp')",
                             "link('way', 'x/../../..'); add('way/escaped')"}) {
    const auto unpacked = unpack_zip(zip_of(folder.path(), python), out, {});
    EXPECT_FALSE(unpacked) << python;
    EXPECT_FALSE(fs::exists(out)) << python;
    EXPECT_FALSE(fs::exists(folder.path() / "deep" / "escaped")) << python;
  }
  EXPECT_FALSE(fs::exists("/tmp/funcpipe-escaped"));
}

TEST(LambdaPackage, LosesNoEntryToAnother) {
  TestFolder folder;
  const auto out = folder.path() / "out";
  for (const char* python :
       {"add('a'); add('a/b')", "add('a/b'); add('a')", "add('a'); add('a/')", "add('a/'); add('a')",
        "link('a', 'c'); add('a/b')", "link('a', 'c'); add('a/')", "add('n' * 300)"}) {
    const auto unpacked = unpack_zip(zip_of(folder.path(), python), out, {});
    ASSERT_FALSE(unpacked) << python;
    EXPECT_EQ(unpacked.error().code, ErrorCode::invalid_input) << python << ": " << describe(unpacked.error());
    EXPECT_THAT(describe(unpacked.error()), testing::Not(testing::HasSubstr(folder.path().string()))) << python;
    EXPECT_FALSE(fs::exists(out)) << python;
  }
  const auto unpacked =
      unpack_zip(zip_of(folder.path(), "add('a/'); add('a/b'); add('a/'); add('c/d'); add('c/')"), out, {});
  EXPECT_TRUE(unpacked) << describe(unpacked.error());
}

TEST(LambdaPackage, SaysWhatIsWrong) {
  TestFolder folder;
  const auto out = folder.path() / "out";
  const auto zip = zip_of(folder.path(), "add('a', 'x' * 100001)");
  EXPECT_EQ(unpack_zip(zip, out, 100'000).error().code, ErrorCode::exhausted);
  EXPECT_EQ(unpack_zip("no zip at all", out, {}).error().code, ErrorCode::corrupt);
  EXPECT_EQ(unpack_zip("", out, {}).error().code, ErrorCode::corrupt);
  std::string damaged = zip;
  damaged[50] = static_cast<char>(damaged[50] ^ 0x55);
  EXPECT_EQ(unpack_zip(damaged, out, {}).error().code, ErrorCode::corrupt);
  EXPECT_FALSE(fs::exists(out));
}

}  // namespace
}  // namespace funcpipe
