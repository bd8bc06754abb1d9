// Receives the body of a PUT, plain or aws-chunked. It is written to a new file and, if the cache takes such objects,
// to memory. Every checksum that the request claims is verified before anything becomes visible.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "emulator/http/message.h"
#include "emulator/request_signature.h"
#include "emulator/s3/checksums.h"
#include "emulator/s3/object_folder.h"

namespace funcpipe {

struct ReceivedPayload {
  std::unique_ptr<ObjectFileWriter> file;  // not sealed yet
  SharedBytes bytes;                       // nullptr if it is not kept in memory
  Bytes size = 0;
  std::uint32_t crc32c = 0;
  std::optional<StoredChecksum> checksum;  // the claimed one, verified, or one computed for `PayloadOptions::algorithm`
  // The MD5 in hex. An object over 1 MiB that came with a CRC-32C has no MD5, which would halve the speed. It gets a
  // tag of the form that S3 gives objects made of one part, which no client takes for an MD5.
  std::string etag;
};

struct PayloadOptions {
  bool part = false;  // a part of an upload always gets an MD5 and is never kept in memory
  // Computed and reported even if the client does not claim it. The client may not claim another one.
  const ChecksumAlgorithm* algorithm = nullptr;
};

// `budget` counts the memory of a body that is kept.
asio::awaitable<tl::expected<ReceivedPayload, Refusal>> receive_payload(HttpRequest& request, ObjectFolder& folder,
                                                                        asio::thread_pool& file_threads,
                                                                        MemoryBudget& budget,
                                                                        PayloadOptions options = {});

// Receives a small body (a document) and verifies its checksums. With `of_body` false, x-amz-checksum-* headers are not
// about the body and are left alone.
asio::awaitable<tl::expected<std::string, Refusal>> receive_document(HttpRequest& request, Bytes limit,
                                                                     bool of_body = true);

// Returns the refusal for an error of the folder.
Refusal storage_refusal(const Error& error);

}  // namespace funcpipe
