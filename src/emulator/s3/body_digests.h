// Computes the checksums that a request claims for its body while the body streams in.
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
  // Asks for a digest: "md5", "sha256", "sha1", "crc32" or "crc64nvme". Other names are ignored, and asking twice is no
  // error. CRC-32C is always computed.
  void want(std::string_view name);

  void update(std::span<const std::byte> bytes);
  // Returns the raw digest, big-endian for CRCs; empty if it was not asked for.
  std::string finish(std::string_view name);
  std::uint32_t crc32c() const { return crc32c_; }

 private:
  struct Hash {
    std::string name;
    // A shared_ptr because of its deleter, which keeps OpenSSL's type out of this header.
    std::shared_ptr<evp_md_ctx_st> context;
  };
  std::vector<Hash> hashes_;
  std::uint32_t crc32c_ = 0;
  std::uint32_t crc32_ = 0;
  bool wants_crc32_ = false;
  std::uint64_t crc64_ = 0;
  bool wants_crc64_ = false;
};

}  // namespace funcpipe
