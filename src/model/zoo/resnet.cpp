// Residual networks (He et al., CVPR 2016) with torchvision's layout and names: the 3x3 convolution has the stride.
#include <fmt/format.h>

#include "model/zoo/families.h"

namespace funcpipe::zoo {
namespace {

constexpr auto kWeights = ConvolutionWeights::normal_fan_out;

Module downsample(Initialiser& init, int in, int out, int stride) {
  return sequential(init,
                    {convolution(init, Convolution::square(in, out, 1, stride), kWeights), batch_norm(init, out)});
}

// A block of two 3x3 convolutions.
Module basic_block(Initialiser& init, int in, int width, int stride) {
  Module block = make_module("BasicBlock");
  block.register_module("conv1", convolution(init, Convolution::square(in, width, 3, stride, 1), kWeights));
  block.register_module("bn1", batch_norm(init, width));
  block.register_module("conv2", convolution(init, Convolution::square(width, width, 3, 1, 1), kWeights));
  block.register_module("bn2", batch_norm(init, width));
  const bool shortcut = stride != 1 || in != width;
  if (shortcut) block.register_module("downsample", downsample(init, in, width, stride));
  define_forward(init, block, "x",
                 fmt::format("  y = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                             "  y = self.bn2.forward(self.conv2.forward(y))\n"
                             "  return torch.relu(y + {})",
                             shortcut ? "self.downsample.forward(x)" : "x"));
  return block;
}

// A block of convolutions of 1x1, 3x3 and 1x1, of which the last is four times as wide.
Module bottleneck(Initialiser& init, int in, int width, int stride) {
  const int out = 4 * width;
  Module block = make_module("Bottleneck");
  block.register_module("conv1", convolution(init, Convolution::square(in, width, 1), kWeights));
  block.register_module("bn1", batch_norm(init, width));
  block.register_module("conv2", convolution(init, Convolution::square(width, width, 3, stride, 1), kWeights));
  block.register_module("bn2", batch_norm(init, width));
  block.register_module("conv3", convolution(init, Convolution::square(width, out, 1), kWeights));
  block.register_module("bn3", batch_norm(init, out));
  const bool shortcut = stride != 1 || in != out;
  if (shortcut) block.register_module("downsample", downsample(init, in, out, stride));
  define_forward(init, block, "x",
                 fmt::format("  y = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
                             "  y = torch.relu(self.bn2.forward(self.conv2.forward(y)))\n"
                             "  y = self.bn3.forward(self.conv3.forward(y))\n"
                             "  return torch.relu(y + {})",
                             shortcut ? "self.downsample.forward(x)" : "x"));
  return block;
}

}  // namespace

ZooModel resnet(const Options& options, Initialiser& init) {
  const bool basic = options.text("block") == "basic";
  const auto counts = options.integers("blocks");
  const bool bytes = options.text("input") == "uint8";
  Module model = make_module("ResNet");
  model.register_module("conv1", convolution(init, Convolution::square(3, 64, 7, 2, 3), kWeights));
  model.register_module("bn1", batch_norm(init, 64));
  // In TorchScript 6 is the code of float32.
  std::string body = bytes ? "  x = (x.to(6) / 255.0 - 0.449) / 0.226\n" : "";
  body +=
      "  x = torch.relu(self.bn1.forward(self.conv1.forward(x)))\n"
      "  x = torch.max_pool2d(x, [3, 3], [2, 2], [1, 1])\n";
  int channels = 64;
  for (std::size_t group = 0; group < counts.size(); ++group) {
    const int width = 64 << group;
    std::vector<Module> blocks;
    for (int i = 0; i < counts[group]; ++i) {
      const int stride = i == 0 && group > 0 ? 2 : 1;
      blocks.push_back(basic ? basic_block(init, channels, width, stride) : bottleneck(init, channels, width, stride));
      channels = basic ? width : 4 * width;
    }
    const auto name = fmt::format("layer{}", group + 1);
    model.register_module(name, sequential(init, blocks));
    body += fmt::format("  x = self.{}.forward(x)\n", name);
  }
  model.register_module("fc", linear(init, channels, options.integer("classes")));
  define_forward(init, model, "x",
                 body +
                     "  x = torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1)\n"
                     "  return self.fc.forward(x)");
  const int size = options.integer("size");
  return {model, {{bytes ? "uint8" : "float32", {1, 3, size, size}, false}}};
}

}  // namespace funcpipe::zoo
