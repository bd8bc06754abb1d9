// Multi-head self-attention, which the transformers of the zoo share.
#pragma once

#include "model/zoo/layers.h"

namespace funcpipe::zoo {

struct AttentionShape {
  int length = 0;  // in tokens
  int width = 0;
  int heads = 0;  // must divide width; otherwise std::invalid_argument is thrown
};

// The module's forward(x, mask) takes x of shape [N, length, width] and adds `mask` to the scores of shape [N, heads,
// length, length]. These are the names of its linear layers for query, key, value and output.
struct AttentionNames {
  std::string query = "query", key = "key", value = "value", output = "output";
};
Module attention(Initialiser& init, const AttentionShape& shape, const AttentionNames& names,
                 double dropout_probability);

}  // namespace funcpipe::zoo
