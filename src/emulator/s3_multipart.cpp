#include "emulator/s3_multipart.h"

#include <fmt/format.h>
#include <unistd.h>

#include "emulator/file_work.h"
#include "store/digest.h"

namespace funcpipe {
namespace {

constexpr int kMostParts = 10'000;
constexpr Bytes kSmallestPart = 5 * kMiB;  // but for the last

std::string raw_md5(const std::string& hex_digits) {
  std::string raw;
  for (std::size_t i = 0; i + 1 < hex_digits.size(); i += 2)
    raw += static_cast<char>(std::stoi(hex_digits.substr(i, 2), nullptr, 16));
  return raw;
}

tl::unexpected<Refusal> no_such_upload() {
  return refuse(404, "NoSuchUpload", "The specified upload does not exist. It may have been aborted or completed.");
}

}  // namespace

std::string MultipartUploads::create(const std::string& bucket, ObjectInfo info) {
  std::string id = "upload-" + CredentialTable::make(false).access_key_id;  // nobody else's
  uploads_[id] = Upload{bucket, std::move(info), {}, false};
  return id;
}

tl::expected<void, Refusal> MultipartUploads::there(const std::string& id, const std::string& bucket,
                                                    const std::string& key) const {
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second.bucket != bucket || found->second.info.key != key ||
      found->second.completing)
    return no_such_upload();
  return {};
}

tl::expected<void, Refusal> MultipartUploads::add(const std::string& id, int number, ReceivedPayload payload) {
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end() || upload->second.completing) return no_such_upload();
  if (number < 1 || number > kMostParts) return refuse(400, "InvalidArgument", "partNumber must be from 1 to 10000");
  Part part;
  part.file = payload.file->temporary().parent_path() / fmt::format("{}-{}", id, number);
  part.size = payload.size;
  part.etag = payload.etag;
  if (auto kept = payload.file->publish(part.file); !kept)
    return tl::unexpected<Refusal>(storage_refusal(kept.error()));
  upload->second.parts[number] = std::move(part);
  return {};
}

asio::awaitable<tl::expected<MultipartUploads::Whole, Refusal>> MultipartUploads::complete(
    std::string id, std::vector<CompletedPart> parts, ObjectFolder& folder, asio::thread_pool& file_threads,
    Seconds unix_now) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second.completing) co_return no_such_upload();
  Upload& upload = found->second;
  if (parts.empty()) co_return refuse(400, "MalformedXML", "The upload's list of parts is empty.");
  std::vector<Part> chosen;
  std::string digests;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && parts[i].number <= parts[i - 1].number)
      co_return refuse(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
    const auto part = upload.parts.find(parts[i].number);
    if (part == upload.parts.end() || part->second.etag != parts[i].etag)
      co_return refuse(400, "InvalidPart", fmt::format("Part {} was not found, or has another ETag.", parts[i].number));
    if (i + 1 < parts.size() && part->second.size < kSmallestPart)
      co_return refuse(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.");
    chosen.push_back(part->second);
    digests += raw_md5(part->second.etag);
  }
  auto file = folder.writer();
  if (!file) co_return tl::unexpected<Refusal>(storage_refusal(file.error()));
  Whole whole;
  whole.file = std::move(*file);
  whole.info = upload.info;
  for (const Part& part : chosen) whole.info.size += part.size;
  // What S3 gives objects made of parts: the MD5 of the parts' MD5s, and their number.
  whole.info.etag = fmt::format("{}-{}", hex(md5(digests)), chosen.size());
  whole.info.has_crc32c = false;
  whole.info.modified = unix_now;

  upload.completing = true;
  const auto join = [&]() -> Result<> {
    for (const Part& part : chosen) FUNCPIPE_TRY_VOID(whole.file->append_file(part.file, part.size));
    return whole.file->seal(whole.info);
  };
  const auto joined = co_await run_on(file_threads, join);
  if (const auto again = uploads_.find(id); again != uploads_.end()) again->second.completing = false;
  if (!joined) co_return tl::unexpected<Refusal>(storage_refusal(joined.error()));
  abort(id);
  co_return whole;
}

void MultipartUploads::abort(const std::string& id) {
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end()) return;
  for (const auto& [number, part] : upload->second.parts) ::unlink(part.file.c_str());
  uploads_.erase(upload);
}

}  // namespace funcpipe
