#include "model/cut_run.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/profiling_graph_executor_impl.h>

#include "base/check.h"
#include "model/border_gradient.h"
#include "model/stage_file.h"
#include "model/tensor_type.h"

namespace funcpipe::testing {
namespace {

std::vector<at::Tensor> tensors_of(const c10::IValue& value) {
  if (value.isTensor()) return {value.toTensor()};
  std::vector<at::Tensor> tensors;
  const auto append = [&](const c10::IValue& item) {
    for (auto& tensor : tensors_of(item)) tensors.push_back(tensor);
  };
  if (value.isTuple()) {
    for (const auto& item : value.toTupleRef().elements()) append(item);
  } else if (value.isGenericDict()) {
    for (const auto& item : value.toGenericDict()) append(item.value());
  }
  return tensors;
}

struct RunningStage {
  Stage stage;
  StageManifest manifest;
  std::vector<BorderGradient> gradients;  // of the border's tensors that have one
  std::vector<std::size_t> positions;     // theirs in the border
  std::vector<at::Tensor> results;
};

}  // namespace

at::Tensor loss_of(const std::vector<at::Tensor>& outputs) {
  at::Tensor loss = at::zeros({});
  for (const auto& output : outputs) {
    const auto square = (output * output).mean();
    loss = loss + square;
    const auto tenth = output.mean() * 0.1;
    loss = loss + tenth;
  }
  return loss;
}

StepResult run_uncut(torch::jit::Module module, const std::vector<at::Tensor>& inputs, bool train) {
  torch::jit::getProfilingMode() = false;
  torch::jit::getExecutorMode() = false;
  torch::jit::setGraphExecutorOptimize(false);
  module.train(train);
  std::map<std::string, at::Tensor> before;
  for (const auto& buffer : module.named_buffers()) before[buffer.name] = buffer.value.clone();
  StepResult result;
  result.outputs = {tensors_of(module.forward({inputs.begin(), inputs.end()})).at(0)};
  if (train) {
    loss_of(result.outputs).backward();
    std::set<void*> seen;
    for (const auto& parameter : module.named_parameters()) {
      if (!parameter.value.requires_grad() || !seen.insert(parameter.value.data_ptr()).second) continue;
      result.gradients[parameter.name] = parameter.value.grad();
    }
  }
  for (const auto& buffer : module.named_buffers()) {
    if (!at::equal(before[buffer.name], buffer.value)) result.buffers[buffer.name] = buffer.value;
  }
  return result;
}

StepResult run_cut(const Model& model, const std::vector<int>& cuts, const std::vector<at::Tensor>& inputs, bool train,
                   const RandomKey& key) {
  std::vector<RunningStage> stages;
  std::vector<at::Tensor> border;
  int first = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const int end = i < cuts.size() ? cuts[i] : static_cast<int>(model.description().layers.size());
    const auto archive = model.stage(first, end);
    FUNCPIPE_CHECK(archive.has_value(), "{}", describe(archive.error()));
    auto stage = Stage::load(*archive);
    FUNCPIPE_CHECK(stage.has_value(), "{}", describe(stage.error()));
    stages.push_back({std::move(*stage), read_stage_file(*archive)->manifest, {}, {}, {}});
    auto& running = stages.back();
    running.stage.train(train);
    std::vector<at::Tensor> data;
    for (const int index : running.stage.data_inputs()) data.push_back(inputs[index]);
    std::vector<at::Tensor> received;
    for (std::size_t k = 0; k < border.size(); ++k) {
      received.push_back(border[k].detach());
      if (!border[k].requires_grad()) continue;
      running.gradients.emplace_back(received.back());
      running.positions.push_back(k);
    }
    running.results = running.stage.forward(std::move(received), data, key);
    border = running.results;
    first = end;
  }
  StepResult result;
  result.outputs = border;
  if (train) {
    loss_of(result.outputs).backward();
    for (std::size_t i = stages.size(); i-- > 1;) {
      std::vector<at::Tensor> roots;
      std::vector<at::Tensor> gradients;
      for (std::size_t k = 0; k < stages[i].gradients.size(); ++k) {
        const auto gradient = stages[i].gradients[k].take();
        if (!gradient.defined()) continue;
        roots.push_back(stages[i - 1].results[stages[i].positions[k]]);
        gradients.push_back(gradient);
      }
      if (!roots.empty()) torch::autograd::backward(roots, gradients);
    }
  }
  for (std::size_t i = stages.size(); i-- > 0;) {
    auto& [stage, manifest, border_gradients, positions, results] = stages[i];
    std::size_t next = 0;
    for (const auto& parameter : manifest.parameters) {
      if (!parameter.trainable) continue;
      const auto gradient = stage.parameters()[next++].grad();
      auto& total = result.gradients[parameter.name];
      if (train && gradient.defined()) total = total.defined() ? total + gradient : gradient;
    }
    next = 0;
    for (const auto& buffer : manifest.buffers) {
      if (buffer.changes) result.buffers[buffer.name] = stage.buffers()[next++];
    }
  }
  if (!train) result.gradients.clear();
  return result;
}

std::string difference(const StepResult& left, const StepResult& right, const std::set<std::string>& reused) {
  if (left.outputs.size() != right.outputs.size()) return "number of outputs";
  for (std::size_t i = 0; i < left.outputs.size(); ++i) {
    if (!at::equal(left.outputs[i], right.outputs[i])) return "output " + std::to_string(i);
  }
  for (const auto& [name, gradient] : left.gradients) {
    const auto other = right.gradients.find(name);
    const bool there = other != right.gradients.end() && other->second.defined();
    if (gradient.defined() != there) return "presence of the gradient of " + name;
    if (there && (reused.contains(name) ? !at::allclose(gradient, other->second, 1e-5, 1e-7)
                                        : !at::equal(gradient, other->second)))
      return "gradient of " + name;
  }
  for (const auto& [name, buffer] : left.buffers) {
    const auto other = right.buffers.find(name);
    if (other == right.buffers.end()) return "buffer " + name + " is missing";
    if (!at::equal(buffer, other->second)) return "buffer " + name;
  }
  return {};
}

std::vector<at::Tensor> draw_inputs(const std::vector<TensorSpec>& inputs, std::int64_t bound, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  std::vector<at::Tensor> tensors;
  for (const auto& spec : inputs) {
    const auto type = *dtype_from_name(spec.dtype);
    if (at::isFloatingType(type))
      tensors.push_back(at::empty(spec.shape, type).normal_(0, 1, generator));
    else
      tensors.push_back(at::empty(spec.shape, at::kLong).random_(0, bound, generator).to(type));
  }
  return tensors;
}

}  // namespace funcpipe::testing
