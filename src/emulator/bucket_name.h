// What a bucket may be called.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
#pragma once

#include <string_view>

namespace funcpipe {

// 3 to 63 lower-case letters, digits, dots and dashes.
bool valid_bucket_name(std::string_view name);

// Names that nobody may create: what looks like an IPv4 address, what S3 keeps for itself.
bool reserved_bucket_name(std::string_view name);

}  // namespace funcpipe
