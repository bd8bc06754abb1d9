// Hashes and their text forms, as the cloud's protocols want them; OpenSSL computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/store.h"

namespace funcpipe {

std::string hex(std::string_view raw);     // lower case
std::string base64(std::string_view raw);  // with padding
Result<std::string> from_base64(std::string_view text);

// Raw digests.
std::string sha256(std::span<const ConstBytes> pieces);
std::string sha256(std::string_view text);
std::string md5(std::string_view text);  // only for Content-MD5
std::string hmac_sha256(std::string_view key, std::string_view text);

// The value of x-amz-checksum-crc32c for this checksum: base64 of its four bytes, big-endian.
std::string crc32c_header(std::uint32_t checksum);

}  // namespace funcpipe
