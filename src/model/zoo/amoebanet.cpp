// AmoebaNet-D (Real et al., AAAI 2019) in the variant of the GPipe and torchgpipe benchmarks. A stem of one convolution
// and two reduction cells is followed by three groups of normal cells, with a reduction cell between groups. A cell
// makes five sums of pairs and passes on two tensors: its own output and its first input.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <stdexcept>

#include "model/zoo/families.h"

namespace funcpipe::zoo {
namespace {

enum class Operation { identity, average_pool_3x3, max_pool_3x3, max_pool_2x2, conv_1x1, conv_3x3, conv_1x7_7x1 };

struct Edge {
  int from;  // 0: the cell's first input, 1: its second, 2 and more: the sums
  Operation operation;
};

struct Genotype {
  std::array<Edge, 10> edges;  // edges 2k and 2k+1 make state k + 2
  std::vector<int> concatenated;
};

Genotype normal_cell() {
  using enum Operation;
  // The reference implementation concatenates states 0, 3, 4, 6, where the paper has 4, 5, 6.
  return {{{{1, conv_1x1},
            {1, max_pool_3x3},
            {1, identity},
            {0, conv_1x7_7x1},
            {0, conv_1x1},
            {0, conv_1x7_7x1},
            {2, max_pool_3x3},
            {2, identity},
            {1, average_pool_3x3},
            {5, conv_1x1}}},
          {0, 3, 4, 6}};
}

Genotype reduction_cell() {
  using enum Operation;
  return {{{{0, max_pool_2x2},
            {0, max_pool_3x3},
            {2, identity},
            {1, conv_3x3},
            {2, conv_1x7_7x1},
            {2, max_pool_3x3},
            {3, identity},
            {1, max_pool_2x2},
            {2, average_pool_3x3},
            {3, conv_1x1}}},
          {4, 5, 6}};
}

Module relu_conv_bn(Initialiser& init, const std::vector<Convolution>& shapes) {
  std::vector<Module> members;
  for (const auto& shape : shapes) {
    members.push_back(relu(init));
    members.push_back(convolution(init, shape));
    members.push_back(batch_norm(init, shape.out));
  }
  return sequential(init, members);
}

// Halves height and width by two 1x1 convolutions of stride 2. The second is shifted by one pixel.
Module factorized_reduce(Initialiser& init, int in, int out) {
  Module module = make_module("FactorizedReduce");
  module.register_module("conv1", convolution(init, Convolution::square(in, out / 2, 1, 2)));
  module.register_module("conv2", convolution(init, Convolution::square(in, out / 2, 1, 2)));
  module.register_module("bn", batch_norm(init, out));
  define_forward(init, module, "x",
                 "  x = torch.relu(x)\n"
                 "  shifted = torch.constant_pad_nd(x, [-1, 1, -1, 1])\n"
                 "  return self.bn.forward(torch.cat([self.conv1.forward(x), self.conv2.forward(shifted)], 1))");
  return module;
}

// Returns the expression of an operation on `state`. If the operation has weights, registers a submodule `name`.
std::string apply(Module& cell, Initialiser& init, Operation operation, const std::string& name,
                  const std::string& state, int channels, int stride) {
  const int narrow = channels / 4;
  switch (operation) {
    case Operation::identity:
      return state;
    case Operation::average_pool_3x3:
      return fmt::format("torch.avg_pool2d({0}, [3, 3], [{1}, {1}], [1, 1], False, False)", state, stride);
    case Operation::max_pool_3x3:
      return fmt::format("torch.max_pool2d({0}, [3, 3], [{1}, {1}], [1, 1])", state, stride);
    case Operation::max_pool_2x2:
      return fmt::format("torch.max_pool2d({0}, [2, 2], [{1}, {1}])", state, stride);
    case Operation::conv_1x1:
      cell.register_module(name, relu_conv_bn(init, {Convolution::square(channels, channels, 1, stride)}));
      break;
    case Operation::conv_3x3:
      cell.register_module(name, relu_conv_bn(init, {Convolution::square(channels, narrow, 1),
                                                     Convolution::square(narrow, narrow, 3, stride, 1),
                                                     Convolution::square(narrow, channels, 1)}));
      break;
    case Operation::conv_1x7_7x1:
      cell.register_module(name, relu_conv_bn(init, {Convolution::square(channels, narrow, 1),
                                                     {narrow, narrow, 1, 7, 1, stride, 0, 3, false},
                                                     {narrow, narrow, 7, 1, stride, 1, 3, 0, false},
                                                     Convolution::square(narrow, channels, 1)}));
      break;
  }
  return fmt::format("self.{}.forward({})", name, state);
}

struct CellShape {
  int previous_previous = 0;  // channels of the cell's second input
  int previous = 0;           // channels of the first
  int channels = 0;
  bool reduction = false;
  bool after_reduction = false;
};

Module make_cell(Initialiser& init, const CellShape& shape) {
  const Genotype genotype = shape.reduction ? reduction_cell() : normal_cell();
  Module cell = make_module("Cell");
  cell.register_module("reduce1", relu_conv_bn(init, {Convolution::square(shape.previous, shape.channels, 1)}));
  std::string body = "  s0 = self.reduce1.forward(x)\n";
  if (shape.after_reduction) {
    cell.register_module("reduce2", factorized_reduce(init, shape.previous_previous, shape.channels));
  } else if (shape.previous_previous != shape.channels) {
    cell.register_module("reduce2",
                         relu_conv_bn(init, {Convolution::square(shape.previous_previous, shape.channels, 1)}));
  }
  const bool reduced = shape.after_reduction || shape.previous_previous != shape.channels;
  body += reduced ? "  s1 = self.reduce2.forward(skip)\n" : "  s1 = skip\n";
  for (int i = 0; i < 10; i += 2) {
    std::array<std::string, 2> terms;
    for (int k = 0; k < 2; ++k) {
      const auto [from, operation] = genotype.edges[i + k];
      terms[k] = apply(cell, init, operation, fmt::format("op{}", i + k), fmt::format("s{}", from), shape.channels,
                       shape.reduction && from < 2 ? 2 : 1);
    }
    body += fmt::format("  s{} = {} + {}\n", i / 2 + 2, terms[0], terms[1]);
  }
  std::vector<std::string> parts;
  for (const int state : genotype.concatenated) parts.push_back(fmt::format("s{}", state));
  define_forward(init, cell, "x, skip", body + fmt::format("  return torch.cat([{}], 1)", fmt::join(parts, ", ")));
  return cell;
}

}  // namespace

ZooModel amoebanet(const Options& options, Initialiser& init) {
  Module model = make_module("AmoebaNetD");
  int channels = options.integer("filters") / 4;
  model.register_module("stem1", relu_conv_bn(init, {Convolution::square(3, channels, 3, 2, 1)}));
  std::string body = "  x = self.stem1.forward(x)\n  skip = x\n";
  CellShape shape{channels, channels, channels, false, false};
  const auto add = [&](const std::string& name, bool reduction) {
    if (reduction) shape.channels *= 2;
    shape.reduction = reduction;
    model.register_module(name, make_cell(init, shape));
    shape.previous_previous = shape.previous;
    shape.previous = shape.channels * (reduction ? 3 : 4);
    shape.after_reduction = reduction;
    body += fmt::format("  y = self.{}.forward(x, skip)\n  skip = x\n  x = y\n", name);
  };
  add("stem2", true);
  add("stem3", true);
  const int repeats = options.integer("cells") / 3;
  if (repeats * 3 != options.integer("cells")) throw std::invalid_argument("cells must be a multiple of 3");
  for (int group = 0; group < 3; ++group) {
    for (int i = 0; i < repeats; ++i) add(fmt::format("cell{}_normal{}", 2 * group + 1, i + 1), false);
    if (group < 2) add(fmt::format("cell{}_reduction", 2 * group + 2), true);
  }
  model.register_module("classify", linear(init, shape.previous, options.integer("classes")));
  define_forward(init, model, "x",
                 body + "  return self.classify.forward(torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1))");
  const int size = options.integer("size");
  return {model, {{"float32", {1, 3, size, size}, false}}};
}

}  // namespace funcpipe::zoo
