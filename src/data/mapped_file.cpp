#include "data/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace funcpipe {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<MappedFile> map_file(const std::filesystem::path& path) {
  const std::string place = path.string();
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    const int reason = errno;
    const ErrorCode code = reason == ENOENT || reason == ENOTDIR ? ErrorCode::not_found : ErrorCode::permission_denied;
    return fail(code, fmt::format("cannot open the data file: {}", std::strerror(reason)), place,
                "check the file names under [data]");
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorCode::invalid_input, "not a regular file", place, "name a file under [data], not a folder");
  if (status.st_size == 0)
    return fail(ErrorCode::invalid_input, "the data file is empty", place, "write it again; it holds no data");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
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
