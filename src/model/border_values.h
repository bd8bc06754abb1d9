// How values that are no tensors cross a border: a number, a list of numbers, an optional value or a tuple of such
// travels as tensors that hold exactly the same, made at the end of one span and taken apart at the start of the next.
//
// | type                   | travels as                                                                       |
// |------------------------|----------------------------------------------------------------------------------|
// | Tensor                 | itself                                                                           |
// | int, float, bool       | a scalar tensor of type int64, float64, bool                                     |
// | number                 | a scalar tensor of the type it has at run time                                   |
// | list of those          | a vector of int64, float64, bool                                                 |
// | Optional[T]            | a scalar bool, whether it is there, and then what stands for a T (empty if not)  |
// | tuple                  | what stands for its elements, one after the other                                |
// | Device, None           | nothing: functions compute on the CPU                                            |
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <optional>
#include <span>
#include <vector>

namespace funcpipe {

// How many tensors stand for a value of `type`; nullopt: such a value cannot travel (strings, dictionaries, lists of
// tensors, whose length only the run says, objects).
std::optional<std::size_t> travelling_tensors(const c10::TypePtr& type);

// Whether a gradient may travel back for the tensors that stand for a value of `type`.
bool holds_tensors(const c10::TypePtr& type);

// Inserts into the graph of `value`, at its insertion point, the nodes that make the tensors that stand for it.
std::vector<torch::jit::Value*> pack(torch::jit::Graph& graph, torch::jit::Value* value);

// Inserts the reverse. `tensors`: travelling_tensors(type) of them.
torch::jit::Value* unpack(torch::jit::Graph& graph, const c10::TypePtr& type,
                          std::span<torch::jit::Value* const> tensors);

}  // namespace funcpipe
