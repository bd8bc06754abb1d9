// The building blocks of the zoo: TorchScript modules with the parameter names of their torch.nn namesakes.
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

// The making of one model: draws initial weights in the order they are asked for, and lets modules of the same
// structure share one TorchScript class (libtorch's analyses take exponentially long over many classes nested in each
// other).
class Initialiser {
 public:
  explicit Initialiser(std::uint64_t seed);
  at::Tensor uniform(at::IntArrayRef shape, double bound);  // in [-bound, bound]
  at::Tensor normal(at::IntArrayRef shape, double deviation);
  // `module` with forward defined, as an instance of the class of an equal module made before, if there is one.
  Module define(const Module& module, const std::string& source);

 private:
  std::map<std::string, Module> made_;  // by structure
  at::Generator generator_;
};

// A module of class `type` without anything in it but `training`.
Module make_module(const std::string& type);
void add_parameter(Module& module, const std::string& name, const at::Tensor& value);
// `body`: TorchScript lines of forward after "def forward(self, <arguments>):", indented by two blanks.
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

// Initial weights: torch.nn's own, uniform within 1/sqrt(fan in); or normal with deviation sqrt(2 / fan out), as
// torchvision's residual networks have it.
enum class ConvolutionWeights { uniform, normal_fan_out };
Module convolution(Initialiser& init, const Convolution& shape,
                   ConvolutionWeights weights = ConvolutionWeights::uniform);
Module linear(Initialiser& init, int in, int out);
// Normal with deviation 0.02 and zero bias, as transformers have it.
Module transformer_linear(Initialiser& init, int in, int out);
Module batch_norm(Initialiser& init, int channels);
Module layer_norm(Initialiser& init, int width, double epsilon = 1e-5);
Module embedding(Initialiser& init, int entries, int width);  // normal with deviation 0.02
Module dropout(Initialiser& init, double probability);
Module relu(Initialiser& init);

// Calls its members in turn; names as given.
Module sequential(Initialiser& init, const std::vector<std::pair<std::string, Module>>& members);
Module sequential(Initialiser& init, const std::vector<Module>& members);  // named 0, 1, ...
// Holds members for a parent that unrolls them itself: `self.blocks.0`, ...
Module module_list(const std::vector<Module>& members);

}  // namespace funcpipe::zoo
