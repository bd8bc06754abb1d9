// A causal transformer over bytes. It normalises before each block like GPT-2, and its head shares its weight with the
// embedding. It takes tokens [N, context] and returns the next token's scores [N, context, vocab].
#include <ATen/ops/full.h>
#include <fmt/format.h>

#include <limits>

#include "model/zoo/attention.h"
#include "model/zoo/families.h"

namespace funcpipe::zoo {
namespace {

Module block(Initialiser& init, const AttentionShape& shape, double probability) {
  Module module = make_module("Block");
  module.register_module("norm1", layer_norm(init, shape.width));
  module.register_module("attention", attention(init, shape, {}, probability));
  module.register_module("norm2", layer_norm(init, shape.width));
  module.register_module("up", transformer_linear(init, shape.width, 4 * shape.width));
  module.register_module("down", transformer_linear(init, 4 * shape.width, shape.width));
  module.register_module("dropout", dropout(init, probability));
  define_forward(init, module, "x, mask",
                 "  x = x + self.dropout.forward(self.attention.forward(self.norm1.forward(x), mask))\n"
                 "  y = self.down.forward(torch.gelu(self.up.forward(self.norm2.forward(x))))\n"
                 "  return x + self.dropout.forward(y)");
  return module;
}

}  // namespace

ZooModel char_gpt(const Options& options, Initialiser& init) {
  const int context = options.integer("context");
  const AttentionShape shape{context, options.integer("width"), options.integer("heads")};
  const int vocabulary = options.integer("vocab");
  const double probability = options.real("dropout");
  Module model = make_module("CharGPT");
  model.register_module("embedding", embedding(init, vocabulary, shape.width));
  add_parameter(model, "position", init.normal({context, shape.width}, 0.02));
  model.register_buffer("mask", at::full({context, context}, -std::numeric_limits<float>::infinity()).triu(1));
  model.register_module("dropout", dropout(init, probability));
  std::vector<Module> blocks;
  std::string calls;
  for (int i = 0; i < options.integer("layers"); ++i) {
    blocks.push_back(block(init, shape, probability));
    calls += fmt::format("  x = getattr(self.blocks, \"{}\").forward(x, self.mask)\n", i);
  }
  model.register_module("blocks", module_list(blocks));
  model.register_module("norm", layer_norm(init, shape.width));
  // In TorchScript 3 is the code of int32.
  define_forward(init, model, "tokens",
                 "  x = self.dropout.forward(self.embedding.forward(tokens.to(3)) + self.position)\n" + calls +
                     "  return torch.linear(self.norm.forward(x), self.embedding.weight)");
  return {model, {{"uint8", {1, context}, false}}};
}

}  // namespace funcpipe::zoo
