#include "model/stage_module.h"

#include <fmt/format.h>

#include <unordered_map>

#include "model/shared_memory.h"

namespace funcpipe {
namespace {

namespace jit = torch::jit;

// Registers the tensors that the stage's layers use. Returns the attribute's name for each slot.
std::vector<std::string> add_tensors(jit::Module& stage, const FlatModel& model,
                                     const std::vector<int>& parameter_of_slot, const std::vector<CutLayer>& layers,
                                     StageManifest& manifest) {
  std::vector<bool> used(model.slots.size(), false);
  for (int layer = manifest.first_layer; layer < manifest.end_layer; ++layer) {
    for (const int slot : layers[layer].span.all_slots()) used[slot] = true;
  }
  std::vector<std::string> attributes(model.slots.size());
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    const auto& slot = model.slots[i];
    const bool parameter = slot.kind == TensorSlot::Kind::parameter;
    attributes[i] = fmt::format("{}{}", parameter ? "parameter" : "buffer", i);
    stage.register_parameter(attributes[i], compact(slot.tensor), /*is_buffer=*/!parameter);
    auto& list = parameter ? manifest.parameters : manifest.buffers;
    list.push_back({slot.name, attributes[i], parameter_of_slot[i], parameter && slot.tensor.requires_grad(),
                    slot.changes, slot.feeds_loss});
  }
  return attributes;
}

// Makes a method of the span's graph: slots are read from self, and the outputs are returned in a tuple.
std::shared_ptr<jit::Graph> method_graph(const jit::Module& stage, const FlatModel& model, const SpanGraph& span,
                                         const std::vector<std::string>& attributes) {
  auto graph = span.graph->copy();
  jit::Value* self = graph->insertInput(0, "self");
  self->setType(stage._ivalue()->type());
  for (std::size_t i = span.slots.size(); i-- > 0;) {
    const jit::WithInsertPoint at_start(*graph->nodes().begin());
    graph->inputs().back()->replaceAllUsesWith(graph->insertGetAttr(self, attributes[span.slots[i]]));
    graph->eraseInput(graph->inputs().size() - 1);
  }
  if (!span.assigned.empty()) {
    std::unordered_map<std::string, std::string> names;
    for (const int slot : span.assigned) names[model.slots[slot].state_attribute] = attributes[slot];
    jit::Value* const state = graph->inputs().back();
    for (const auto& use : std::vector<jit::Use>(state->uses())) {
      use.user->s_(jit::attr::name, names.at(use.user->s(jit::attr::name)));
      use.user->replaceInput(use.offset, self);
    }
    graph->eraseInput(graph->inputs().size() - 1);
  }
  const std::vector<jit::Value*> outputs(graph->outputs().begin(), graph->outputs().end());
  jit::Node* tuple = graph->appendNode(graph->createTuple(outputs));
  while (!graph->outputs().empty()) graph->eraseOutput(graph->outputs().size() - 1);
  graph->registerOutput(tuple->output());
  graph->lint();
  return graph;
}

}  // namespace

std::vector<int> parameter_indices(const FlatModel& model) {
  std::vector<int> indices;
  int next = 0;
  for (const auto& slot : model.slots) indices.push_back(slot.kind == TensorSlot::Kind::parameter ? next++ : -1);
  return indices;
}

jit::Module stage_module(const FlatModel& model, const std::vector<int>& parameter_of_slot,
                         const std::vector<CutLayer>& layers, StageManifest& manifest) {
  jit::Module stage(c10::QualifiedName("__torch__.FuncPipeStage"));
  stage.register_attribute("training", c10::BoolType::get(), true);
  const auto attributes = add_tensors(stage, model, parameter_of_slot, layers, manifest);
  for (int layer = manifest.first_layer; layer < manifest.end_layer; ++layer) {
    const auto method = fmt::format("layer{}", layer);
    auto* function = stage._ivalue()->compilation_unit()->create_function(
        c10::QualifiedName(*stage.type()->name(), method), method_graph(stage, model, layers[layer].span, attributes));
    stage.type()->addMethod(function);
    manifest.layers.push_back({layer, method, layers[layer].span.data_inputs, layers[layer].random});
  }
  return stage;
}

}  // namespace funcpipe
