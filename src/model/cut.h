// Where a flattened model may be cut, and which of those places become the borders between layers.
#pragma once

#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/flat_model.h"
#include "profile/model_description.h"

namespace funcpipe {

// A cut before FlatModel::nodes[position]; `values` are live there, in the order of their making: tensors, and numbers
// and the like that travel as tensors (model/border_values.h).
struct Border {
  int position = 0;
  std::vector<torch::jit::Value*> values;
};

// For a value that is live at a border the tensors that stand for it.
using MeasuredTensors = std::unordered_map<const torch::jit::Value*, std::vector<TensorSpec>>;

struct Candidates {
  std::vector<Border> borders;           // ascending positions
  std::map<int, std::string> obstacles;  // by position: why the model cannot be cut there
};

// Every position at which all live values can travel (data inputs, parameters, buffers, `training` and what is made
// anew wherever it is used do not count: each stage has its own), no later in-place operation writes to memory of a
// live one, and no slot that changes is touched on both sides.
Candidates candidate_borders(const FlatModel& model);

// Why nodes [begin, end) are one layer though several of them apply weights; empty if they need not be.
std::string why_whole(const FlatModel& model, const Candidates& candidates, int begin, int end);

// The borders between layers, chosen among `candidates` by their price: bytes sent (twice for a tensor whose gradient
// travels back) plus 4 KiB for each tensor. The rule:
// 1. A span is worth being a layer if it applies a weight (a parameter of two or more dimensions). All else
// (activations,
//    normalisation, pooling, attention products, reshaping) joins a neighbour: between two such spans, the border is
//    the cheapest candidate, of equals the last.
// 2. A border is dropped if among the eight borders before it and also among the eight after it there is one of less
// than
//    half its price: such a cut is never a good choice.
std::vector<Border> layer_borders(const FlatModel& model, std::vector<Border> candidates, const MeasuredTensors& sizes);

// The name of the layer of nodes [begin, end): the submodules whose weights it applies, or whose code it runs.
std::string layer_name(const FlatModel& model, int begin, int end);

// Whether nodes [begin, end) draw random numbers when training.
bool draws_random_numbers(const FlatModel& model, int begin, int end);

}  // namespace funcpipe
