#include "emulator/s3/multipart.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "emulator/credential_table.h"
#include "emulator/file_work.h"
#include "emulator/s3/body_digests.h"
#include "store/digest.h"

namespace funcpipe {
namespace {

constexpr Bytes kSmallestPart = 5 * kMiB;  // for every part but the last
constexpr std::size_t kMostUploads = 10'000, kMostPartsTogether = 1'000'000;
constexpr std::size_t kRemembered = 1000;  // completed uploads that are remembered

std::string raw_of_hex(const std::string& digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string raw;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    raw += static_cast<char>(value(digits[i]) * 16 + value(digits[i + 1]));
  return raw;
}

// Compares the checksums that the request names for a part with the stored ones. Returns nullopt if they agree.
std::optional<Refusal> judge_checksums(const CompletedPart& wanted, const MultipartUploads::Part& part,
                                       const UploadChecksum& upload) {
  bool given = false;
  for (const auto& [element, value] : wanted.checksums) {
    const auto& all = checksum_algorithms();
    const auto algorithm =
        std::find_if(all.begin(), all.end(), [&name = element](const auto& one) { return one.element == name; });
    if (algorithm == all.end() || (upload.algorithm && &*algorithm != upload.algorithm))
      return Refusal{400, "BadDigest", fmt::format("{} of part {} is not of this upload", element, wanted.number)};
    if (!part.checksum || part.checksum->algorithm != algorithm->name || part.checksum->value != value)
      return Refusal{400, "InvalidPart", fmt::format("Part {} has another {}.", wanted.number, element)};
    given = true;
  }
  if (upload.algorithm && upload.type == kComposite && !given)
    return Refusal{400, "InvalidRequest",
                   fmt::format("The upload was created using a {} checksum. The complete request must include the "
                               "checksum for each part. It was missing for part {} in the request.",
                               upload.algorithm->name, wanted.number)};
  return {};
}

// Returns the named parts in order. Refuses the request unless the numbers ascend and each part exists with that tag.
tl::expected<std::vector<MultipartUploads::Part>, Refusal> choose_parts(const std::vector<CompletedPart>& named,
                                                                        const MultipartUploads::Upload& upload) {
  if (named.empty()) return refuse(400, "MalformedXML", "The upload's list of parts is empty.");
  for (std::size_t i = 1; i < named.size(); ++i)
    if (named[i].number <= named[i - 1].number)
      return refuse(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
  std::vector<MultipartUploads::Part> chosen;
  chosen.reserve(named.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    const auto part = upload.parts.find(named[i].number);
    if (part == upload.parts.end() || part->second.etag != named[i].etag)
      return refuse(400, "InvalidPart", fmt::format("Part {} was not found, or has another ETag.", named[i].number));
    if (auto refusal = judge_checksums(named[i], part->second, upload.checksum))
      return tl::unexpected<Refusal>(std::move(*refusal));
    if (i + 1 < named.size() && part->second.size < kSmallestPart)
      return refuse(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.");
    chosen.push_back(part->second);
  }
  return chosen;
}

// Refuses a checksum of another kind than the upload was created with.
std::optional<Refusal> judge_kind(const CompletionClaim& claim, const UploadChecksum& created) {
  if (!claim.type.empty() && claim.type != (created.algorithm ? created.type : kFullObject))
    return Refusal{400, "InvalidRequest",
                   fmt::format("The upload was not created with the {} checksum type.", claim.type)};
  if (claim.algorithm && created.algorithm && claim.algorithm != created.algorithm)
    return Refusal{400, "BadDigest",
                   fmt::format("The upload was created using a {} checksum.", created.algorithm->name)};
  if (claim.algorithm && !created.algorithm && !claim.algorithm->full_object)
    return Refusal{400, "InvalidRequest", "The upload was created without a checksum algorithm."};
  return {};
}

std::optional<Refusal> judge_size(const CompletionClaim& claim, Bytes size) {
  if (!claim.size || *claim.size == size) return {};
  return Refusal{400, "InvalidRequest",
                 fmt::format("The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}",
                             *claim.size, size)};
}

std::optional<Refusal> judge_value(const CompletionClaim& claim, const std::optional<StoredChecksum>& computed) {
  if (!claim.algorithm) return {};
  const std::string& value = computed->value;
  if (claim.value == value || claim.value == value.substr(0, value.find('-'))) return {};
  return Refusal{400, "BadDigest",
                 fmt::format("The {} you specified did not match the calculated checksum.", claim.algorithm->upper)};
}

// Adds to the description what follows from the parts without reading them.
ObjectInfo describe_whole(ObjectInfo info, const std::vector<MultipartUploads::Part>& parts, Seconds unix_now) {
  std::string md5s;
  for (const auto& part : parts) {
    info.size += part.size;
    info.part_sizes.push_back(part.size);
    md5s += raw_of_hex(part.etag);
  }
  // S3's tag for an object made of parts: the MD5 of the parts' MD5s, and their number.
  info.etag = fmt::format("{}-{}", hex(md5(md5s)), parts.size());
  info.modified = unix_now;
  return info;
}

// Returns the checksum of the parts' checksums.
StoredChecksum composite_checksum(const ChecksumAlgorithm& algorithm,
                                  const std::vector<MultipartUploads::Part>& parts) {
  BodyDigests digests;
  digests.want(algorithm.name);
  for (const auto& part : parts) {
    const std::string raw = from_base64(part.checksum->value).value_or("");
    digests.update(std::as_bytes(std::span(raw)));
  }
  return {std::string(algorithm.name), fmt::format("{}-{}", base64(digests.finish(algorithm.name)), parts.size()),
          std::string(kComposite)};
}

// Writes the bytes of all parts to the file and computes the checksums that need the content.
Result<> append_parts(const std::vector<MultipartUploads::Part>& parts, const UploadChecksum& checksum,
                      MultipartUploads::Whole& whole) {
  const auto* algorithm = checksum.algorithm;
  const bool composite = algorithm && checksum.type == kComposite;
  BodyDigests digests;
  if (algorithm && !composite) digests.want(algorithm->name);
  for (const auto& part : parts)
    FUNCPIPE_TRY_VOID(whole.file->append_file(part.file, part.size, [&](auto bytes) { digests.update(bytes); }));
  whole.info.crc32c = digests.crc32c();
  if (composite) {
    whole.info.checksum = composite_checksum(*algorithm, parts);
  } else if (algorithm) {
    whole.info.checksum = {std::string(algorithm->name), base64(digests.finish(algorithm->name)),
                           std::string(kFullObject)};
  }
  return whole.file->seal(whole.info);
}

}  // namespace

Refusal no_such_upload() {
  return {404, "NoSuchUpload", "The specified upload does not exist. It may have been aborted or completed."};
}

std::optional<Refusal> judge_part(const HttpRequest& request) {
  for (const std::string_view name : {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"})
    if (request.has_header(name))
      return Refusal{501, "NotImplemented",
                     fmt::format("A header you provided implies functionality that is not implemented: {}", name)};
  return {};
}

tl::expected<std::string, Refusal> MultipartUploads::create(const std::string& bucket, ObjectInfo info,
                                                            UploadChecksum checksum) {
  if (uploads_.size() >= kMostUploads)
    return refuse(503, "SlowDown", fmt::format("{} uploads are under way: complete or abort some.", uploads_.size()));
  std::string id = "upload-" + CredentialTable::make(false).access_key_id;  // unique
  uploads_[id] = Upload{bucket, std::move(info), checksum, {}, false};
  return id;
}

const MultipartUploads::Upload* MultipartUploads::find(const std::string& id, const std::string& bucket,
                                                       const std::string& key) const {
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second.bucket != bucket || found->second.info.key != key ||
      found->second.completing)
    return nullptr;
  return &found->second;
}

const MultipartUploads::Completed* MultipartUploads::completed(const std::string& id, const std::string& bucket,
                                                               const std::string& key) const {
  for (const Completed& done : completed_)
    if (done.id == id && done.bucket == bucket && done.key == key) return &done;
  return nullptr;
}

tl::expected<void, Refusal> MultipartUploads::add(const std::string& id, int number, ReceivedPayload payload,
                                                  double unix_now, const ObjectFolder& folder) {
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end() || upload->second.completing) return tl::unexpected<Refusal>(no_such_upload());
  if (part_count_ >= kMostPartsTogether)
    return refuse(503, "SlowDown", "Too many parts of uploads are kept: complete or abort some.");
  Part part{folder.unfinished_file(fmt::format("{}-{}", id, number)), payload.size, payload.etag,
            std::move(payload.checksum), unix_now};
  if (auto kept = payload.file->publish(part.file); !kept)
    return tl::unexpected<Refusal>(storage_refusal(kept.error()));
  const auto [place, fresh] = upload->second.parts.insert_or_assign(number, std::move(part));
  if (fresh) ++part_count_;
  return {};
}

asio::awaitable<tl::expected<MultipartUploads::Whole, Refusal>> MultipartUploads::join(
    std::string id, std::vector<CompletedPart> parts, CompletionClaim claim, ObjectFolder& folder,
    asio::thread_pool& file_threads, Seconds unix_now) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second.completing) co_return tl::unexpected<Refusal>(no_such_upload());
  Upload& upload = found->second;
  const auto chosen = choose_parts(parts, upload);
  if (!chosen) co_return tl::unexpected<Refusal>(chosen.error());
  if (auto refusal = judge_kind(claim, upload.checksum)) co_return tl::unexpected<Refusal>(std::move(*refusal));
  auto file = folder.writer();
  if (!file) co_return tl::unexpected<Refusal>(storage_refusal(file.error()));
  Whole whole{std::move(*file), describe_whole(upload.info, *chosen, unix_now)};
  if (auto refusal = judge_size(claim, whole.info.size)) co_return tl::unexpected<Refusal>(std::move(*refusal));

