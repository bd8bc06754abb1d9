// What an instance printed: in a file, of bounded size, and the last of the current invocation at hand.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/units.h"

namespace funcpipe {

// Removes what InstanceLogs have written to the folder, and the folder if nothing else is left. A link is left alone.
void remove_instance_logs(const std::filesystem::path& folder);

class InstanceLog {
 public:
  // Writes to `folder`/`id`.log. When that is full it becomes `id`.old.log, in place of the one before, so that the
  // latest 8 to 16 MiB are kept. Of the logs of earlier instances in the folder the latest 2,000, and 256 MiB, stay.
  // A file that cannot be written to is done without: the log is for people.
  InstanceLog(const std::filesystem::path& folder, const std::string& id);

  void write(std::string_view text);
  void begin_tail() { tail_.clear(); }
  // The last 4 KB since begin_tail(), as X-Amz-Log-Result holds them.
  std::string_view tail() const;

 private:
  void open();
  std::filesystem::path path_, old_path_;
  std::ofstream file_;
  Bytes size_ = 0;
  std::string tail_;
};

}  // namespace funcpipe
