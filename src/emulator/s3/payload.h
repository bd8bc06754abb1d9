// A PUT's body on its way in: plain or aws-chunked, to a new file and (for objects the cache takes) to memory, with
// every checksum the request names verified before anything becomes visible.
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
  std::unique_ptr<ObjectFileWriter> file;  // not sealed
  SharedBytes bytes;                       // nullptr if not kept
  Bytes size = 0;
  std::uint32_t crc32c = 0;
  std::optional<StoredChecksum> checksum;  // verified, or computed for `PayloadOptions::algorithm`
  // MD5 in hex; but objects over 1 MiB that came with a CRC-32C have no MD5 (it would halve the speed) and get a tag
  // of the form that S3 gives objects made of one part, which no client takes for an MD5.
  std::string etag;
};

struct PayloadOptions {
  bool part = false;  // of an upload: always with an MD5, never kept in memory
  // Computed and told whether or not the client claims it; another one it may not claim.
  const ChecksumAlgorithm* algorithm = nullptr;
};

// `budget` holds what is kept in memory.
asio::awaitable<tl::expected<ReceivedPayload, Refusal>> receive_payload(HttpRequest& request, ObjectFolder& folder,
                                                                        asio::thread_pool& file_threads,
                                                                        MemoryBudget& budget,
                                                                        PayloadOptions options = {});

// A small body (a document), with its checksums verified but for those that speak of something else (`of_body` false).
asio::awaitable<tl::expected<std::string, Refusal>> receive_document(HttpRequest& request, Bytes limit,
                                                                     bool of_body = true);

// The refusal for an error of the folder.
Refusal storage_refusal(const Error& error);

}  // namespace funcpipe
