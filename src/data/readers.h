// One reader per file format; each gives a Column. Errors name the file, what was expected and the way out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"
#include "data/dataset.h"

namespace funcpipe {

// numpy.save's format, versions 1 to 3: little-endian, C order, of a type PyTorch has. Dimension 0 counts the rows.
Result<Column> read_npy(const std::filesystem::path& path);

// The format of MNIST's files (idx3-ubyte, idx1-ubyte; any rank, unsigned bytes), plain or through gzip. A row of two
// dimensions is an image of one channel: [28,28] becomes [1,28,28].
Result<Column> read_idx(const std::filesystem::path& path);

// Raw tokens, or any text for `dtype` uint8. Row i of the input is tokens [i*length, (i+1)*length), of the target the
// same shifted by one; what is left of the end is dropped. uint16 becomes int32, as PyTorch has no uint16.
// The last `tail_fraction` of the rows goes to `validation`.
Result<Datasets> read_tokens(const std::filesystem::path& path, const std::string& dtype, std::int64_t length,
                             double tail_fraction);

}  // namespace funcpipe
