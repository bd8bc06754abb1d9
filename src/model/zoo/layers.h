// The building blocks of the zoo: TorchScript modules with the parameter names of their counterparts in torch.nn.
#pragma once

#include <ATen/core/Generator.h>
#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace funcpipe::zoo {

using torch::jit::Module;

// The making of one model. Draws initial weights in the order in which they are asked for, and gives modules of equal
// structure one TorchScript class: libtorch's analyses take exponentially long over many classes nested in each other.
class Initialiser {
 public:
  explicit Initialiser(std::uint64_t seed);
  at::Tensor uniform(at::IntArrayRef shape, double bound);  // uniform in [-bound, bound]
  at::Tensor normal(at::IntArrayRef shape, double deviation);
  // Defines forward for `module`. If an equal module was made before, returns an instance of its class.
  Module define(const Module& module, const std::string& source);

 private:
  std::map<std::string, Module> made_;  // by structure
  at::Generator generator_;
};

// Makes a module of class `type` that has only the attribute `training`.
Module make_module(const std::string& type);
void add_parameter(Module& module, const std::string& name, const at::Tensor& value);
// `body` is the TorchScript code of forward after "def forward(self, <arguments>):", indented by two blanks.
void define_forward(Initialiser& init, Module& module, const std::string& arguments, const std::string& body);

struct Convolution {
  int in = 0, out = 0;
  int kernel_height = 1, kernel_width = 1;
  int stride_height = 1, stride_width = 1;
  int padding_height = 0, padding_width = 0;
  bool bias = false;

  static Convolution square(int in, int out, int kernel, int stride = 1, int padding = 0, bool bias = false) {
    return {in, out, kernel, kernel, stride, stride, padding, padding, bias};
  }
};

// Initial weights. uniform is torch.nn's default: uniform within 1/sqrt(fan in). normal_fan_out is normal with
// deviation sqrt(2 / fan out), as in torchvision's residual networks.
enum class ConvolutionWeights { uniform, normal_fan_out };
Module convolution(Initialiser& init, const Convolution& shape,
                   ConvolutionWeights weights = ConvolutionWeights::uniform);
Module linear(Initialiser& init, int in, int out);
// Initial weights are normal with deviation 0.02 and the bias is zero, as usual in transformers.
Module transformer_linear(Initialiser& init, int in, int out);
Module batch_norm(Initialiser& init, int channels);
Module layer_norm(Initialiser& init, int width, double epsilon = 1e-5);
Module embedding(Initialiser& init, int entries, int width);  // normal with deviation 0.02
Module dropout(Initialiser& init, double probability);
Module relu(Initialiser& init);

// Calls its members one after the other. Their names are those given.
Module sequential(Initialiser& init, const std::vector<std::pair<std::string, Module>>& members);
Module sequential(Initialiser& init, const std::vector<Module>& members);  // named 0, 1, ...
// Contains members that its parent calls itself: `self.blocks.0` and so on.
Module module_list(const std::vector<Module>& members);

}  // namespace funcpipe::zoo
