#include "model/zoo/layers.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <cmath>

namespace funcpipe::zoo {

Initialiser::Initialiser(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor Initialiser::uniform(at::IntArrayRef shape, double bound) {
  return at::empty(shape).uniform_(-bound, bound, generator_);
}

at::Tensor Initialiser::normal(at::IntArrayRef shape, double deviation) {
  return at::empty(shape).normal_(0, deviation, generator_);
}

Module Initialiser::define(const Module& module, const std::string& source) {
  const auto type = module.type();
  std::string structure = type->name()->name() + "\n" + source;
  for (std::size_t i = 0; i < type->numAttributes(); ++i) {
    structure +=
        fmt::format("{} {} {}\n", type->getAttributeName(i), static_cast<const void*>(type->getAttribute(i).get()),
                    type->is_parameter(i) ? "parameter" : "");
  }
  const auto twin = made_.find(structure);
  if (twin == made_.end()) {
    Module defined = module;
    defined.define(source);
    made_.emplace(structure, defined);
    return defined;
  }
  Module instance(twin->second._ivalue()->compilation_unit(), twin->second.type());
  for (std::size_t i = 0; i < type->numAttributes(); ++i) {
    instance._ivalue()->setAttr(type->getAttributeName(i), module._ivalue()->getSlot(i));
  }
  return instance;
}

Module make_module(const std::string& type) {
  Module module(c10::QualifiedName("__torch__.funcpipe." + type));
  module.register_attribute("training", c10::BoolType::get(), true);
  return module;
}

void add_parameter(Module& module, const std::string& name, const at::Tensor& value) {
  module.register_parameter(name, value.requires_grad_(true), /*is_buffer=*/false);
}

void define_forward(Initialiser& init, Module& module, const std::string& arguments, const std::string& body) {
  module = init.define(module, fmt::format("def forward(self, {}):\n{}\n", arguments, body));
}

namespace {

void add_weight_and_bias(Module& module, Initialiser& init, const std::vector<std::int64_t>& shape, int fan_in,
                         bool bias) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  add_parameter(module, "weight", init.uniform(shape, bound));
  if (bias) add_parameter(module, "bias", init.uniform({shape[0]}, bound));
}

}  // namespace

Module convolution(Initialiser& init, const Convolution& s, ConvolutionWeights weights) {
  Module module = make_module("Conv2d");
  const std::vector<std::int64_t> shape{s.out, s.in, s.kernel_height, s.kernel_width};
  const int area = s.kernel_height * s.kernel_width;
  if (weights == ConvolutionWeights::uniform) {
    add_weight_and_bias(module, init, shape, s.in * area, s.bias);
  } else {
    add_parameter(module, "weight", init.normal(shape, std::sqrt(2.0 / (s.out * area))));
    if (s.bias) add_parameter(module, "bias", at::zeros({s.out}));
  }
  define_forward(
      init, module, "x",
      fmt::format("  return torch.conv2d(x, self.weight, {}, [{}, {}], [{}, {}], [1, 1], 1)",
                  s.bias ? "self.bias" : "None", s.stride_height, s.stride_width, s.padding_height, s.padding_width));
  return module;
}

Module linear(Initialiser& init, int in, int out) {
  Module module = make_module("Linear");
  add_weight_and_bias(module, init, {out, in}, in, true);
  define_forward(init, module, "x", "  return torch.linear(x, self.weight, self.bias)");
  return module;
}

Module transformer_linear(Initialiser& init, int in, int out) {
  Module module = make_module("Linear");
  add_parameter(module, "weight", init.normal({out, in}, 0.02));
  add_parameter(module, "bias", at::zeros({out}));
  define_forward(init, module, "x", "  return torch.linear(x, self.weight, self.bias)");
  return module;
}

Module batch_norm(Initialiser& init, int channels) {
  Module module = make_module("BatchNorm2d");
  add_parameter(module, "weight", at::ones({channels}));
  add_parameter(module, "bias", at::zeros({channels}));
  module.register_buffer("running_mean", at::zeros({channels}));
  module.register_buffer("running_var", at::ones({channels}));
  module.register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
  define_forward(init, module, "x",
                 "  if self.training:\n"
                 "    self.num_batches_tracked.add_(1)\n"
                 "  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var,\n"
                 "                          self.training, 0.1, 1e-05, False)");
  return module;
}

Module layer_norm(Initialiser& init, int width, double epsilon) {
  Module module = make_module("LayerNorm");
  add_parameter(module, "weight", at::ones({width}));
  add_parameter(module, "bias", at::zeros({width}));
  define_forward(
      init, module, "x",
      fmt::format("  return torch.layer_norm(x, [{}], self.weight, self.bias, {:e}, False)", width, epsilon));
  return module;
}

Module embedding(Initialiser& init, int entries, int width) {
  Module module = make_module("Embedding");
  add_parameter(module, "weight", init.normal({entries, width}, 0.02));
  define_forward(init, module, "tokens", "  return torch.embedding(self.weight, tokens)");
  return module;
}

Module dropout(Initialiser& init, double probability) {
  Module module = make_module("Dropout");
  define_forward(init, module, "x", fmt::format("  return torch.dropout(x, {:e}, self.training)", probability));
  return module;
}

Module relu(Initialiser& init) {
  Module module = make_module("ReLU");
  define_forward(init, module, "x", "  return torch.relu(x)");
  return module;
}

Module sequential(Initialiser& init, const std::vector<std::pair<std::string, Module>>& members) {
  Module module = make_module("Sequential");
  std::string body;
  for (const auto& [name, member] : members) {
    module.register_module(name, member);
    body += fmt::format("  x = getattr(self, \"{}\").forward(x)\n", name);
  }
  define_forward(init, module, "x", body + "  return x");
  return module;
}

Module sequential(Initialiser& init, const std::vector<Module>& members) {
  std::vector<std::pair<std::string, Module>> named;
  named.reserve(members.size());
  for (const auto& member : members) named.emplace_back(std::to_string(named.size()), member);
  return sequential(init, named);
}

Module module_list(const std::vector<Module>& members) {
  Module module = make_module("ModuleList");
  for (std::size_t i = 0; i < members.size(); ++i) module.register_module(std::to_string(i), members[i]);
  return module;
}

}  // namespace funcpipe::zoo
