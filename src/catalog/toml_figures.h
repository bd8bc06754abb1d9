// Reads figures out of a TOML table, strictly: what is missing, of the wrong type, out of range or unknown is an error
// that names file, line and what was expected. The first error stays; later reads return zeros.
#pragma once

#include <toml++/toml.h>

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace funcpipe {

class TomlFigures {
 public:
  explicit TomlFigures(std::string file) : file_(std::move(file)) {}

  // Fails unless the file says `format = known` at its top.
  void format(const toml::table& root, int known);

  // Enters the table `name` of the file; all further reads are from it. Every table carries `source` and `date`.
  void enter(const toml::table& root, const std::string& name);
  // Fails for keys of the entered table that nobody asked for.
  void leave();

  double number(std::string_view key, double least, double most = std::numeric_limits<double>::infinity());
  std::optional<double> optional_number(std::string_view key, double least);
  std::vector<double> numbers(std::string_view key, double least);
  // [[x, y], ...] with ascending x.
  std::vector<std::pair<double, double>> points(std::string_view key);
  bool has(std::string_view key) const { return table_ && table_->contains(key); }

  // Text at the top of the file.
  std::string text(const toml::table& table, std::string_view key);
  std::vector<std::string> words(const toml::table& table, std::string_view key, const std::vector<std::string>& known);

  void wrong(const toml::node* node, std::string message);
  const std::optional<Error>& error() const { return error_; }

 private:
  const toml::node* find(std::string_view key, std::string_view expected);
  void source_and_date();

  std::string file_;
  std::string name_;
  const toml::table* table_ = nullptr;
  std::vector<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace funcpipe
