// Reads figures from a TOML table strictly. A key that is missing or unknown, or has a value of the wrong type or out
// of range, is an error that names the file, the line and what was expected. Only the first error is kept. A read that
// fails returns the least allowed value or an empty one. Not thread-safe.
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

  // Enters the table `name` of the file; all further reads are from it. Checks that it has texts `source` and `date`.
  void enter(const toml::table& root, const std::string& name);
  // Leaves the table. A key in it that was not read is an error.
  void leave();

  double number(std::string_view key, double least, double most = std::numeric_limits<double>::infinity());
  std::optional<double> optional_number(std::string_view key, double least);
  // Reads a list of ascending numbers.
  std::vector<double> numbers(std::string_view key, double least);
  // Reads pairs [[x, y], ...] with ascending x of at least 0 and positive y.
  std::vector<std::pair<double, double>> points(std::string_view key);
  bool has(std::string_view key) const { return table_ && table_->contains(key); }

  // Reads a text from `table`, which is not the entered table but the file's root.
  std::string text(const toml::table& table, std::string_view key);
  // Reads a list of texts from the file's root. Each has to be one of `known`.
  std::vector<std::string> words(const toml::table& table, std::string_view key, const std::vector<std::string>& known);

  // Records an error at `node`'s line, unless there is one already.
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
