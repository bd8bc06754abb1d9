#include "model/model_outputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/peephole.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <vector>

#include "model/cut.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

std::optional<std::size_t> position(const std::string& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Value* element_of_tuple(Graph& graph, Value* tuple, const std::string& wanted) {
  const auto type = tuple->type()->expect<c10::TupleType>();
  const std::size_t count = type->elements().size();
  std::optional<std::size_t> chosen = wanted.empty() ? 0 : position(wanted);
  std::vector<std::string> names;
  if (type->schema())
    for (const auto& field : type->schema()->arguments()) names.push_back(field.name());
  if (const auto named = std::ranges::find(names, wanted); named != names.end())
    chosen = static_cast<std::size_t>(named - names.begin());
  if (!chosen || *chosen >= count)
    throw std::invalid_argument(fmt::format("the model returns {} outputs{}, none of them called `{}`", count,
                                            names.empty() ? "" : fmt::format(" ({})", fmt::join(names, ", ")), wanted));
  if (tuple->node()->kind() == prim::TupleConstruct) return tuple->node()->input(*chosen);
  Value* index = graph.insertConstant(static_cast<std::int64_t>(*chosen));
  return graph.insertNode(graph.createTupleIndex(tuple, index, type->elements()[*chosen]))->output();
}

Value* element_of_list(Graph& graph, Value* list, const std::string& wanted) {
  const auto chosen = wanted.empty() ? 0 : position(wanted);
  if (!chosen) throw std::invalid_argument(fmt::format("the model returns a list, no output called `{}`", wanted));
  const Node* maker = list->node();
  if (maker->kind() == prim::ListConstruct && list->uses().size() == 1) {  // nothing was added to it later
    if (*chosen < maker->inputs().size()) return maker->input(*chosen);
    throw std::invalid_argument(
        fmt::format("the model returns a list of {} outputs, none with number {}", maker->inputs().size(), *chosen));
  }
  Value* index = graph.insertConstant(static_cast<std::int64_t>(*chosen));
  return graph.insert(aten::__getitem__, {list, index});
}

Value* element_of_dict(Graph& graph, Value* dict, const std::string& wanted) {
  const auto type = dict->type()->expect<c10::DictType>();
  if (type->getKeyType()->kind() != c10::TypeKind::StringType)
    throw std::invalid_argument(
        fmt::format("the model returns a {}, and only text can name an output", type->repr_str()));
  const Node* maker = dict->node();
  std::vector<std::string> keys;
  if (maker->kind() == prim::DictConstruct)
    for (std::size_t i = 0; i < maker->inputs().size(); i += 2)
      if (const auto key = toIValue(maker->input(i))) keys.push_back(key->toStringRef());
  if (wanted.empty() && keys.empty())
    throw std::invalid_argument("the model returns a dictionary that it fills in a branch or a loop, or not at all");
  const std::string chosen = wanted.empty() ? keys.front() : wanted;
  // Nothing was added later.
  if (!keys.empty() && dict->uses().size() == 1 && 2 * keys.size() == maker->inputs().size()) {
    // Of equal keys the last one counts.
    const auto found = std::ranges::find(keys.rbegin(), keys.rend(), chosen);
    if (found != keys.rend()) return maker->input(2 * static_cast<std::size_t>(keys.rend() - found) - 1);
    throw std::invalid_argument(
        fmt::format("the model returns {}, no output called `{}`", fmt::join(keys, ", "), chosen));
  }
  return graph.insert(aten::__getitem__, {dict, graph.insertConstant(chosen)});
}

}  // namespace

void choose_output(const std::shared_ptr<Graph>& graph, const std::string& wanted) {
  const WithInsertPoint at_end(graph->block());
  Value* output = graph->outputs().at(0);
  std::string name = wanted;
  while (output->type()->kind() != c10::TypeKind::TensorType) {
    const auto& type = output->type();
    switch (type->kind()) {
      case c10::TypeKind::TupleType:
        output = element_of_tuple(*graph, output, name);
        break;
      case c10::TypeKind::ListType:
        output = element_of_list(*graph, output, name);
        break;
      case c10::TypeKind::DictType:
        output = element_of_dict(*graph, output, name);
        break;
      case c10::TypeKind::OptionalType:
        output = graph->insert(aten::_unwrap_optional, {output});
        continue;  // the name was not used here
      default:
        throw std::invalid_argument(fmt::format("the model returns a {}, not tensors", type->repr_str()));
    }
    name.clear();
  }
  if (!name.empty() && name != "0")
    throw std::invalid_argument(fmt::format("the model returns one tensor, no output called `{}`", name));
  while (!graph->outputs().empty()) graph->eraseOutput(graph->outputs().size() - 1);
  graph->registerOutput(output);
}

void drop_unused(Graph& graph, const std::function<bool(const Use&)>& changes) {
  const auto lasting = [&](Node* top) {
    bool found = false;
    visit_nested(top, [&](Node* node) {
      found = found || node->hasSideEffects() || node->kind() == prim::SetAttr;
      const auto* schema = node->maybeSchema();
      for (std::size_t i = 0; i < node->inputs().size() && !found; ++i) {
        const bool listed = schema != nullptr && i < schema->arguments().size();
        const auto* alias = listed ? schema->arguments()[i].alias_info() : nullptr;
        found = (alias != nullptr && alias->isWrite()) || changes(Use(node, i));
      }
    });
    return found;
  };
  std::vector<Node*> backwards(graph.nodes().begin(), graph.nodes().end());
  std::ranges::reverse(backwards);
  for (Node* node : backwards)
    if (!node->hasUses() && !lasting(node)) node->destroy();
}

}  // namespace funcpipe
