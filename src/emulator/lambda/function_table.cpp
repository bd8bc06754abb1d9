#include "emulator/lambda/function_table.h"

#include <algorithm>
#include <system_error>

#include "base/files.h"
#include "base/owned_folder.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr const char* kDescription = "function.json";
constexpr std::string_view kPackagePrefix = "package-";
constexpr std::size_t kPackageDigits = 12;
constexpr std::string_view kFilesEnding = "/files";

// True for "package-0123456789ab/files". Earlier releases left out "/files".
bool is_package_name(std::string_view name) {
  if (!name.starts_with(kPackagePrefix)) return false;
  if (name.ends_with(kFilesEnding)) name.remove_suffix(kFilesEnding.size());
  name.remove_prefix(kPackagePrefix.size());
  return name.size() == kPackageDigits && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Reads a function's description. What it says decides which folder is removed one day, so it may name only folders of
// its own.
Result<LambdaFunction> read_function(const fs::path& folder) {
  const fs::path place = folder / kDescription;
  FUNCPIPE_TRY(json, read_json(place));
  FUNCPIPE_TRY(function, function_from_json(json, place));
  if (function.name != folder.filename() || !is_package_name(function.package))
    return fail(ErrorCode::corrupt,
                fmt::format("it describes function '{}' in package '{}', which do not belong here", function.name,
                            function.package),
                place.string(), kDescriptionHint);
  return function;
}

}  // namespace

Result<FunctionTable> FunctionTable::open(fs::path folder) {
  FUNCPIPE_TRY_VOID(make_private_folders(folder));
  FunctionTable table(std::move(folder));
  std::error_code status;
  for (const auto& found : fs::directory_iterator(table.folder_, status)) {
    if (found.is_symlink(status) || !found.is_directory(status)) continue;
    if (!fs::exists(found.path() / kDescription, status)) {
      // The creation was interrupted. The folder is removed only if nothing is left in it.
      if (remove_owned_folders(found.path()) > 0) fs::remove(found.path(), status);
      continue;
    }
    FUNCPIPE_TRY(function, read_function(found.path()));
    const fs::path owned = *fs::path(function.package).begin();
    remove_owned_folders(found.path(), owned);
    auto package = std::make_shared<UnpackedPackage>();
    package->folder = fs::absolute(found.path() / owned);
    package->files = fs::absolute(found.path() / function.package);
    // The first releases did not mark their folders.
    if (!is_owned_folder(package->folder)) (void)mark_owned_folder(package->folder);
    const std::string name = function.name;
    table.entries_[name] = {std::move(function), std::move(package)};
  }
  return table;
}

const FunctionTable::Entry* FunctionTable::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

fs::path FunctionTable::new_package(const std::string& name) const {
  return fs::absolute(folder_ / name / (std::string(kPackagePrefix) + compact_uuid().substr(0, kPackageDigits)));
}

Result<> FunctionTable::put(LambdaFunction function, const fs::path& package) {
  if (std::error_code status; !find(function.name) && fs::exists(folder_ / function.name / kDescription, status))
    return fail(ErrorCode::already_exists, "a file that this emulator did not write is in the way",
                (folder_ / function.name / kDescription).string(), "move it away, or give the function another name");
  Entry& entry = entries_[function.name];
  if (!package.empty()) function.package = package.filename() / kPackageFiles;
  if (auto written = write_file(folder_ / function.name / kDescription, to_json(function).dump(2) + "\n"); !written) {
    if (!entry.package) entries_.erase(function.name);
    return written;
  }
  if (!package.empty()) {
    if (entry.package) entry.package->replaced = true;
    entry.package = std::make_shared<UnpackedPackage>();
    entry.package->folder = package;
    entry.package->files = package / kPackageFiles;
  }
  entry.function = std::move(function);
  return {};
}

void FunctionTable::remove(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  std::error_code status;
  fs::remove(folder_ / name / kDescription, status);  // if we fail to remove the rest, the next start does it
  found->second.package->replaced = true;
  entries_.erase(found);
  fs::remove(folder_ / name, status);  // succeeds if no instance uses the package any more
}

}  // namespace funcpipe
