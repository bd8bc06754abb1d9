#include "model/module_tensors.h"

#include <utility>

namespace funcpipe {

std::string join_path(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

ModuleTensors::ModuleTensors(const torch::jit::Module& module) {
  collect(module._ivalue(), "");
}

std::optional<std::size_t> ModuleTensors::attribute(const c10::IValue& object, const std::string& name) const {
  const auto found = by_holder_.find({object.toObject().get(), name});
  if (found == by_holder_.end()) return std::nullopt;
  return found->second;
}

std::size_t ModuleTensors::with_view(const at::Tensor& tensor) const {
  return by_view_.at(view_of(tensor));
}

ModuleTensors::View ModuleTensors::view_of(const at::Tensor& tensor) {
  const void* memory = tensor.numel() == 0 ? tensor.unsafeGetTensorImpl() : tensor.data_ptr();
  return {memory, tensor.sizes().vec(), tensor.strides().vec(), static_cast<int>(tensor.scalar_type())};
}

void ModuleTensors::collect(const c10::IValue& object, const std::string& path) {
  const auto holder = object.toObject();
  const auto type = holder->type();
  if (!visited_.insert(holder.get()).second) return;
  for (const bool parameters : {true, false}) {
    for (std::size_t i = 0; i < type->numAttributes(); ++i) {
      const c10::IValue& attribute = holder->getSlot(i);
      if (!attribute.isTensor() || !attribute.toTensor().defined() || type->is_parameter(i) != parameters) continue;
      const std::string& name = type->getAttributeName(i);
      by_holder_[{holder.get(), name}] = attributes_.size();
      add({join_path(path, name), attribute.toTensor(), parameters}, object, name);
    }
  }
  for (std::size_t i = 0; i < type->numAttributes(); ++i) {
    const c10::IValue& attribute = holder->getSlot(i);
    if (attribute.isObject()) collect(attribute, join_path(path, type->getAttributeName(i)));
  }
  // Containers come last, so that each parameter in a list (`_flat_weights` of nn.LSTM) is found under its own name
  // first.
  for (std::size_t i = 0; i < type->numAttributes(); ++i)
    if (!holder->getSlot(i).isTensor())
      collect_contained(holder->getSlot(i), join_path(path, type->getAttributeName(i)));
}

void ModuleTensors::collect_contained(const c10::IValue& value, const std::string& path) {
  if (value.isTensor() && value.toTensor().defined()) {
    if (by_view_.contains(view_of(value.toTensor()))) return;
    add({path, value.toTensor(), false}, {}, "");
  }
  int index = 0;
  if (value.isList())
    for (const c10::IValue& item : value.toListRef()) collect_contained(item, join_path(path, std::to_string(index++)));
  if (value.isTuple())
    for (const c10::IValue& item : value.toTupleRef().elements())
      collect_contained(item, join_path(path, std::to_string(index++)));
  if (value.isGenericDict())
    for (const auto& item : value.toGenericDict())
      collect_contained(item.value(), join_path(path, std::to_string(index++)));
}

void ModuleTensors::add(TensorAttribute attribute, const c10::IValue& holder, const std::string& name) {
  by_view_.try_emplace(view_of(attribute.tensor), attributes_.size());
  attributes_.push_back(std::move(attribute));
  holders_.emplace_back(holder, name);
}

}  // namespace funcpipe
