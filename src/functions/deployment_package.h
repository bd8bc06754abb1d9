// The zip file that CreateFunction wants.
#pragma once

#include <map>
#include <string>

#include "base/error.h"

namespace funcpipe {

struct PackagedFile {
  std::string content;
  bool executable = false;
};

enum class PackageCompression {
  store,    // as fast as memory: for the emulator
  deflate,  // for the cloud, which takes 50 MB at most
};

// Paths inside the package ("bootstrap", "lib/libx.so") to their content. The same files make the same bytes.
// Errors: invalid_input without an executable "bootstrap", or for a path that is absolute or leaves the package.
Result<std::string> make_package(const std::map<std::string, PackagedFile>& files,
                                 PackageCompression compression = PackageCompression::deflate);

}  // namespace funcpipe
