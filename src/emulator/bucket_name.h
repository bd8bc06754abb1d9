// The rules for a bucket's name. Source:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
#pragma once

#include <string_view>

namespace funcpipe {

// True for 3 to 63 lower-case letters, digits, dots and dashes in the form that S3 asks for.
bool valid_bucket_name(std::string_view name);

// True for names that nobody may create: those that look like an IPv4 address, and those that S3 reserves for itself.
bool reserved_bucket_name(std::string_view name);

}  // namespace funcpipe
