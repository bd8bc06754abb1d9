#include "model/cut.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/check.h"

namespace funcpipe {
namespace {

using namespace torch::jit;

bool is_tensor(const Value* value) {
  return value->type()->isSubtypeOf(*c10::TensorType::get());
}

// For every value made at top level: the position of its last reader; nodes.size() for the model's outputs.
std::unordered_map<const Value*, int> last_uses(const FlatModel& model) {
  std::unordered_map<const Value*, int> last;
  for (int position = 0; position < static_cast<int>(model.nodes.size()); ++position) {
    visit_nested(model.nodes[position], [&](Node* node) {
      for (const Value* input : node->inputs()) last[input] = position;
    });
  }
  for (const Value* output : model.graph->outputs()) last[output] = static_cast<int>(model.nodes.size());
  return last;
}

// Positions of nodes that write in place to something that is not itself a parameter or buffer.
std::vector<int> writers(const FlatModel& model) {
  std::vector<int> positions;
  for (int position = 0; position < static_cast<int>(model.nodes.size()); ++position) {
    bool writes = false;
    visit_nested(model.nodes[position], [&](Node* node) {
      const auto* schema = node->maybeSchema();
      if (schema == nullptr) return;
      for (std::size_t i = 0; i < schema->arguments().size() && i < node->inputs().size(); ++i) {
        const auto* alias = schema->arguments()[i].alias_info();
        writes = writes || (alias != nullptr && alias->isWrite() && !model.slot_of.contains(node->inputs()[i]));
      }
    });
    if (writes) positions.push_back(position);
  }
  return positions;
}

void drop_unsafe(const FlatModel& model, std::vector<Border>& candidates) {
  const auto positions = writers(model);
  if (positions.empty()) return;
  const AliasDb aliases(model.graph);
  const ValueSet data(model.graph->inputs().begin(), model.graph->inputs().begin() + model.data_inputs);
  const auto unsafe = [&](const Border& border) {
    const ValueSet live(border.tensors.begin(), border.tensors.end());
    return std::ranges::any_of(positions, [&](int position) {
      return aliases.writesToAlias(model.nodes[position], position >= border.position ? live : data);
    });
  };
  std::erase_if(candidates, unsafe);
}

bool applies_weight(const FlatModel& model, Node* top) {
  bool found = false;
  visit_nested(top, [&](Node* node) {
    for (const Value* input : node->inputs()) {
      const auto slot = model.slot_of.find(input);
      if (slot == model.slot_of.end()) continue;
      const auto& tensor = model.slots[slot->second];
      found = found || (tensor.kind == TensorSlot::Kind::parameter && tensor.tensor.dim() >= 2);
    }
  });
  return found;
}

Bytes price(const Border& border, const MeasuredTensors& sizes) {
  Bytes sum = 0;
  for (const Value* tensor : border.tensors) {
    const auto& spec = sizes.at(tensor);
    sum += 4 * kKiB + spec.bytes() * (spec.requires_grad ? 2 : 1);
  }
  return sum;
}

// Rule 2 of layer_borders, against the borders as they were before any was dropped.
void drop_expensive(std::vector<Border>& borders, const MeasuredTensors& sizes) {
  constexpr int kWindow = 8;
  const int count = static_cast<int>(borders.size());
  std::vector<Bytes> prices;
  prices.reserve(borders.size());
  for (const auto& border : borders) prices.push_back(price(border, sizes));
  std::vector<bool> dropped(count, false);
  for (int i = 0; i < count; ++i) {
    const auto cheaper = [&](int first, int last) {
      for (int j = std::max(first, 0); j <= std::min(last, count - 1); ++j) {
        if (2 * prices[j] < prices[i]) return true;
      }
      return false;
    };
    dropped[i] = cheaper(i - kWindow, i - 1) && cheaper(i + 1, i + kWindow);
  }
  int index = 0;
  std::erase_if(borders, [&](const Border&) { return dropped[index++]; });
}

std::string common_parent(const std::string& left, const std::string& right) {
  std::size_t end = 0;
  for (std::size_t i = 0; i <= std::min(left.size(), right.size()); ++i) {
    const bool left_ends = i == left.size() || left[i] == '.';
    const bool right_ends = i == right.size() || right[i] == '.';
    if (left_ends && right_ends) end = i;
    if (i == left.size() || i == right.size() || left[i] != right[i]) break;
  }
  return left.substr(0, end);
}

bool constant_zero_or_false(const Value* value) {
  const auto constant = toIValue(value);
  if (!constant) return false;
  if (constant->isBool()) return !constant->toBool();
  if (constant->isDouble()) return constant->toDouble() == 0.0;
  return constant->isInt() && constant->toInt() == 0;
}

bool draws(const Node* node) {
  const std::string_view name = node->kind().toUnqualString();
  if (!node->kind().is_aten()) return false;
  if (name.find("dropout") != std::string_view::npos && node->inputs().size() == 3) {  // (input, p, train)
    return !constant_zero_or_false(node->inputs()[1]) && !constant_zero_or_false(node->inputs()[2]);
  }
  static constexpr std::array<std::string_view, 18> kParts{
      "dropout",         "rand",        "bernoulli", "normal_",   "multinomial", "poisson",
      "uniform",         "exponential", "rrelu",     "geometric", "cauchy_",     "binomial",
      "_standard_gamma", "_sample_",    "lstm",      "gru",       "rnn_",        "attention"};
  return node->isNondeterministic() || name == "normal" ||
         std::ranges::any_of(kParts, [&](auto part) { return name.find(part) != std::string_view::npos; });
}

}  // namespace

std::vector<Border> candidate_borders(const FlatModel& model) {
  const auto last = last_uses(model);
  std::vector<Border> candidates;
  std::vector<Value*> live;
  const int count = static_cast<int>(model.nodes.size());
  for (int position = 1; position < count; ++position) {
    for (Value* output : model.nodes[position - 1]->outputs()) live.push_back(output);
    std::erase_if(live, [&](const Value* value) {
      const auto use = last.find(value);
      return use == last.end() || use->second < position;
    });
    if (!live.empty() && std::ranges::all_of(live, is_tensor)) candidates.push_back({position, live});
  }
  drop_unsafe(model, candidates);
  return candidates;
}

std::vector<Border> layer_borders(const FlatModel& model, std::vector<Border> candidates,
                                  const MeasuredTensors& sizes) {
  // weights[i]: how many nodes before position i apply a weight.
  std::vector<int> weights(model.nodes.size() + 1, 0);
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    weights[i + 1] = weights[i] + (applies_weight(model, model.nodes[i]) ? 1 : 0);
  }
  std::vector<Border> chosen;
  for (std::size_t i = 0; i < candidates.size();) {
    const int before = weights[candidates[i].position];
    std::size_t best = i;
    std::size_t next = i;
    for (; next < candidates.size() && weights[candidates[next].position] == before; ++next) {
      if (price(candidates[next], sizes) <= price(candidates[best], sizes)) best = next;
    }
    if (before > 0 && before < weights.back()) chosen.push_back(std::move(candidates[best]));
    i = next;
  }
  drop_expensive(chosen, sizes);
  return chosen;
}

