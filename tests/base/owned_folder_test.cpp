#include "base/owned_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFormerMarkText =
    "The emulator of FuncPipe made the folder beside this file and will remove it.\n";

class OwnedFolder : public ::testing::Test {
 protected:
  OwnedFolder() : parent(fs::path(::testing::TempDir()) / fmt::format("owned-{}", ::getpid()) / "a") {
    fs::remove_all(parent.parent_path());
  }
  ~OwnedFolder() override { fs::remove_all(parent.parent_path()); }

  const fs::path parent;
};

TEST_F(OwnedFolder, IsRemovedWithItsMarkAndNothingElseIs) {
  const auto owned = parent / "owned", other = parent / "other";
  ASSERT_TRUE(make_owned_folder(owned));
  EXPECT_EQ(fs::status(parent).permissions(), fs::perms::owner_all);
  EXPECT_EQ(make_owned_folder(owned).error().code, ErrorCode::already_exists);
  fs::create_directories(other);
  ASSERT_TRUE(write_file(owned / "deep" / "file", "x"));
  EXPECT_TRUE(remove_owned_folder(other));
  EXPECT_TRUE(fs::exists(other));
  EXPECT_EQ(remove_owned_folders(parent, "owned"), 0);
  EXPECT_TRUE(fs::exists(owned));
  EXPECT_EQ(remove_owned_folders(parent), 1);
  EXPECT_FALSE(fs::exists(owned));
  EXPECT_EQ(std::distance(fs::directory_iterator(parent), fs::directory_iterator()), 1);
}

TEST_F(OwnedFolder, KeepsItsMarkWhenItIsRenamedAndLeavesNoneBehind) {
  ASSERT_TRUE(make_owned_folder(parent / "one"));
  fs::rename(parent / "one", parent / "two");
  ASSERT_TRUE(write_file(parent / "one" / "mine", "mine"));
  EXPECT_TRUE(is_owned_folder(parent / "two"));
  EXPECT_EQ(remove_owned_folders(parent), 1);
  EXPECT_FALSE(fs::exists(parent / "two"));
  EXPECT_TRUE(fs::exists(parent / "one" / "mine"));
}

TEST_F(OwnedFolder, IsToldByTheMarkThatEarlierReleasesPutBesideIt) {
  const auto mark = parent / "former.funcpipe-made";
  ASSERT_TRUE(write_file(parent / "former" / "file", "x"));
  ASSERT_TRUE(write_file(mark, kFormerMarkText));
  ASSERT_TRUE(write_file(parent / "gone.funcpipe-made", kFormerMarkText));
  ASSERT_TRUE(write_file(parent / "mine" / "file", "mine"));
  ASSERT_TRUE(write_file(parent / "mine.funcpipe-made", "a text of somebody's own"));
  EXPECT_TRUE(is_owned_folder(parent / "former"));
  EXPECT_EQ(remove_owned_folders(parent, "former"), 1) << "the mark whose folder is gone";
  EXPECT_TRUE(fs::exists(mark));
  EXPECT_TRUE(remove_owned_folder(parent / "former"));
  EXPECT_FALSE(fs::exists(parent / "former"));
  EXPECT_FALSE(fs::exists(mark));
  EXPECT_TRUE(fs::exists(parent / "mine" / "file"));
}

// A mark beside "." or ".." would be one of the folder it lies in, or of the one above.
TEST_F(OwnedFolder, IsNotTheOneInWhichTheMarkLies) {
  ASSERT_TRUE(write_file(parent / "in" / "mine" / "file", "mine"));
  for (const char* const name : {"..funcpipe-made", "...funcpipe-made"})
    ASSERT_TRUE(write_file(parent / "in" / name, kFormerMarkText));
  remove_owned_folders(parent / "in");
  EXPECT_TRUE(fs::exists(parent / "in" / "mine" / "file"));
}

TEST_F(OwnedFolder, IsNoLinkToOneAndIsNotToldByALink) {
  ASSERT_TRUE(make_owned_folder(parent / "owned"));
  fs::create_directory_symlink(parent / "owned", parent / "link");
  fs::create_directories(parent / "other");
  fs::create_symlink(parent / "owned" / kFolderMark, parent / "other" / kFolderMark);
  EXPECT_FALSE(is_owned_folder(parent / "link"));
  EXPECT_FALSE(is_owned_folder(parent / "other"));
  ASSERT_TRUE(mark_owned_folder(parent / "other")) << "in the link's place";
  EXPECT_TRUE(is_owned_folder(parent / "other"));
}

TEST_F(OwnedFolder, IsNotMadeByMarkingIt) {
  EXPECT_EQ(mark_owned_folder(parent / "missing").error().code, ErrorCode::not_found);
  EXPECT_FALSE(fs::exists(parent / "missing"));
}

TEST_F(OwnedFolder, StaysMarkedWhileSomethingInItCannotBeRemoved) {
  if (::geteuid() == 0) GTEST_SKIP() << "root removes everything";
  ASSERT_TRUE(make_owned_folder(parent / "owned"));
  ASSERT_TRUE(write_file(parent / "owned" / "shut" / "file", "x"));
  fs::permissions(parent / "owned" / "shut", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_FALSE(remove_owned_folder(parent / "owned"));
  EXPECT_TRUE(is_owned_folder(parent / "owned"));
  fs::permissions(parent / "owned" / "shut", fs::perms::owner_all);
  EXPECT_TRUE(remove_owned_folder(parent / "owned"));
  EXPECT_FALSE(fs::exists(parent / "owned"));
}

}  // namespace
}  // namespace funcpipe
