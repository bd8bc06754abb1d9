// How values that are not tensors are sent across a border. A number, a list of numbers, an optional value or a tuple
// of these is sent as tensors with exactly the same content. They are made at the end of one span and converted back at
// the start of the next.
//
// | type                   | is sent as                                                                       |
// |------------------------|----------------------------------------------------------------------------------|
// | Tensor                 | itself                                                                           |
// | int, float, bool       | a scalar tensor of type int64, float64, bool                                     |
// | number                 | a scalar tensor of the type it has at run time                                   |
// | list of those          | a vector of int64, float64, bool                                                 |
// | Optional[T], no tensor | a scalar bool, whether it is there, and then what stands for a T (empty if not)  |
// | tuple                  | what stands for its elements, one after the other                                |
// | Device, None           | nothing: functions compute on the CPU                                            |
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <optional>
#include <span>
#include <vector>

namespace funcpipe {

// Returns how many tensors stand for a value of `type`; nullopt if such a value cannot be sent: strings, dictionaries,
// objects, optional tensors, and lists of tensors, whose length is only known at run time.
std::optional<std::size_t> travelling_tensors(const c10::TypePtr& type);

// True if a value of `type` contains tensors, for which a gradient may be sent back.
bool holds_tensors(const c10::TypePtr& type);

// Inserts nodes, at the graph's insertion point, that make the tensors that stand for `value`. Returns these tensors.
std::vector<torch::jit::Value*> pack(torch::jit::Graph& graph, torch::jit::Value* value);

// Inserts the inverse of pack(). There must be travelling_tensors(type) `tensors`.
torch::jit::Value* unpack(torch::jit::Graph& graph, const c10::TypePtr& type,
                          std::span<torch::jit::Value* const> tensors);

}  // namespace funcpipe
