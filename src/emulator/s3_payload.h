// A PUT's body on its way in: plain or aws-chunked, to a new file and (for objects the cache takes) to memory, with
// every checksum the request names verified before anything becomes visible.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "emulator/http_server.h"
#include "emulator/object_folder.h"
#include "emulator/request_signature.h"

namespace funcpipe {

struct ReceivedPayload {
  std::unique_ptr<ObjectFileWriter> file;  // not sealed
  SharedBytes bytes;                       // nullptr if not kept
  Bytes size = 0;
  std::uint32_t crc32c = 0;
  // MD5 in hex; but objects over 1 MiB that came with a CRC-32C have no MD5 (it would halve the speed) and get a tag
  // of the form that S3 gives objects made of one part, which no client takes for an MD5.
  std::string etag;
};

// `part`: a part of an upload; always with an MD5, never kept in memory.
asio::awaitable<tl::expected<ReceivedPayload, Refusal>> receive_payload(HttpRequest& request, ObjectFolder& folder,
                                                                        asio::thread_pool& file_threads,
                                                                        bool part = false);

// A small body (a document), with its checksums verified.
asio::awaitable<tl::expected<std::string, Refusal>> receive_document(HttpRequest& request, Bytes limit);

// The refusal for an error of the folder.
Refusal storage_refusal(const Error& error);

}  // namespace funcpipe
