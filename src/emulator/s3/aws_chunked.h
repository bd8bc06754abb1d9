// Reads the content coding aws-chunked, in which newer AWS clients send bodies with a checksum at the end: SIZE_HEX\r\n
// DATA \r\n ... 0\r\n NAME:VALUE\r\n ... \r\n
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

  // Reads up to into.size() bytes of data. Returns 0 at the end or if broken().
  asio::awaitable<std::size_t> read_some(std::span<std::byte> into);
  bool broken() const { return broken_; }
  const NamedValues& trailers() const { return trailers_; }  // names in lower case; complete once the body has ended

 private:
  asio::awaitable<bool> fill();  // false: the body has ended
  asio::awaitable<bool> line(std::string& into);
  asio::awaitable<bool> begin_chunk();  // false: that was the last chunk, or the coding is broken

  HttpRequest& request_;
  std::vector<std::byte> buffer_;
  std::size_t first_ = 0, last_ = 0;  // [first_, last_) of the buffer was read and is not used yet
  std::size_t left_ = 0;              // bytes left of the chunk
  bool started_ = false, ended_ = false, broken_ = false;
  NamedValues trailers_;
};

}  // namespace funcpipe
