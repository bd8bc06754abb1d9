// The conditions a request makes: If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since.
// https://datatracker.ietf.org/doc/html/rfc9110#section-13
#pragma once

#include <optional>
#include <string_view>

#include "emulator/http/message.h"
#include "emulator/request_signature.h"
#include "emulator/s3/object_folder.h"

namespace funcpipe {

enum class ReadVerdict { send, not_modified, failed };

// Of a GET or HEAD of an object that is there.
ReadVerdict judge_read(const HttpRequest& request, const StoredObject& object);

// Whether a range is wanted of this object: If-Range, if it is there, names it.
bool range_applies(const HttpRequest& request, const StoredObject& object);

// Of what writes an object; `current` is nullptr if there is none. S3 knows If-None-Match: * and If-Match here, and
// refuses the rest. nullopt: go on.
std::optional<Refusal> judge_write(const HttpRequest& request, const StoredObject* current);

// Of a DELETE, where S3 knows If-Match alone. Deleting what is not there succeeds.
std::optional<Refusal> judge_delete(const HttpRequest& request, const StoredObject* current);

// Whether an entity tag, with or without quotes, or '*', names the object.
bool tag_matches(std::string_view tag, const StoredObject& object);

Refusal precondition_failed();

}  // namespace funcpipe
