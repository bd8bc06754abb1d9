#include "store/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <memory>

#include "base/check.h"

namespace funcpipe {
namespace {

std::string digest(const EVP_MD* kind, std::span<const ConstBytes> pieces) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  FUNCPIPE_CHECK(context && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1, "OpenSSL cannot start a digest");
  for (const ConstBytes& piece : pieces) EVP_DigestUpdate(context.get(), piece.data(), piece.size());
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), raw.data(), &size);
  return std::string(reinterpret_cast<const char*>(raw.data()), size);
}

const unsigned char* unsigned_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string hex(std::string_view raw) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(raw.size() * 2);
  for (const unsigned char c : raw) {
    text += kDigits[c >> 4];
    text += kDigits[c & 15];
  }
  return text;
}

std::string base64(std::string_view raw) {
  std::string text((raw.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a terminating zero
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), unsigned_bytes(raw), static_cast<int>(raw.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return fail(ErrorCode::corrupt, fmt::format("base64 text of {} characters", text.size()));
  std::string raw(text.size() / 4 * 3 + 1, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()), unsigned_bytes(text),
                                   static_cast<int>(text.size()));
  if (size < 0) return fail(ErrorCode::corrupt, "a character that is not base64");
  std::size_t padding = 0;  // OpenSSL counts the padding as zero bytes
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  raw.resize(static_cast<std::size_t>(size) - padding);
  return raw;
}

std::string sha256(std::span<const ConstBytes> pieces) {
  return digest(EVP_sha256(), pieces);
}

std::string sha256(std::string_view text) {
  const ConstBytes piece = as_bytes(text);
  return digest(EVP_sha256(), {&piece, 1});
}

std::string md5(std::string_view text) {
  const ConstBytes piece = as_bytes(text);
  return digest(EVP_md5(), {&piece, 1});
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), unsigned_bytes(text), text.size(), raw.data(), &size);
  return std::string(reinterpret_cast<const char*>(raw.data()), size);
}

std::string crc32c_header(std::uint32_t checksum) {
  const std::array<char, 4> raw = {static_cast<char>(checksum >> 24), static_cast<char>(checksum >> 16),
                                   static_cast<char>(checksum >> 8), static_cast<char>(checksum)};
  return base64({raw.data(), raw.size()});
}

}  // namespace funcpipe
