// The checksums a request promises of its body, computed as it streams past.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct evp_md_ctx_st;

namespace funcpipe {

class BodyDigests {
 public:
  // CRC-32C is always computed. `name`: "md5", "sha256", "sha1", "crc32" or "crc64nvme"; others are ignored, twice is
  // once.
  void want(std::string_view name);

  void update(std::span<const std::byte> bytes);
  // Raw digest, big-endian for the CRCs; empty if it was not wanted.
  std::string finish(std::string_view name);
  std::uint32_t crc32c() const { return crc32c_; }

 private:
  struct Hash {
    std::string name;
    std::shared_ptr<evp_md_ctx_st> context;  // shared_ptr for its deleter: OpenSSL's type stays out of this header
  };
  std::vector<Hash> hashes_;
  std::uint32_t crc32c_ = 0;
  std::uint32_t crc32_ = 0;
  bool wants_crc32_ = false;
  std::uint64_t crc64_ = 0;
  bool wants_crc64_ = false;
};

}  // namespace funcpipe
