#pragma once

#include <exception>
#include <string>

namespace funcpipe {

// Returns the message of an exception of the JSON library without its prefix "[json.exception....] ".
inline std::string json_complaint(const std::exception& error) {
  std::string text = error.what();
  const std::size_t end = text.find("] ");
  return text.starts_with("[json.exception") && end != std::string::npos ? text.substr(end + 2) : text;
}

}  // namespace funcpipe
