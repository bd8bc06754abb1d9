// Errors that come from outside (the user, the network, the cloud, the disk) are returned as values: Result<T>.
// A broken invariant of our own code is not an Error: it aborts the program (base/check.h).
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace funcpipe {

enum class ErrorCode {
  invalid_input,      // the user's file, flag or data is wrong; the command exits with 2
  not_found,          // a file, key, function or bucket that does not exist
  already_exists,     // something of that name exists, and the request was to create it
  permission_denied,  // credentials or file permissions do not allow it
  unavailable,        // the other side is down, refuses or is overloaded, after all retries
  timeout,            // a wait reached its limit; the message says who waited for what
  corrupt,            // bytes that fail their checksum or do not parse
  exhausted,          // memory, disk, quota or concurrency is used up
  cancelled,          // the user or a peer's failure asked us to stop
  failed,             // the other side answered with an error of its own
};

struct Error {
  ErrorCode code = ErrorCode::failed;
  std::string message;  // what happened, with the run-time values at the end
  std::string place;    // "job.toml:12", "s3://bucket/key", "stage 1 replica 0"; empty if there is none
  std::string hint;     // the way out, one sentence; empty if there is none
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string place = {}, std::string hint = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(place), std::move(hint)});
}

std::string_view to_string(ErrorCode code);

// Returns "place: message" and, if there is a hint, a second line "  hint: ...".
std::string describe(const Error& error);

// Returns the exit code of a command that fails with `error`: 2 for invalid_input, 1 for everything else.
int exit_code(const Error& error);

}  // namespace funcpipe

// FUNCPIPE_TRY(value, expression) declares `value` from a Result<T>, or returns the Result's error to the caller.
#define FUNCPIPE_TRY_CAT2(a, b) a##b
#define FUNCPIPE_TRY_CAT(a, b) FUNCPIPE_TRY_CAT2(a, b)
#define FUNCPIPE_TRY(value, ...)                                                                      \
  auto FUNCPIPE_TRY_CAT(result_, __LINE__) = (__VA_ARGS__);                                           \
  if (!FUNCPIPE_TRY_CAT(result_, __LINE__))                                                           \
    return tl::unexpected<::funcpipe::Error>(std::move(FUNCPIPE_TRY_CAT(result_, __LINE__)).error()); \
  auto value = std::move(*FUNCPIPE_TRY_CAT(result_, __LINE__))

// FUNCPIPE_TRY_VOID(expression) returns the error of a Result<void> to the caller, if there is one.
#define FUNCPIPE_TRY_VOID(...)                                                                        \
  if (auto FUNCPIPE_TRY_CAT(result_, __LINE__) = (__VA_ARGS__); !FUNCPIPE_TRY_CAT(result_, __LINE__)) \
  return tl::unexpected<::funcpipe::Error>(std::move(FUNCPIPE_TRY_CAT(result_, __LINE__)).error())
