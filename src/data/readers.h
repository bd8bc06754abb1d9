// One reader for each file format. Errors name the file, what was expected and what to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "base/error.h"
#include "data/dataset.h"

namespace funcpipe {

// Reads numpy.save's format, versions 1 to 3: little-endian, in C order. Unsigned integers of 2 and 4 bytes become the
// next wider type that PyTorch has. Dimension 0 counts the rows.
Result<Column> read_npy(const std::filesystem::path& path);

// Reads the format of MNIST's files (idx3-ubyte, idx1-ubyte; any rank, unsigned bytes), plain or compressed by gzip. A
// row of two dimensions is an image of one channel: [28,28] becomes [1,28,28].
Result<Column> read_idx(const std::filesystem::path& path);

// Reads a file of raw tokens, or any text with `dtype` uint8. Row i of the input is tokens [i*length, (i+1)*length);
// the target has the same tokens shifted by one. Tokens at the end that fill no row are dropped. uint16 becomes int32,
// as PyTorch cannot compute with uint16. The last `tail_fraction` of the rows go to `validation`.
Result<Datasets> read_tokens(const std::filesystem::path& path, const std::string& dtype, std::int64_t length,
                             double tail_fraction);

}  // namespace funcpipe
