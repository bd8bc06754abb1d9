// Who sent a request: SigV4 verified with the project's one signer (store/sigv4.h), in headers or in a presigned query.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/units.h"
#include "emulator/credential_table.h"
#include "emulator/http/message.h"

namespace funcpipe {

// A request the service turns down, with the cloud's own code for it.
struct Refusal {
  int status = 400;
  std::string code;  // "SignatureDoesNotMatch"
  std::string message;
  std::string region;  // the one to sign for, if another one was; else empty
};

inline tl::unexpected<Refusal> refuse(int status, std::string code, std::string message) {
  return tl::unexpected<Refusal>(Refusal{status, std::move(code), std::move(message)});
}

using SharedAccount = std::shared_ptr<const Account>;  // shared with the table, which may drop the entry meanwhile

// What a signature must be for.
struct SignedFor {
  std::string_view service;  // "s3" or "lambda"
  std::string_view region;
};

// Whose credentials a request claims to be signed with: all checks but that of the signature, so that nothing is read
// for a sender nobody knows.
tl::expected<SharedAccount, Refusal> identify(const HttpRequest& request, const SignedFor& wanted,
                                              const CredentialTable& table, Seconds unix_now);

// `payload_hash` is what the signature covers for the body: S3 requests say it in x-amz-content-sha256 (the body is
// checked against it later), for other services it is the body's SHA-256 in hex.
// `unix_now` in seconds since 1970; a request more than 15 minutes off is refused.
tl::expected<SharedAccount, Refusal> authenticate(const HttpRequest& request, const SignedFor& wanted,
                                                  std::string_view payload_hash, const CredentialTable& table,
                                                  Seconds unix_now);

}  // namespace funcpipe
