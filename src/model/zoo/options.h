// Checks the options of a zoo name, "?key=value&key=value", against the table of its family.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace funcpipe::zoo {

struct Option {
  enum class Type { integer, real, integers, text };
  std::string name;
  Type type = Type::integer;
  std::string fallback;
  double least = 1;  // of a number, or of each of several numbers
  double most = 1 << 20;
  std::vector<std::string> choices;  // of a text
};

class Options {
 public:
  // Errors: invalid_input; the message names the nearest known option and lists all.
  static Result<Options> parse(const std::vector<Option>& table, const std::map<std::string, std::string>& preset,
                               const std::string& query, const std::string& place);
  int integer(const std::string& name) const;
  double real(const std::string& name) const;
  std::vector<int> integers(const std::string& name) const;
  const std::string& text(const std::string& name) const { return values_.at(name); }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace funcpipe::zoo
