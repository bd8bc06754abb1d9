// ListObjects and ListObjectsV2 over a bucket's index: prefix, delimiter, paging.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "emulator/http/message.h"
#include "emulator/request_signature.h"
#include "emulator/s3/object_folder.h"

namespace funcpipe {

// The answer's XML, for the parameters of `request`'s query.
tl::expected<std::string, Refusal> list_objects(const HttpRequest& request, const std::string& bucket,
                                                const ObjectFolder::Objects& objects);

}  // namespace funcpipe
