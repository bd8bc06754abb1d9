// The BERT encoder (Devlin et al., NAACL 2019) with a classifier on the first token. It normalises after each block;
// names are those of transformers' BertModel. Token 0 is padding, and the mask for it is passed on with the hidden
// states.
#include <fmt/format.h>

#include "model/zoo/attention.h"
#include "model/zoo/families.h"

namespace funcpipe::zoo {
namespace {

constexpr double kEpsilon = 1e-12;

Module encoder_layer(Initialiser& init, const AttentionShape& shape, double probability) {
  Module module = make_module("BertLayer");
  module.register_module("attention", attention(init, shape, {}, probability));
  module.register_module("attention_norm", layer_norm(init, shape.width, kEpsilon));
  module.register_module("intermediate", transformer_linear(init, shape.width, 4 * shape.width));
  module.register_module("output", transformer_linear(init, 4 * shape.width, shape.width));
  module.register_module("output_norm", layer_norm(init, shape.width, kEpsilon));
  module.register_module("dropout", dropout(init, probability));
  define_forward(init, module, "x, mask",
                 "  x = self.attention_norm.forward(x + self.dropout.forward(self.attention.forward(x, mask)))\n"
                 "  y = self.output.forward(torch.gelu(self.intermediate.forward(x)))\n"
                 "  return self.output_norm.forward(x + self.dropout.forward(y))");
  return module;
}

Module embeddings(Initialiser& init, int vocabulary, const AttentionShape& shape, bool frozen, double probability) {
  Module module = make_module("BertEmbeddings");
  const auto add = [&](const std::string& name, std::vector<std::int64_t> size) {
    if (frozen)
      module.register_buffer(name, init.normal(std::move(size), 0.02));
    else
      add_parameter(module, name, init.normal(std::move(size), 0.02));
  };
  add("word_embeddings", {vocabulary, shape.width});
  add("position_embeddings", {shape.length, shape.width});
  module.register_module("norm", layer_norm(init, shape.width, kEpsilon));
  module.register_module("dropout", dropout(init, probability));
  define_forward(init, module, "tokens",
                 "  x = torch.embedding(self.word_embeddings, tokens) + self.position_embeddings\n"
                 "  return self.dropout.forward(self.norm.forward(x))");
  return module;
}

}  // namespace

ZooModel bert(const Options& options, Initialiser& init) {
  const AttentionShape shape{options.integer("seq"), options.integer("width"), options.integer("heads")};
  const double probability = options.real("dropout");
  Module model = make_module("Bert");
  model.register_module("embeddings", embeddings(init, options.integer("vocab"), shape,
                                                 options.text("embeddings") == "frozen", probability));
  std::vector<Module> layers;
  std::string calls;
  for (int i = 0; i < options.integer("layers"); ++i) {
    layers.push_back(encoder_layer(init, shape, probability));
    calls += fmt::format("  x = getattr(self.layer, \"{}\").forward(x, mask)\n", i);
  }
  model.register_module("layer", module_list(layers));
  model.register_module("classifier", transformer_linear(init, shape.width, options.integer("classes")));
  // In TorchScript 6 is the code of float32.
  define_forward(init, model, "tokens",
                 "  mask = ((tokens == 0).to(6) * -10000.0).unsqueeze(1).unsqueeze(1)\n"
                 "  x = self.embeddings.forward(tokens)\n" +
                     calls + "  return self.classifier.forward(torch.select(x, 1, 0))");
  return {model, {{"int64", {1, shape.length}, false}}};
}

}  // namespace funcpipe::zoo
