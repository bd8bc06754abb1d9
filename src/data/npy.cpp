#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "data/mapped_file.h"
#include "data/readers.h"

namespace funcpipe {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct Type {
  std::string_view numpy, torch;
  std::string_view hint = {};  // for a type that PyTorch lacks and no wider one of its own holds
};
constexpr std::array kTypes = {Type{"f4", "float32"},
                               Type{"f8", "float64"},
                               Type{"f2", "float16"},
                               Type{"u1", "uint8"},
                               Type{"i1", "int8"},
                               Type{"i2", "int16"},
                               Type{"i4", "int32"},
                               Type{"i8", "int64"},
                               Type{"b1", "bool"},
                               Type{"c8", "complex64"},
                               Type{"c16", "complex128"},
                               Type{"u2", "int32"},
                               Type{"u4", "int64"},
                               Type{"u8", "", "save it as x.astype(\"int64\")"},
                               Type{"V2", "", "NumPy has no bfloat16: save it as x.astype(\"float32\")"},
                               Type{"f16", "", "save it as x.astype(\"float32\")"}};

// Converts to the next wider type, which holds every value: PyTorch lacks unsigned integers of 2 and 4 bytes.
template <class Narrow, class Wide>
std::shared_ptr<const std::byte> widened(const std::shared_ptr<const std::byte>& stored, std::int64_t elements) {
  const std::shared_ptr<std::byte> wide(new std::byte[static_cast<std::size_t>(elements) * sizeof(Wide)],
                                        std::default_delete<std::byte[]>());
  for (std::int64_t i = 0; i < elements; ++i) {
    Narrow narrow = 0;
    std::memcpy(&narrow, stored.get() + static_cast<std::size_t>(i) * sizeof narrow, sizeof narrow);
    const Wide number = narrow;
    std::memcpy(wide.get() + static_cast<std::size_t>(i) * sizeof number, &number, sizeof number);
  }
  return wide;
}

struct Header {
  std::string descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

// Parses the header, a Python dictionary literal of strings, booleans and one tuple of integers.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  std::optional<Header> parse() {
    Header header;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      const auto key = string();
      if (!key || !take(':')) return std::nullopt;
      if (*key == "descr") {
        const auto value = string();
        if (!value) return std::nullopt;  // the value is a list, that is, a structured type
        header.descr = *value;
      } else if (*key == "fortran_order") {
        header.fortran_order = boolean();
        if (!header.fortran_order) return std::nullopt;
      } else if (*key == "shape") {
        header.shape = tuple();
        if (!header.shape) return std::nullopt;
      } else {
        return std::nullopt;
      }
      if (!take(',') && !peek('}')) return std::nullopt;
    }
    if (header.descr.empty() || !header.fortran_order || !header.shape) return std::nullopt;
    return header;
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool peek(char c) {
    skip();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  std::optional<std::string> string() {
    skip();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
    const char quote = text_[at_];
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  std::optional<bool> boolean() {
    skip();
    for (const std::string_view word : {"True", "False"})
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return word == "True";
      }
    return std::nullopt;
  }
  std::optional<std::vector<std::int64_t>> tuple() {
    if (!take('(')) return std::nullopt;
    std::vector<std::int64_t> values;
    while (!take(')')) {
      skip();
      std::int64_t value = 0;
      const std::size_t start = at_;
      while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text_[at_] - '0', &value))
          return std::nullopt;
        ++at_;
      }
      if (at_ == start) return std::nullopt;
      values.push_back(value);
      if (!take(',') && !peek(')')) return std::nullopt;
    }
    return values;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Column> read_npy(const std::filesystem::path& path) {
  const std::string place = path.string();
  FUNCPIPE_TRY(file, map_file(path));
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.get()), static_cast<std::size_t>(file.size));
  const auto broken = [&](std::string message, std::string hint = "write the file again with numpy.save") {
    return fail(ErrorCode::invalid_input, std::move(message), place, std::move(hint));
  };
  if (!text.starts_with(kMagic))
    return broken("not a .npy file: it does not start with \\x93NUMPY",
                  "write it with numpy.save, or name its format in data.format");
  if (text.size() < 10) return broken(fmt::format("the .npy header is cut off after {} bytes", text.size()));
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(text[i])); };
  const std::size_t major = byte(6);
  if (major < 1 || major > 3) return broken(fmt::format(".npy version 1, 2 or 3 was expected, the file has {}", major));
  const std::size_t prefix = major == 1 ? 10 : 12;
  if (text.size() < prefix) return broken(fmt::format("the .npy header is cut off after {} bytes", text.size()));
  std::size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (text.size() - prefix < length)
    return broken(fmt::format("the .npy header says {} bytes, the file has {}", length, text.size() - prefix));

  const auto header = HeaderParser(text.substr(prefix, length)).parse();
  if (!header)
    return broken("the .npy header is not understood (a plain array of numbers was expected)",
                  "save one array of numbers, without fields or objects");
  const std::string_view descr = header->descr;
  const auto type = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& t) {
    return descr.size() >= 3 && descr.substr(1) == t.numpy &&
           (descr[0] == '<' || descr[0] == '=' || descr[0] == '|' || (descr[0] == '>' && descr.substr(2) == "1"));
  });
  if (descr.starts_with('>') && type == kTypes.end())
    return broken(fmt::format("the array's numbers ({}) have their bytes in the order of another processor", descr),
                  fmt::format("save it as x.astype(\"<{}\")", descr.substr(1)));
  if (type == kTypes.end() || !type->hint.empty())
    return broken(fmt::format("the array's type {} has no twin in PyTorch", descr),
                  type == kTypes.end() ? "save it as numbers: x.astype(\"float32\"), or another type that PyTorch has"
                                       : std::string(type->hint));
  if (*header->fortran_order && header->shape->size() > 1)
    return broken("the array is in Fortran order; rows were expected one after the other",
                  "save numpy.ascontiguousarray(array)");
  if (header->shape->empty()) return broken("the array has no dimension; dimension 0 should count the rows");

  Column column;
  column.rows = header->shape->front();
  column.row.dtype = type->torch;
  column.row.shape.assign(header->shape->begin() + 1, header->shape->end());
  if (column.rows == 0) return broken("the array has no rows", "save at least one row");
  const bool widens = type->numpy == "u2" || type->numpy == "u4";
  std::int64_t expected = element_size(column.row.dtype) / (widens ? 2 : 1);
  for (const std::int64_t extent : *header->shape) {
    if (extent == 0) return broken("a row of the array is empty", "every dimension must be at least 1");
    if (__builtin_mul_overflow(expected, extent, &expected)) return broken("the array's shape is beyond any file");
  }
  const auto present = static_cast<std::int64_t>(text.size() - prefix - length);
  if (present < expected)
    return broken(fmt::format("the array's shape needs {} bytes, the file has {}", expected, present));
  column.bytes = part(file.bytes, static_cast<Bytes>(prefix + length));
  if (type->numpy == "u2") column.bytes = widened<std::uint16_t, std::int32_t>(column.bytes, expected / 2);
  if (type->numpy == "u4") column.bytes = widened<std::uint32_t, std::int64_t>(column.bytes, expected / 4);
  return column;
}

}  // namespace funcpipe
