#include "functions/deployment_package.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

// Unpacked by somebody else's code: Python's zipfile reads the files, `external_attr` the permissions.
TEST(DeploymentPackage, OthersCanReadIt) {
  const std::string big(3000000, 'x');
  for (const auto compression : {PackageCompression::store, PackageCompression::deflate}) {
    const auto zip =
        make_package({{"bootstrap", {"#!/bin/sh\n", true}}, {"lib/a.so", {big, false}}, {"empty", {}}}, compression);
    ASSERT_TRUE(zip.has_value()) << describe(zip.error());
    if (compression == PackageCompression::deflate) {
      EXPECT_LT(zip->size(), 100000U);
    } else {
      EXPECT_GT(zip->size(), big.size());
    }
    const fs::path folder = fs::temp_directory_path() / fmt::format("funcpipe-package-{}", getpid());
    ASSERT_TRUE(write_file(folder / "package.zip", *zip).has_value());
    const std::string script =
        "import sys, zipfile\n"
        "z = zipfile.ZipFile(sys.argv[1])\n"
        "assert z.testzip() is None\n"
        "assert sorted(z.namelist()) == ['bootstrap', 'empty', 'lib/a.so'], z.namelist()\n"
        "assert z.read('bootstrap') == b'#!/bin/sh\\n'\n"
        "assert z.read('lib/a.so') == b'x' * 3000000\n"
        "mode = lambda name: (z.getinfo(name).external_attr >> 16) & 0o777\n"
        "assert (mode('bootstrap'), mode('lib/a.so')) == (0o755, 0o644), oct(mode('bootstrap'))\n";
    ASSERT_TRUE(write_file(folder / "check.py", script).has_value());
    const std::string command =
        fmt::format("/usr/bin/python3 {} {}", (folder / "check.py").string(), (folder / "package.zip").string());
    EXPECT_EQ(std::system(command.c_str()), 0);
    fs::remove_all(folder);
  }
}

TEST(DeploymentPackage, TheSameFilesMakeTheSameBytes) {
  const std::map<std::string, PackagedFile> files{{"bootstrap", {"run", true}}, {"data", {"content", false}}};
  const auto first = make_package(files);
  sleep(2);  // zip's clock ticks every two seconds
  EXPECT_EQ(*first, *make_package(files));
}

TEST(DeploymentPackage, RefusesWhatNoFunctionCouldRun) {
  EXPECT_EQ(make_package({}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(make_package({{"bootstrap", {"run", false}}}).error().code, ErrorCode::invalid_input);
  for (const char* path : {"/etc/passwd", "../up", "a/../../up", "", "."}) {
    EXPECT_EQ(make_package({{"bootstrap", {"run", true}}, {path, {}}}).error().code, ErrorCode::invalid_input) << path;
  }
}

}  // namespace
}  // namespace funcpipe
