#include "model/saved_models.h"

#include <stdlib.h>

#include <cstdlib>

namespace funcpipe::testing {
namespace {

// A temporary folder that goes away with the program.
class Folder {
 public:
  explicit Folder(const std::string& script) {
    std::string pattern = (std::filesystem::temp_directory_path() / "funcpipe-models-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return;
    path_ = pattern;
    if (run_python(FUNCPIPE_SOURCE_DIR "/tests/model/" + script + " " + pattern + " > /dev/null") != 0) {
      std::filesystem::remove_all(path_);
      path_.clear();
    }
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

const std::filesystem::path& saved_models() {
  static const Folder folder("make_models.py");
  return folder.path();
}

const std::filesystem::path& graph_models() {
  static const Folder folder("make_graph_models.py");
  return folder.path();
}

int run_python(const std::string& arguments) {
  const char* chosen = std::getenv("FUNCPIPE_PYTHON");
  return std::system(((chosen != nullptr ? chosen : "/usr/bin/python3") + std::string(" ") + arguments).c_str());
}

}  // namespace funcpipe::testing
