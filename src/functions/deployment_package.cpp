#include "functions/deployment_package.h"

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>

namespace funcpipe {
namespace {

// 1980-01-02: zip has no time before 1980, and this day is later in every time zone
constexpr std::time_t kTime = 315619200;

la_ssize_t append(archive*, void* state, const void* bytes, std::size_t size) {
  static_cast<std::string*>(state)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

bool leaves_package(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return path.empty() || normal.is_absolute() || *normal.begin() == ".." || *normal.begin() == ".";
}

}  // namespace

Result<std::string> make_package(const std::map<std::string, PackagedFile>& files, PackageCompression compression) {
  const auto bootstrap = files.find("bootstrap");
  if (bootstrap == files.end() || !bootstrap->second.executable) {
    return fail(ErrorCode::invalid_input, "a deployment package needs an executable file \"bootstrap\"");
  }
  std::string zip;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(), &archive_write_free);
  const auto broken = [&] {
    const char* why = archive_error_string(writer.get());
    return fail(ErrorCode::failed, fmt::format("cannot write the deployment package: {}", why ? why : "unknown"));
  };
  if (archive_write_set_format_zip(writer.get()) != ARCHIVE_OK) return broken();
  const int chosen = compression == PackageCompression::store ? archive_write_zip_set_compression_store(writer.get())
                                                              : archive_write_zip_set_compression_deflate(writer.get());
  if (chosen != ARCHIVE_OK) return broken();
  if (archive_write_open2(writer.get(), &zip, nullptr, &append, nullptr, nullptr) != ARCHIVE_OK) return broken();
  for (const auto& [path, file] : files) {
    if (leaves_package(path)) return fail(ErrorCode::invalid_input, "not a path inside a package: \"" + path + "\"");
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), &archive_entry_free);
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), file.executable ? 0755 : 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
    archive_entry_set_mtime(entry.get(), kTime, 0);
    if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK) return broken();
    if (archive_write_data(writer.get(), file.content.data(), file.content.size()) !=
        static_cast<la_ssize_t>(file.content.size())) {
      return broken();
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return broken();
  return zip;
}

}  // namespace funcpipe
