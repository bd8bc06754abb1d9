#include "model/zoo/attention.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace funcpipe::zoo {

Module attention(Initialiser& init, const AttentionShape& shape, const AttentionNames& names,
                 double dropout_probability) {
  const auto [length, width, heads] = shape;
  if (width % heads != 0) {
    throw std::invalid_argument(fmt::format("width {} is not a multiple of heads {}", width, heads));
  }
  Module module = make_module("SelfAttention");
  for (const auto& name : {names.query, names.key, names.value, names.output}) {
    module.register_module(name, transformer_linear(init, width, width));
  }
  module.register_module("dropout", dropout(init, dropout_probability));
  // Shapes are constants, so no size is live where the model might be cut.
  const auto split = fmt::format(".view([-1, {}, {}, {}]).transpose(1, 2)", length, heads, width / heads);
  define_forward(init, module, "x, mask",
                 fmt::format("  q = self.{}.forward(x){split}\n"
                             "  k = self.{}.forward(x){split}\n"
                             "  v = self.{}.forward(x){split}\n"
                             "  scores = torch.matmul(q, k.transpose(2, 3)) * {scale:.17e} + mask\n"
                             "  weights = self.dropout.forward(torch.softmax(scores, -1))\n"
                             "  mixed = torch.matmul(weights, v).transpose(1, 2).reshape([-1, {length}, {width}])\n"
                             "  return self.{}.forward(mixed)",
                             names.query, names.key, names.value, names.output, fmt::arg("split", split),
                             fmt::arg("scale", 1 / std::sqrt(static_cast<double>(width) / heads)),
                             fmt::arg("length", length), fmt::arg("width", width)));
  return module;
}

}  // namespace funcpipe::zoo