  const UploadChecksum checksum =
      upload.checksum.algorithm ? upload.checksum : UploadChecksum{claim.algorithm, kFullObject};
  upload.completing = true;
  const auto append = [&] { return append_parts(*chosen, checksum, whole); };
  const auto joined = co_await run_on(file_threads, append);
  // The upload, and with it `upload`, may be gone meanwhile.
  if (const auto again = uploads_.find(id); again != uploads_.end()) again->second.completing = false;
  if (!joined) co_return tl::unexpected<Refusal>(storage_refusal(joined.error()));
  if (auto refusal = judge_value(claim, whole.info.checksum)) co_return tl::unexpected<Refusal>(std::move(*refusal));
  co_return whole;
}

void MultipartUploads::finish(const std::string& id, const StoredObject& object) {
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end()) return;
  completed_.push_front({id, upload->second.bucket, object.key, object.etag, object.checksum});
  if (completed_.size() > kRemembered) completed_.pop_back();
  abort(id);
}

void MultipartUploads::abort(const std::string& id) {
  const auto upload = uploads_.find(id);
  if (upload == uploads_.end()) return;
  for (const auto& [number, part] : upload->second.parts) ::unlink(part.file.c_str());
  part_count_ -= upload->second.parts.size();
  uploads_.erase(upload);
}

void MultipartUploads::forget_bucket(const std::string& bucket) {
  std::vector<std::string> gone;
  for (const auto& [id, upload] : uploads_)
    if (upload.bucket == bucket && !upload.completing) gone.push_back(id);
  for (const auto& id : gone) abort(id);
  std::erase_if(completed_, [&](const Completed& done) { return done.bucket == bucket; });
}

}  // namespace funcpipe
