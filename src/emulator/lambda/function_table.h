// The functions that exist. They are kept on disk, so that the next start finds them: functions/NAME/function.json and,
// in the same folder, one folder for each unpacked package.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "emulator/lambda/function.h"
#include "emulator/lambda/package.h"

namespace funcpipe {

class FunctionTable {
 public:
  struct Entry {
    LambdaFunction function;
    std::shared_ptr<UnpackedPackage> package;  // shared with the instances that run in it
  };

  // Removes what an interrupted creation or update left. Leaves alone what no emulator has made. Errors: corrupt,
  // permission_denied, exhausted.
  static Result<FunctionTable> open(std::filesystem::path folder);

  const Entry* find(const std::string& name) const;  // nullptr if there is none
  const std::map<std::string, Entry>& all() const { return entries_; }

  // Returns a folder into which a package of the function can be unpacked.
  std::filesystem::path new_package(const std::string& name) const;
  // Adds or replaces a function, first on disk. If `package` is empty, the function keeps the one it has. Errors:
  // exhausted, permission_denied, or already_exists if a function.json that is not ours is in the way.
  Result<> put(LambdaFunction function, const std::filesystem::path& package = {});
  void remove(const std::string& name);

 private:
  explicit FunctionTable(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
  std::map<std::string, Entry> entries_;
};

}  // namespace funcpipe
