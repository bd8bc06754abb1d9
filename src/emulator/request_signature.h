// Finds out who sent a request. Verifies SigV4 signatures with the signer the clients use (store/sigv4.h), in headers
// or in a presigned query.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/units.h"
#include "emulator/credential_table.h"
#include "emulator/http/message.h"

namespace funcpipe {

// A request that the service refuses, with the cloud's own error code.
struct Refusal {
  int status = 400;
  std::string code;  // for example "SignatureDoesNotMatch"
  std::string message;
  std::string region;  // the region to sign for if the request was signed for another one; else empty
};

inline tl::unexpected<Refusal> refuse(int status, std::string code, std::string message) {
  return tl::unexpected<Refusal>(Refusal{status, std::move(code), std::move(message)});
}

using SharedAccount = std::shared_ptr<const Account>;  // shared with the table, which may drop the entry meanwhile

// What a signature must be made for.
struct SignedFor {
  std::string_view service;  // "s3" or "lambda"
  std::string_view region;
};

// Says whose credentials a request claims to be signed with. Makes all checks but that of the signature, so that
// nothing is read for an unknown sender.
tl::expected<SharedAccount, Refusal> identify(const HttpRequest& request, const SignedFor& wanted,
                                              const CredentialTable& table, Seconds unix_now);

// Verifies the signature as well. `payload_hash` is the value for the body that the signature covers: for S3 the header
// x-amz-content-sha256 (the body is compared with it later), for other services the body's SHA-256 in hex. `unix_now`
// is in seconds since 1970; a request more than 15 minutes off is refused.
tl::expected<SharedAccount, Refusal> authenticate(const HttpRequest& request, const SignedFor& wanted,
                                                  std::string_view payload_hash, const CredentialTable& table,
                                                  Seconds unix_now);

}  // namespace funcpipe
