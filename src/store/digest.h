// Hashes and their text forms, as the cloud's protocols want them. OpenSSL computes the hashes.
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

// These return the raw bytes of a digest, not its text form.
std::string sha256(std::span<const ConstBytes> pieces);
std::string sha256(std::string_view text);
std::string md5(std::string_view text);  // used for the Content-MD5 header only
std::string hmac_sha256(std::string_view key, std::string_view text);

// Returns the value of the header x-amz-checksum-crc32c for this checksum: base64 of its four bytes, big-endian.
std::string crc32c_header(std::uint32_t checksum);

}  // namespace funcpipe
