// Finds where a flattened model may be cut, and which of these places become the borders between layers.
#pragma once

#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/flat_model.h"
#include "profile/model_description.h"

namespace funcpipe {

// A cut before FlatModel::nodes[position]. `values` are what is live there, in the order in which they are made:
// tensors, and numbers and the like that are sent as tensors (model/border_values.h).
struct Border {
  int position = 0;
  std::vector<torch::jit::Value*> values;
};

// The tensors that stand for a value that is live at a border.
using MeasuredTensors = std::unordered_map<const torch::jit::Value*, std::vector<TensorSpec>>;

struct Candidates {
  std::vector<Border> borders;           // ascending positions
  std::map<int, std::string> obstacles;  // by position: why the model cannot be cut there
};

// Returns all positions where the model may be cut: all live values can be sent, no later in-place operation writes to
// memory of a live value, and no slot that changes is used on both sides. Data inputs, parameters, buffers, `training`
// and what is made anew in each stage do not count as live, because each stage has its own.
Candidates candidate_borders(const FlatModel& model);

// Says why nodes [begin, end) are one layer although several of them apply weights; empty if there is no such reason.
std::string why_whole(const FlatModel& model, const Candidates& candidates, int begin, int end);

// Chooses the borders between layers among `candidates` by their price: the bytes sent (twice for a tensor whose
// gradient is sent back) plus 4 KiB for each tensor. The rules:
// 1. A span is worth being a layer if it applies a weight, that is, a parameter of two or more dimensions. Other spans
//    (activations, normalisation, pooling, attention products, reshaping) join a neighbour: between two spans with a
//    weight, the border is the cheapest candidate, of equals the last.
// 2. A border is dropped if one of the eight borders before it and one of the eight after it cost less than half of its
//    price, because such a cut is never a good choice.
std::vector<Border> layer_borders(const FlatModel& model, std::vector<Border> candidates, const MeasuredTensors& sizes);

// Returns the name of the layer of nodes [begin, end): the submodules whose weights it applies or else whose code it
// runs.
std::string layer_name(const FlatModel& model, int begin, int end);

// True if nodes [begin, end) draw random numbers in training mode.
bool draws_random_numbers(const FlatModel& model, int begin, int end);

}  // namespace funcpipe
