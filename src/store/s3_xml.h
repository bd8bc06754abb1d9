// The few XML documents of the S3 API that the client writes and reads.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace funcpipe {

struct S3Error {
  std::string code;  // for example "NoSuchKey"; empty if the body is no S3 error document
  std::string message;
};
S3Error parse_s3_error(std::string_view xml);

std::string delete_request_xml(std::span<const std::string> keys);

struct DeleteFailure {
  std::string key;
  S3Error error;
};
// Reads the answer to a DeleteObjects request. Returns the keys that were not deleted. Errors: corrupt.
Result<std::vector<DeleteFailure>> parse_delete_result(std::string_view xml);

struct ListPage {
  std::vector<ListedObject> objects;
  std::string continuation;  // where the next page begins; empty on the last page
};
Result<ListPage> parse_list_page(std::string_view xml);

std::string create_bucket_xml(std::string_view region);

}  // namespace funcpipe
