#include "emulator/s3/object_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "base/files.h"
#include "golden_file.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kGolden = "emulator/data/object-v1.bin";
constexpr std::string_view kContent = "the object's bytes";

class ObjectFileFormat : public testing::Test {
 protected:
  ObjectFileFormat() : folder(fs::path(testing::TempDir()) / fmt::format("object-file-{}", ::getpid())) {
    fs::create_directories(folder);
  }
  ~ObjectFileFormat() override { fs::remove_all(folder); }

  // What the reader says of a file of `content`.
  Result<ObjectInfo> read(std::string_view content) {
    EXPECT_TRUE(write_file(folder / "object", content));
    return read_object_info(folder / "object");
  }

  const fs::path folder;
};

// The file of kContent with the trailer `json`.
std::string with_trailer(const std::string& json) {
  return std::string(kContent) + json + fmt::format("{:08x}FPOBJECT", json.size());
}

TEST_F(ObjectFileFormat, IsWrittenAsTheGoldenFile) {
  ObjectInfo info;
  info.key = "jobs/a 1/stage-00.pt";
  info.size = static_cast<Bytes>(kContent.size());
  info.etag = "0123456789abcdef0123456789abcdef-2";
  info.content_type = "text/plain";
  info.crc32c = 123456789;
  info.checksum = {
      .algorithm = "sha256", .value = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-2", .type = "COMPOSITE"};
  info.part_sizes = {10, 8};
  info.modified = 1764000000.5;
  info.metadata = {{"x-amz-meta-colour", "deep red"}, {"cache-control", "no-cache"}};
  auto writer = ObjectFileWriter::create(folder / "new");
  ASSERT_TRUE(writer) << describe(writer.error());
  ASSERT_TRUE((*writer)->append(std::as_bytes(std::span(kContent))));
  ASSERT_TRUE((*writer)->seal(info));
  ASSERT_TRUE((*writer)->publish(folder / "object"));
  expect_golden(read_file(folder / "object").value_or(""), kGolden);
}

TEST_F(ObjectFileFormat, ReadsTheGoldenFile) {
  EXPECT_TRUE(golden_text(kGolden).starts_with(kContent));
  const auto read = read_object_info(golden_path(kGolden));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->key, "jobs/a 1/stage-00.pt");
  EXPECT_EQ(read->size, static_cast<Bytes>(kContent.size()));
  EXPECT_EQ(read->etag, "0123456789abcdef0123456789abcdef-2");
  EXPECT_EQ(read->content_type, "text/plain");
  EXPECT_TRUE(read->has_crc32c);
  EXPECT_EQ(read->crc32c, 123456789u);
  ASSERT_TRUE(read->checksum);
  EXPECT_EQ(read->checksum->algorithm, "sha256");
  EXPECT_EQ(read->checksum->value, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-2");
  EXPECT_EQ(read->checksum->type, "COMPOSITE");
  EXPECT_EQ(read->part_sizes, (std::vector<Bytes>{10, 8}));
  EXPECT_EQ(read->modified, 1764000000.5);
  ASSERT_EQ(read->metadata.size(), 2u);
  EXPECT_EQ(read->metadata[0], (std::pair<std::string, std::string>{"x-amz-meta-colour", "deep red"}));
  EXPECT_EQ(read->metadata[1], (std::pair<std::string, std::string>{"cache-control", "no-cache"}));
}

TEST_F(ObjectFileFormat, OfTheFirstReleasesHasNoVersion) {
  const auto old =
      read(with_trailer(R"({"content_type":"","etag":"e","key":"k","metadata":[],"modified":1.5,"size":18})"));
  ASSERT_TRUE(old) << describe(old.error());
  EXPECT_EQ(old->key, "k");
  EXPECT_FALSE(old->has_crc32c);
}

TEST_F(ObjectFileFormat, OfAnotherVersionIsRefused) {
  const auto later = read(with_trailer(R"({"version":2})"));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::corrupt);
  EXPECT_THAT(later.error().message, HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(later.error().hint, HasSubstr("the release that wrote it"));
}

}  // namespace
}  // namespace funcpipe
