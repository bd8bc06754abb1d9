// ListObjects and ListObjectsV2 over a bucket's index, with prefix, delimiter and pages.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "emulator/http/message.h"
#include "emulator/request_signature.h"
#include "emulator/s3/object_folder.h"

namespace funcpipe {

// Returns the answer's XML for the parameters in `request`'s query.
tl::expected<std::string, Refusal> list_objects(const HttpRequest& request, const std::string& bucket,
                                                const ObjectFolder::Objects& objects);

}  // namespace funcpipe
