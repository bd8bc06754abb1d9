// The aws-chunked content coding: SIZE_HEX\r\n DATA \r\n ... 0\r\n NAME:VALUE\r\n ... \r\n, as newer AWS clients
// send bodies whose checksum follows them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "emulator/http/message.h"

namespace funcpipe {

class AwsChunkedReader {
 public:
  explicit AwsChunkedReader(HttpRequest& request) : request_(request), buffer_(64 * kKiB) {}

  // Up to into.size() bytes of data; 0 at the end or when broken().
  asio::awaitable<std::size_t> read_some(std::span<std::byte> into);
  bool broken() const { return broken_; }
  const NamedValues& trailers() const { return trailers_; }  // names in lower case; complete at the end

 private:
  asio::awaitable<bool> fill();  // false: the body has ended
  asio::awaitable<bool> line(std::string& into);
  asio::awaitable<bool> begin_chunk();  // false: that was the last, or broken

  HttpRequest& request_;
  std::vector<std::byte> buffer_;
  std::size_t first_ = 0, last_ = 0;  // of the buffer: what was read and not yet used
  std::size_t left_ = 0;              // of the chunk
  bool started_ = false, ended_ = false, broken_ = false;
  NamedValues trailers_;
};

}  // namespace funcpipe
