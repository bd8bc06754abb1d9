// Makes the zip file that Lambda's CreateFunction takes.
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
  store,    // uncompressed and fast, for the emulator
  deflate,  // compressed, for the cloud, which takes 50 MB at most
};

// Makes a zip file. `files` maps a path in the package ("bootstrap", "lib/libx.so") to its content. The same files give
// the same bytes. Errors: invalid_input if there is no executable "bootstrap", or a path is absolute or leaves the
// package.
Result<std::string> make_package(const std::map<std::string, PackagedFile>& files,
                                 PackageCompression compression = PackageCompression::deflate);

}  // namespace funcpipe
