// The S3 documents that the emulator writes and reads. A document with a DOCTYPE is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"

namespace funcpipe {

std::string xml_escape(std::string_view text);

// Formats seconds since 1970 as "2026-11-23T17:00:52.000Z" and as "Mon, 23 Nov 2026 17:00:52 GMT".
std::string xml_time(Seconds unix_seconds);
std::string http_time(Seconds unix_seconds);

// Returns a document of one element in S3's namespace around `content`, which must be XML.
std::string s3_document(std::string_view element, std::string_view content);

struct S3ErrorDocument {
  std::string code, message, resource, request_id;
  std::string region;  // the region to sign for; empty: not named
};
std::string error_xml(const S3ErrorDocument& error);

struct DeleteRequest {
  struct Object {
    std::string key;
    std::string etag;   // a condition; empty: none
    std::string other;  // the name of an element of S3's schema that is not supported; empty: none
  };
  std::vector<Object> objects;
  bool quiet = false;
};
// The body of a DeleteObjects request; nullopt if it is none, or says more than S3's schema knows.
std::optional<DeleteRequest> parse_delete_request(std::string_view xml);

struct CompletedPart {
  int number = 0;
  std::string etag;                                            // without quotes
  std::vector<std::pair<std::string, std::string>> checksums;  // element and value: "ChecksumCRC32", base64
};
// Parses the body of a CompleteMultipartUpload request; nullopt if it is none or has elements outside S3's schema.
std::optional<std::vector<CompletedPart>> parse_completed_parts(std::string_view xml);

// Parses the LocationConstraint of a CreateBucket request, whose body may be empty; nullopt if it is none or asks for
// more.
std::optional<std::string> parse_location(std::string_view xml);

}  // namespace funcpipe
