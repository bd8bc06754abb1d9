#include "emulator/lambda_function_table.h"

#include "base/files.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {
constexpr const char* kDescription = "function.json";
}

Result<FunctionTable> FunctionTable::open(fs::path folder) {
  std::error_code status;
  if (!fs::create_directories(folder, status) && status)
    return fail(ErrorCode::permission_denied, fmt::format("cannot make the folder: {}", status.message()),
                folder.string());
  FunctionTable table(std::move(folder));
  std::vector<fs::path> leftovers;
  for (const auto& found : fs::directory_iterator(table.folder_, status)) {
    const fs::path description = found.path() / kDescription;
    if (!fs::exists(description, status)) {
      leftovers.push_back(found.path());
      continue;
    }
    FUNCPIPE_TRY(json, read_json(description));
    FUNCPIPE_TRY(function, function_from_json(json, description));
    for (const auto& part : fs::directory_iterator(found.path(), status))
      if (part.path().filename() != kDescription && part.path().filename() != function.package)
        leftovers.push_back(part.path());
    auto package = std::make_shared<UnpackedPackage>();
    package->folder = found.path() / function.package;
    const std::string name = function.name;
    table.entries_[name] = {std::move(function), std::move(package)};
  }
  for (const auto& path : leftovers) fs::remove_all(path, status);
  return table;
}

const FunctionTable::Entry* FunctionTable::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

fs::path FunctionTable::new_package(const std::string& name) const {
  return fs::absolute(folder_ / name / ("package-" + compact_uuid().substr(0, 12)));
}

Result<> FunctionTable::put(LambdaFunction function, const fs::path& package) {
  Entry& entry = entries_[function.name];
  if (!package.empty()) function.package = package.filename();
  if (auto written = write_file(folder_ / function.name / kDescription, to_json(function).dump(2) + "\n"); !written) {
    if (!entry.package) entries_.erase(function.name);
    return written;
  }
  if (!package.empty()) {
    if (entry.package) entry.package->replaced = true;
    entry.package = std::make_shared<UnpackedPackage>();
    entry.package->folder = package;
  }
  entry.function = std::move(function);
  return {};
}

void FunctionTable::remove(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  std::error_code status;
  fs::remove(folder_ / name / kDescription, status);  // the next start clears the rest away should we not get to it
  found->second.package->replaced = true;
  entries_.erase(found);
  fs::remove(folder_ / name, status);  // if no instance holds the package any more
}

}  // namespace funcpipe
