#include "job/sample_rows.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "protocol/wire.h"

namespace funcpipe {
namespace {

constexpr Bytes kMostSearched = 4096 * kMiB;  // of one column, in search of its extremes; takes seconds
constexpr Bytes kMostBytes = 64 * kMiB;       // of one column's rows; if they are too few, they are repeated

// Returns the rows with the least and the greatest number.
template <class Number>
std::vector<std::int64_t> rows_of_extremes(const Column& column) {
  constexpr Bytes kSize = sizeof(Number);
  const std::int64_t per_row = column.row.bytes() / kSize;
  const std::int64_t elements = std::min(column.rows * column.row.bytes(), kMostSearched) / kSize;
  Number least = 0, greatest = 0;
  std::int64_t least_at = 0, greatest_at = 0;
  for (std::int64_t i = 0; i < elements; ++i) {
    Number number = 0;
    std::memcpy(&number, column.bytes.get() + i * kSize, sizeof number);  // the file may have it unaligned
    if (i == 0 || number < least) least = number, least_at = i;
    if (i == 0 || number > greatest) greatest = number, greatest_at = i;
  }
  return {greatest_at / per_row, least_at / per_row};
}

std::vector<std::int64_t> rows_of_extremes(const Column& column) {
  if (!column.bytes || column.rows == 0) return {};
  const std::string& dtype = column.row.dtype;
  if (dtype == "uint8") return rows_of_extremes<std::uint8_t>(column);
  if (dtype == "int8") return rows_of_extremes<std::int8_t>(column);
  if (dtype == "int16") return rows_of_extremes<std::int16_t>(column);
  if (dtype == "int32") return rows_of_extremes<std::int32_t>(column);
  if (dtype == "int64") return rows_of_extremes<std::int64_t>(column);
  return {};
}

}  // namespace

std::vector<std::int64_t> rows_to_try(const Dataset& data, std::int64_t rows) {
  std::vector<std::int64_t> chosen = rows_of_extremes(data.input);
  const std::vector<std::int64_t> of_target = rows_of_extremes(data.target);
  chosen.insert(chosen.end(), of_target.begin(), of_target.end());
  for (std::int64_t row = 0; row < std::min(rows, data.input.rows); ++row) chosen.push_back(row);
  std::vector<std::int64_t> unique;
  for (const std::int64_t row : chosen)
    if (std::ranges::find(unique, row) == unique.end()) unique.push_back(row);
  return unique;
}

namespace {

// The bytes of some rows, one row after the other.
struct TakenRows {
  WireTensor tensor;
  std::vector<std::byte> bytes;
};

Result<TakenRows> take(const Column& column, const std::vector<std::int64_t>& rows) {
  TakenRows taken;
  const auto type = element_type(column.row.dtype);
  if (!type)
    return fail(ErrorCode::invalid_input, fmt::format("data of type {} cannot become a tensor", column.row.dtype));
  const auto size = static_cast<std::size_t>(column.row.bytes());
  taken.bytes.resize(rows.size() * size);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::memcpy(taken.bytes.data() + i * size, column.bytes.get() + rows[i] * column.row.bytes(), size);
  taken.tensor.type = *type;
  taken.tensor.shape = column.row.shape;
  taken.tensor.shape.insert(taken.tensor.shape.begin(), std::ssize(rows));
  return taken;
}

}  // namespace

struct SampleRows::File {
  int descriptor = -1;
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

SampleRows::SampleRows(std::unique_ptr<File> file) : file_(std::move(file)) {}
SampleRows::SampleRows(SampleRows&&) noexcept = default;
SampleRows& SampleRows::operator=(SampleRows&&) noexcept = default;
SampleRows::~SampleRows() = default;

std::filesystem::path SampleRows::path() const {
  return fmt::format("/proc/{}/fd/{}", ::getpid(), file_->descriptor);
}

Result<SampleRows> SampleRows::of(const Datasets& data, std::int64_t rows) {
  std::vector<TakenRows> taken;
  for (const Dataset* dataset : {&data.train, &data.validation}) {
    if (dataset->input.rows == 0) continue;
    const Bytes widest = std::max({dataset->input.row.bytes(), dataset->target.row.bytes(), Bytes{1}});
    const auto chosen = rows_to_try(*dataset, std::clamp<std::int64_t>(kMostBytes / widest, 1, rows));
    for (const Column* column : {&dataset->input, &dataset->target}) {
      FUNCPIPE_TRY(one, take(*column, chosen));
      taken.push_back(std::move(one));
    }
  }
  std::vector<WireTensor> tensors;
  for (TakenRows& one : taken) {
    one.tensor.bytes = one.bytes;
    tensors.push_back(one.tensor);
  }
  const EncodedTensors encoded = encode_tensors(tensors);
  auto file = std::make_unique<File>();
  file->descriptor = ::memfd_create("rows", MFD_CLOEXEC);
  bool written = file->descriptor >= 0;
  for (const ConstBytes piece : encoded.pieces)
    for (std::size_t done = 0; written && done < piece.size();) {
      const ssize_t size = ::write(file->descriptor, piece.data() + done, piece.size() - done);
      if (size > 0)
        done += static_cast<std::size_t>(size);
      else
        written = size < 0 && errno == EINTR;
    }
  if (!written)
    return fail(ErrorCode::exhausted, fmt::format("cannot keep rows of the data in memory: {}", std::strerror(errno)));
  return SampleRows(std::move(file));
}

}  // namespace funcpipe
