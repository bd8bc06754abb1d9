// The conditions of a request: If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since. Source:
// https://datatracker.ietf.org/doc/html/rfc9110#section-13
#pragma once

#include <optional>
#include <string_view>

#include "emulator/http/message.h"
#include "emulator/request_signature.h"
#include "emulator/s3/object_folder.h"

namespace funcpipe {

enum class ReadVerdict { send, not_modified, failed };

// Judges a GET or HEAD of an object that exists.
ReadVerdict judge_read(const HttpRequest& request, const StoredObject& object);

// True if a range of this object may be sent: there is no If-Range, or it matches the object.
bool range_applies(const HttpRequest& request, const StoredObject& object);

// Judges a request that writes an object; `current` is nullptr if there is none. S3 supports If-None-Match: * and
// If-Match here and refuses other conditions. Returns nullopt if the request may go on.
std::optional<Refusal> judge_write(const HttpRequest& request, const StoredObject* current);

// Judges a DELETE, for which S3 supports If-Match only. Deleting what does not exist succeeds.
std::optional<Refusal> judge_delete(const HttpRequest& request, const StoredObject* current);

// True if an entity tag (with or without quotes) or '*' matches the object.
bool tag_matches(std::string_view tag, const StoredObject& object);

Refusal precondition_failed();

}  // namespace funcpipe
