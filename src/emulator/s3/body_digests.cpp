#include "emulator/s3/body_digests.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/crc32c.h"
#include "emulator/s3/crc64nvme.h"

namespace funcpipe {
namespace {

const EVP_MD* algorithm(std::string_view name) {
  if (name == "md5") return EVP_md5();
  if (name == "sha256") return EVP_sha256();
  if (name == "sha1") return EVP_sha1();
  return nullptr;
}

template <class Number>
std::string big_endian(Number value) {
  std::string bytes;
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(value >> shift);
  return bytes;
}

}  // namespace

void BodyDigests::want(std::string_view name) {
  if (name == "crc32") wants_crc32_ = true;
  if (name == "crc64nvme") wants_crc64_ = true;
  const EVP_MD* kind = algorithm(name);
  const auto same = [&](const Hash& hash) { return hash.name == name; };
  if (!kind || std::any_of(hashes_.begin(), hashes_.end(), same)) return;
  std::shared_ptr<EVP_MD_CTX> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  FUNCPIPE_CHECK(context && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1, "OpenSSL cannot start {}", name);
  hashes_.push_back({std::string(name), std::move(context)});
}

void BodyDigests::update(std::span<const std::byte> bytes) {
  crc32c_ = funcpipe::crc32c(bytes, crc32c_);
  if (wants_crc32_)
    crc32_ = static_cast<std::uint32_t>(
        ::crc32_z(crc32_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  if (wants_crc64_) crc64_ = crc64nvme(bytes, crc64_);
  for (const Hash& hash : hashes_) EVP_DigestUpdate(hash.context.get(), bytes.data(), bytes.size());
}

std::string BodyDigests::finish(std::string_view name) {
  if (name == "crc32c") return big_endian(crc32c_);
  if (name == "crc32") return wants_crc32_ ? big_endian(crc32_) : std::string();
  if (name == "crc64nvme") return wants_crc64_ ? big_endian(crc64_) : std::string();
  for (const Hash& hash : hashes_) {
    if (hash.name != name) continue;
    // Finishes a copy, so that one digest can be read twice, for two headers.
    const std::shared_ptr<EVP_MD_CTX> copy(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    FUNCPIPE_CHECK(copy && EVP_MD_CTX_copy_ex(copy.get(), hash.context.get()) == 1, "OpenSSL cannot copy {}", name);
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
    unsigned size = 0;
    EVP_DigestFinal_ex(copy.get(), raw.data(), &size);
    return std::string(reinterpret_cast<const char*>(raw.data()), size);
  }
  return {};
}

}  // namespace funcpipe
