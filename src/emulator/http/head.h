// Reads a request's head more strictly than HTTP demands. It refuses whatever two readers could understand differently,
// so that no body can be taken for a second request. Used within this folder only.
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

// Looks for the end of a head that arrives in pieces.
class HeadScanner {
 public:
  // `text` is all that has come so far. Returns the size of the head with its empty line; 0: it is not yet complete.
  tl::expected<std::size_t, HeadFault> scan(std::string_view text);

 private:
  std::size_t at_ = 0;  // how far it has looked
  bool line_start_ = false;
};

struct BodyFraming {
  bool chunked = false;
  Bytes length = 0;  // if not chunked
  bool continue_expected = false;
};

// Copies a parsed head into `request` and says how its body is framed.
tl::expected<BodyFraming, HeadFault> take_head(const HttpParser& parser, HttpRequest& request);

}  // namespace funcpipe
