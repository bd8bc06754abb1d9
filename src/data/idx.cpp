#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "data/mapped_file.h"
#include "data/readers.h"

namespace funcpipe {
namespace {

struct CloseGz {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzFile = std::unique_ptr<gzFile_s, CloseGz>;

// Reads `size` bytes, or fewer at the end of the file. Returns how many, or -1 if the stream is damaged.
std::int64_t read_fully(gzFile file, std::byte* to, std::int64_t size) {
  std::int64_t done = 0;
  while (done < size) {
    const auto step = static_cast<unsigned>(std::min<std::int64_t>(size - done, 1 << 26));
    const int got = gzread(file, to + done, step);
    if (got < 0) return -1;
    if (got == 0) break;
    done += got;
  }
  return done;
}

}  // namespace

Result<Column> read_idx(const std::filesystem::path& path) {
  const std::string place = path.string();
  const auto broken = [&](std::string message, std::string hint = "fetch the file again") {
    return fail(ErrorCode::invalid_input, std::move(message), place, std::move(hint));
  };
  FUNCPIPE_TRY(opened, open_data_file(path));
  std::error_code ignored;
  if (std::filesystem::file_size(path, ignored) == 0) return broken("the data file is empty");
  const GzFile file(gzdopen(opened.get(), "rb"));  // reads uncompressed files unchanged
  if (!file) return fail(ErrorCode::exhausted, "no memory to read the data file", place);
  static_cast<void>(opened.release());  // `file` owns it now

  std::byte magic[4];
  const std::int64_t got = read_fully(file.get(), magic, 4);
  if (got < 0) return broken("the gzip stream is damaged");
  if (got < 4 || magic[0] != std::byte{0} || magic[1] != std::byte{0})
    return broken("not an idx file: it should start with two zero bytes",
                  "name an idx-ubyte file as MNIST's, or name the file's format in data.format");
  if (magic[2] != std::byte{8})
    return broken(fmt::format("only idx files of unsigned bytes (type 8) are read, this one has type {}",
                              std::to_integer<int>(magic[2])),
                  "save the array as .npy and set data.format to npy");
  const int dimensions = std::to_integer<int>(magic[3]);
  if (dimensions < 1 || dimensions > 8)
    return broken(fmt::format("1 to 8 dimensions were expected, the file has {}", dimensions));

  Column column;
  column.row.dtype = "uint8";
  std::int64_t total = 1;
  for (int i = 0; i < dimensions; ++i) {
    std::byte word[4];
    if (read_fully(file.get(), word, 4) != 4) return broken("the idx header is cut off");
    std::int64_t extent = 0;
    for (const std::byte b : word) extent = extent << 8 | std::to_integer<std::int64_t>(b);
    if (extent == 0) return broken(fmt::format("dimension {} of the idx file is empty", i));
    if (__builtin_mul_overflow(total, extent, &total) || total > (std::int64_t{1} << 40))
      return broken("the idx file's shape is beyond any data set");
    i == 0 ? void(column.rows = extent) : column.row.shape.push_back(extent);
  }
  if (column.row.shape.size() == 2) column.row.shape.insert(column.row.shape.begin(), 1);

  // Deflate shrinks data to 1/1032 at most. A shape far beyond that means a damaged header, and nothing is allocated
  // for it.
  const auto file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, ignored));
  if (total / 1040 > file_bytes)
    return broken(fmt::format("the idx shape needs {} bytes, the file has {}", total, file_bytes));
  const std::shared_ptr<std::byte> bytes(new (std::nothrow) std::byte[static_cast<std::size_t>(total)],
                                         std::default_delete<std::byte[]>());
  if (!bytes)
    return fail(ErrorCode::exhausted, fmt::format("no memory for {} bytes of data", total), place,
                "use a machine with more memory");
  const std::int64_t present = read_fully(file.get(), bytes.get(), total);
  if (present < 0) return broken("the gzip stream is damaged");
  if (present < total) return broken(fmt::format("the idx shape needs {} bytes, the file has {}", total, present));
  column.bytes = bytes;
  return column;
}

}  // namespace funcpipe
