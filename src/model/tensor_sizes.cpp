#include "model/tensor_sizes.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <set>

#include "base/check.h"
#include "model/border_values.h"
#include "model/random_state.h"
#include "model/slot_state.h"
#include "model/span.h"
#include "model/tensor_type.h"

namespace funcpipe {
namespace {

using torch::jit::Value;

// True if the first use of the slot assigns it, so no micro-batch sees what the one before has left.
bool is_assigned_first(const FlatModel& model, const TensorSlot& slot) {
  const auto* first = model.nodes[slot.first_use];
  const int assigned = model.assigned_slot(first);
  return assigned >= 0 && &model.slots[assigned] == &slot && first->kind() == torch::jit::prim::SetAttr;
}

// Returns all tensors that the top-level nodes of [begin, end) make.
std::vector<Value*> made_in(const FlatModel& model, int begin, int end) {
  std::vector<Value*> made;
  for (int position = begin; position < end; ++position) {
    for (Value* output : model.nodes[position]->outputs()) {
      if (output->type()->isSubtypeOf(*c10::TensorType::get())) made.push_back(output);
    }
  }
  return made;
}

// Describes a tensor. A small one that may contain sizes or counts is described with its values, because others would
// not fit the tensors beside it.
TensorSpec described(const at::Tensor& tensor) {
  constexpr std::int64_t kMost = 16;
  TensorSpec spec = spec_of(tensor);
  const auto type = tensor.scalar_type();
  const bool counts = at::isIntegralType(type, /*includeBool=*/true) || type == at::kDouble;
  if (!counts || spec.requires_grad || tensor.dim() > 1 || tensor.numel() > kMost) return spec;
  const at::Tensor values = tensor.to(at::kDouble).contiguous();
  if (!values.isfinite().all().item<bool>()) return spec;
  spec.values.assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  return spec;
}

}  // namespace

std::vector<at::Tensor> invented_inputs(const std::vector<TensorSpec>& inputs) {
  auto generator = at::detail::createCPUGenerator(/*seed_val=*/1);
  std::vector<at::Tensor> samples;
  for (const auto& spec : inputs) {
    const auto type = dtype_from_name(spec.dtype);
    FUNCPIPE_CHECK(type.has_value(), "unknown type {}", spec.dtype);
    if (at::isFloatingType(*type)) {
      samples.push_back(at::empty(spec.shape, *type).normal_(0, 1, generator));
    } else {
      samples.push_back(at::zeros(spec.shape, *type));
    }
  }
  return samples;
}

TensorSizes measure_sizes(const FlatModel& model, const std::vector<Border>& candidates,
                          const std::vector<at::Tensor>& given) {
  const at::AutoGradMode with_gradients(true);
  const RandomDraws draws(/*seed=*/1);
  std::vector<at::Tensor> data;
  for (const at::Tensor& input : given) data.push_back(input.clone());
  std::vector<at::Tensor> slots;
  for (const auto& slot : model.slots) slots.push_back(slot.changes ? copy_of(slot) : slot.tensor);
  const c10::IValue state = copy_of_state(model);

  TensorSizes sizes;
  std::unordered_map<const Value*, std::vector<at::Tensor>> live;
  int begin = 0;
  for (std::size_t i = 0; i <= candidates.size(); ++i) {
    const bool last = i == candidates.size();
    const int end = last ? static_cast<int>(model.nodes.size()) : candidates[i].position;
    const auto& before = i == 0 ? std::vector<Value*>{} : candidates[i - 1].values;
    const auto after =
        last ? std::vector<Value*>(model.graph->outputs().begin(), model.graph->outputs().end()) : candidates[i].values;
    const auto made = made_in(model, begin, end);
    auto wanted = after;
    wanted.insert(wanted.end(), made.begin(), made.end());
    const auto span = span_graph(model, begin, end, before, wanted);

    torch::jit::Stack stack;
    std::set<const void*> known;
    const auto push = [&](const at::Tensor& tensor) {
      stack.emplace_back(tensor);
      if (tensor.has_storage()) known.insert(tensor.storage().data());
    };
    for (const Value* value : before)
      for (const at::Tensor& tensor : live.at(value)) push(tensor);
    for (const int index : span.data_inputs) push(data[index]);
    stack.emplace_back(true);
    if (!span.assigned.empty()) stack.emplace_back(state);
    for (const int index : span.slots) push(slots[index]);
    torch::jit::InterpreterState(torch::jit::Code(span.graph, "measure")).run(stack);

    live.clear();
    std::size_t next = 0;
    for (const Value* value : after) {
      auto& specs = sizes.tensors[value];
      auto& tensors = live[value];
      specs.clear();
      for (std::size_t k = 0; k < *travelling_tensors(value->type()); ++k) {
        const at::Tensor tensor = stack[next++].toTensor();
        if (!can_travel(tensor)) sizes.immobile.insert(value);
        specs.push_back(can_travel(tensor) ? described(tensor) : spec_of(tensor));
        tensors.push_back(tensor.detach().requires_grad_(tensor.requires_grad()));
      }
    }
    Bytes activations = 0;
    for (std::size_t k = next; k < stack.size(); ++k) {
      if (!stack[k].isTensor() || !stack[k].toTensor().defined()) continue;
      const at::Tensor tensor = stack[k].toTensor();
      if (!tensor.has_storage()) continue;
      if (known.insert(tensor.storage().data()).second) activations += static_cast<Bytes>(tensor.storage().nbytes());
    }
    sizes.activation_bytes.push_back(activations);
    begin = end;
  }
  for (std::size_t i = 0; i < model.slots.size(); ++i) {
    const auto& slot = model.slots[i];
    if (!slot.changes || slot.tensor.requires_grad() || is_assigned_first(model, slot)) continue;
    const bool has_graph = slot.assigned ? state.toObjectRef().getAttr(slot.state_attribute).toTensor().requires_grad()
                                         : slots[i].requires_grad();
    if (has_graph) sizes.graph_in_state = static_cast<int>(i);
  }
  return sizes;
}

}  // namespace funcpipe
