// All tensors in a module's tree of submodules: parameters, buffers, and those in lists, tuples and dictionaries among
// its attributes.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/shared_memory.h"

namespace funcpipe {

// Joins "encoder" and "weight" to "encoder.weight"; with an empty path it returns the name alone.
std::string join_path(const std::string& path, const std::string& name);

// The tensors in the order of the state dict: a module's parameters, its buffers, those of its submodules; then tensors
// that are only in its containers. It does not change once made, so several threads may read it.
class ModuleTensors {
 public:
  explicit ModuleTensors(const torch::jit::Module& module);

  const TensorAttribute& operator[](std::size_t index) const { return attributes_[index]; }
  // The object that has the tensor as an attribute, and the attribute's name; None and empty for a tensor in a
  // container.
  const std::pair<c10::IValue, std::string>& holder(std::size_t index) const { return holders_[index]; }

  // The index of the attribute `name` of `object`; nullopt if that is no tensor.
  std::optional<std::size_t> attribute(const c10::IValue& object, const std::string& name) const;
  // The index of the first tensor with the memory, shape, strides and type of `tensor`. The module must contain one.
  std::size_t with_view(const at::Tensor& tensor) const;

 private:
  using View = std::tuple<const void*, std::vector<std::int64_t>, std::vector<std::int64_t>, int>;
  static View view_of(const at::Tensor& tensor);
  void collect(const c10::IValue& object, const std::string& path);
  void collect_contained(const c10::IValue& value, const std::string& path);
  void add(TensorAttribute attribute, const c10::IValue& holder, const std::string& name);

  std::vector<TensorAttribute> attributes_;
  std::vector<std::pair<c10::IValue, std::string>> holders_;
  std::map<std::pair<const void*, std::string>, std::size_t> by_holder_;
  std::map<View, std::size_t> by_view_;
  std::set<const void*> visited_;
};

}  // namespace funcpipe
