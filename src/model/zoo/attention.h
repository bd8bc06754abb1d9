// Multi-head self-attention, shared by the transformers of the zoo.
#pragma once

#include "model/zoo/layers.h"

namespace funcpipe::zoo {

struct AttentionShape {
  int length = 0;  // tokens
  int width = 0;
  int heads = 0;  // divides width: checked, throws std::invalid_argument
};

// forward(x, mask): x [N, length, width]; `mask` is added to the scores [N, heads, length, length]. The names are those
// of the four linear layers, in the order query, key, value, output.
struct AttentionNames {
  std::string query = "query", key = "key", value = "value", output = "output";
};
Module attention(Initialiser& init, const AttentionShape& shape, const AttentionNames& names,
                 double dropout_probability);

}  // namespace funcpipe::zoo
