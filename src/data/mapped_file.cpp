#include "data/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace funcpipe {
Result<FileDescriptor> open_data_file(const std::filesystem::path& path) {
  auto file = open_regular_file(path);
  if (file) return file;
  Error error = std::move(file).error();
  error.hint = error.code == ErrorCode::not_found           ? "check the file names under [data]"
               : error.code == ErrorCode::permission_denied ? "check the file's permissions"
                                                            : "name a regular file under [data]";
  return tl::unexpected(std::move(error));
}

Result<MappedFile> map_file(const std::filesystem::path& path) {
  const std::string place = path.string();
  const auto file = open_data_file(path);
  if (!file) return tl::unexpected(file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0)
    return fail(ErrorCode::permission_denied, fmt::format("cannot read: {}", std::strerror(errno)), place);
  if (status.st_size == 0)
    return fail(ErrorCode::invalid_input, "the data file is empty", place, "write it again; it holds no data");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->get(), 0);
  if (address == MAP_FAILED)
    return fail(ErrorCode::exhausted, fmt::format("cannot map the data file: {}", std::strerror(errno)), place);
  return MappedFile{
      std::shared_ptr<const std::byte>(static_cast<const std::byte*>(address),
                                       [size](const std::byte* p) { ::munmap(const_cast<std::byte*>(p), size); }),
      status.st_size};
}

std::shared_ptr<const std::byte> part(const std::shared_ptr<const std::byte>& whole, Bytes offset) {
  return {whole, whole.get() + offset};
}

}  // namespace funcpipe
