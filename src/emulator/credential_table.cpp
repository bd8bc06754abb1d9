#include "emulator/credential_table.h"

#include <openssl/rand.h>

#include <array>
#include <string_view>

#include "base/check.h"

namespace funcpipe {
namespace {

std::string random_text(std::size_t length, std::string_view alphabet) {
  std::string text(length, '\0');
  FUNCPIPE_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(length)) == 1,
                 "no random bytes from OpenSSL");
  for (char& c : text) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
  return text;
}

}  // namespace

Credentials CredentialTable::make(bool with_session_token) {
  constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  constexpr std::string_view kMixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Credentials credentials;
  credentials.access_key_id = (with_session_token ? "ASIA" : "AKIA") + random_text(16, kUpper);
  credentials.secret_access_key = random_text(40, kMixed);
  if (with_session_token) credentials.session_token = random_text(64, kMixed);
  return credentials;
}

void CredentialTable::add(Account account) {
  std::string id = account.credentials.access_key_id;
  accounts_[std::move(id)] = std::make_shared<const Account>(std::move(account));
}

void CredentialTable::remove(const std::string& access_key_id) {
  accounts_.erase(access_key_id);
}

std::shared_ptr<const Account> CredentialTable::find(const std::string& access_key_id) const {
  const auto found = accounts_.find(access_key_id);
  return found == accounts_.end() ? nullptr : found->second;
}

}  // namespace funcpipe
