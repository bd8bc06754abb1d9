// A request's head, read more strictly than HTTP asks for: whatever two readers could understand in two ways is
// refused, so that no body passes for a request. Of this folder alone.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/http/message.h"

namespace funcpipe {

using HttpParser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

struct HeadFault {
  int status = 400;
  std::string what;
};

// Looks for the end of a head whose bytes come in piece by piece.
class HeadScanner {
 public:
  // `text` is all that has come so far. The head's size, the empty line included; 0: not yet complete.
  tl::expected<std::size_t, HeadFault> scan(std::string_view text);

 private:
  std::size_t at_ = 0;  // looked at so far
  bool line_start_ = false;
};

struct BodyFraming {
  bool chunked = false;
  Bytes length = 0;  // if not chunked
  bool continue_expected = false;
};

// Takes over a parsed head.
tl::expected<BodyFraming, HeadFault> take_head(const HttpParser& parser, HttpRequest& request);

}  // namespace funcpipe
