// The output of an instance: written to a file of bounded size, with the end of the current invocation's output in
// memory.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/units.h"

namespace funcpipe {

// Removes the files that InstanceLogs have written to the folder, and the folder if it is then empty. A link is left
// alone.
void remove_instance_logs(const std::filesystem::path& folder);

class InstanceLog {
 public:
  // Writes to `folder`/`id`.log. A full file is renamed to `id`.old.log and replaces the one before, so the latest 8 to
  // 16 MiB are kept. Of earlier instances' logs in the folder, the latest 2,000 and at most 256 MiB stay. Errors of
  // writing are ignored, because the log is only for people.
  InstanceLog(const std::filesystem::path& folder, const std::string& id);

  void write(std::string_view text);
  void begin_tail() { tail_.clear(); }
  // The last 4 KB since begin_tail(), as the header X-Amz-Log-Result returns them.
  std::string_view tail() const;

 private:
  void open();
  std::filesystem::path path_, old_path_;
  std::ofstream file_;
  Bytes size_ = 0;
  std::string tail_;
};

}  // namespace funcpipe