std::string layer_name(const FlatModel& model, int begin, int end) {
  std::vector<std::string> owners;
  std::vector<std::string> others;
  std::string direct;  // a weight that the root module applies itself
  for (int position = begin; position < end; ++position) {
    visit_nested(model.nodes[position], [&](Node* node) {
      auto path = module_path(node);
      for (const Value* input : node->inputs()) {
        const auto slot = model.slot_of.find(input);
        if (slot == model.slot_of.end() || model.slots[slot->second].tensor.dim() < 2) continue;
        if (path.empty())
          direct = model.slots[slot->second].name;
        else if (owners.empty() || owners.back() != path)
          owners.push_back(path);
      }
      if (!path.empty()) others.push_back(std::move(path));
    });
  }
  if (owners.empty() && !direct.empty()) return direct;
  const auto& names = owners.empty() ? others : owners;
  if (names.empty()) return fmt::format("nodes{}-{}", begin, end);
  if (auto parent = common_parent(names.front(), names.back()); !parent.empty() && names.size() > 1) {
    const bool same = names.front() == names.back();
    if (same) return parent;
    return fmt::format("{}.{}-{}", parent, names.front().substr(std::min(parent.size() + 1, names.front().size())),
                       names.back().substr(std::min(parent.size() + 1, names.back().size())));
  }
  return names.size() == 1 || names.front() == names.back() ? names.front() : names.front() + "-" + names.back();
}

bool draws_random_numbers(const FlatModel& model, int begin, int end) {
  bool found = false;
  for (int position = begin; position < end; ++position) {
    visit_nested(model.nodes[position], [&](Node* node) { found = found || draws(node); });
  }
  return found;
}

}  // namespace funcpipe
