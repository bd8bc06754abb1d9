#include "emulator/s3/aws_chunked.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

namespace funcpipe {
namespace {
constexpr std::size_t kLongestLine = 8192;
constexpr std::size_t kMostTrailers = 8;
}  // namespace

asio::awaitable<bool> AwsChunkedReader::fill() {
  first_ = 0;
  last_ = co_await request_.read_some(buffer_);
  co_return last_ > 0;
}

asio::awaitable<bool> AwsChunkedReader::line(std::string& into) {
  into.clear();
  while (into.size() < kLongestLine) {
    if (first_ == last_ && !co_await fill()) co_return false;
    const char c = static_cast<char>(buffer_[first_++]);
    if (c == '\n' && into.ends_with('\r')) {
      into.pop_back();
      co_return true;
    }
    into += c;
  }
  co_return false;
}

asio::awaitable<bool> AwsChunkedReader::begin_chunk() {
  std::string text;
  if (started_ && (!co_await line(text) || !text.empty())) {  // the line end after the chunk's data
    broken_ = true;
    co_return false;
  }
  started_ = true;
  if (!co_await line(text)) {
    broken_ = true;
    co_return false;
  }
  // An extension would contain a chunk's signature, which is not verified here, so it is refused.
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, left_, 16);
  if (error != std::errc() || stop != end) {
    broken_ = true;
    co_return false;
  }
  if (left_ > 0) co_return true;
  ended_ = true;
  for (;;) {
    if (!co_await line(text)) {
      broken_ = true;
      co_return false;
    }
    if (text.empty()) break;
    const auto colon = text.find(':');
    if (colon == std::string::npos || trailers_.size() == kMostTrailers) {
      broken_ = true;
      co_return false;
    }
    std::string name = text.substr(0, colon), value = text.substr(colon + 1);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    value.erase(0, std::min(value.find_first_not_of(' '), value.size()));
    value.erase(value.find_last_not_of(' ') + 1);
    trailers_.emplace_back(std::move(name), std::move(value));
  }
  broken_ = first_ != last_ || co_await fill();  // true if something follows the end
  co_return false;
}

asio::awaitable<std::size_t> AwsChunkedReader::read_some(std::span<std::byte> into) {
  if (ended_ || broken_ || into.empty()) co_return 0;
  if (left_ == 0 && !co_await begin_chunk()) co_return 0;
  std::size_t got = 0;
  if (first_ < last_) {
    got = std::min({into.size(), left_, last_ - first_});
    std::memcpy(into.data(), buffer_.data() + first_, got);
    first_ += got;
  } else {
    got = co_await request_.read_some(into.first(std::min(into.size(), left_)));
    if (got == 0) broken_ = true;
  }
  left_ -= got;
  co_return got;
}

}  // namespace funcpipe
