#include "model/attribute_containers.h"

#include <torch/csrc/jit/ir/alias_analysis.h>

#include <algorithm>

#include "model/flat_model.h"
#include "model/place_names.h"

namespace funcpipe {

using namespace torch::jit;  // NOLINT: this file is about its types

namespace {

// Returns all operations that change the list or dictionary they are called on.
std::vector<Node*> container_writers(Graph& graph) {
  std::vector<Node*> writers;
  for (Node* top : graph.nodes()) {
    visit_nested(top, [&](Node* node) {
      const auto* schema = node->maybeSchema();
      if (schema == nullptr || schema->arguments().empty()) return;
      const auto* alias = schema->arguments().front().alias_info();
      const auto kind = node->inputs().empty() ? c10::TypeKind::AnyType : node->input(0)->type()->kind();
      if (alias != nullptr && alias->isWrite() && (kind == c10::TypeKind::ListType || kind == c10::TypeKind::DictType))
        writers.push_back(node);
    });
  }
  return writers;
}

}  // namespace

bool holds_tensors(const c10::IValue& value) {
  const auto held = [](const c10::IValue& item) { return holds_tensors(item); };
  if (value.isTensor()) return true;
  if (value.isList()) return std::ranges::any_of(value.toListRef(), held);
  if (value.isTuple()) return std::ranges::any_of(value.toTupleRef().elements(), held);
  if (!value.isGenericDict()) return false;
  for (const auto& item : value.toGenericDict())
    if (holds_tensors(item.value())) return true;
  return false;
}

Result<> refuse_changed_containers(const std::shared_ptr<Graph>& graph, const AttributeContainers& containers) {
  if (containers.empty()) return {};
  const std::vector<Node*> writers = container_writers(*graph);
  if (writers.empty()) return {};
  const AliasDb aliases(graph);
  for (const auto& [container, path] : containers) {
    for (Node* writer : writers) {
      if (writer->input(0) != container && !aliases.writesToAlias(writer, {container})) continue;
      return fail(ErrorCode::invalid_input,
                  fmt::format("forward changes the attribute `{}`{}", path, source_line(writer)), {},
                  "state that changes must be a buffer (register_buffer); let forward change a copy of the list");
    }
  }
  return {};
}

}  // namespace funcpipe
