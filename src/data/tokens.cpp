#include <cmath>
#include <cstring>
#include <new>

#include "data/mapped_file.h"
#include "data/readers.h"

namespace funcpipe {
namespace {

// Copies uint16 tokens as int32.
std::shared_ptr<const std::byte> widen(const MappedFile& file, std::int64_t tokens) {
  const std::shared_ptr<std::byte> wide(new std::byte[static_cast<std::size_t>(tokens) * 4],
                                        std::default_delete<std::byte[]>());
  for (std::int64_t i = 0; i < tokens; ++i) {
    std::uint16_t narrow = 0;
    std::memcpy(&narrow, file.bytes.get() + 2 * i, 2);
    const std::int32_t token = narrow;
    std::memcpy(wide.get() + 4 * i, &token, 4);
  }
  return wide;
}

}  // namespace

Result<Datasets> read_tokens(const std::filesystem::path& path, const std::string& dtype, std::int64_t length,
                             double tail_fraction) {
  const std::string place = path.string();
  if (length < 1)
    return fail(ErrorCode::invalid_input, fmt::format("data.sequence_length must be at least 1, it is {}", length),
                place, "set data.sequence_length to the tokens of one row");
  if (!(tail_fraction >= 0 && tail_fraction < 1))
    return fail(ErrorCode::invalid_input,
                fmt::format("data.validation_fraction must be at least 0 and below 1, it is {}", tail_fraction), place);
  const std::int64_t width = dtype == "uint8" ? 1 : dtype == "uint16" ? 2 : dtype == "int32" ? 4 : 0;
  if (width == 0)
    return fail(ErrorCode::invalid_input, fmt::format("data.token_dtype \"{}\" is not known", dtype), place,
                "use uint8, uint16 or int32");
  FUNCPIPE_TRY(file, map_file(path));
  if (file.size % width != 0)
    return fail(ErrorCode::invalid_input, fmt::format("{} bytes are not a whole number of {} tokens", file.size, dtype),
                place, "check data.token_dtype");
  const std::int64_t tokens = file.size / width;
  const std::int64_t rows = (tokens - 1) / length;
  if (rows < 1)
    return fail(ErrorCode::invalid_input,
                fmt::format("a row needs {} tokens and one more as its last target, the file has {}", length, tokens),
                place, "use a longer file or a shorter data.sequence_length");
  const auto tail = static_cast<std::int64_t>(std::floor(static_cast<double>(rows) * tail_fraction));
  if (tail_fraction > 0 && (tail == 0 || tail == rows))
    return fail(
        ErrorCode::invalid_input,
        fmt::format("data.validation_fraction {} of {} rows leaves training or validation empty", tail_fraction, rows),
        place, "use a longer file, a shorter data.sequence_length or another fraction");

  const Bytes element = width == 2 ? 4 : width;
  const auto bytes = width == 2 ? widen(file, tokens) : file.bytes;
  const auto column = [&](std::int64_t first_token, std::int64_t count) {
    Column result;
    result.row.dtype = width == 1 ? "uint8" : "int32";
    result.row.shape = {length};
    result.rows = count;
    result.bytes = part(bytes, first_token * element);
    return result;
  };
  const std::int64_t train = rows - tail;
  Datasets result;
  result.train = {column(0, train), column(1, train)};
  if (tail > 0) result.validation = {column(train * length, tail), column(train * length + 1, tail)};
  return result;
}

}  // namespace funcpipe
