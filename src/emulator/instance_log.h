// What an instance printed: all of it in a file, the last of the current invocation at hand.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace funcpipe {

class InstanceLog {
 public:
  // A file that cannot be written to is done without: the log is for people.
  explicit InstanceLog(const std::filesystem::path& path);

  void write(std::string_view text);
  void begin_tail() { tail_.clear(); }
  // The last 4 KB since begin_tail(), as X-Amz-Log-Result holds them.
  std::string_view tail() const;

 private:
  std::ofstream file_;
  std::string tail_;
};

}  // namespace funcpipe
