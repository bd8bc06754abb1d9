#include "model/cut.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/check.h"
#include "model/border_values.h"
#include "model/place_names.h"
#include "model/slot_state.h"
#include "model/whole_spans.h"

namespace funcpipe {
namespace {

using namespace torch::jit;

// For each value made at top level: the position of its last reader; nodes.size() for an output of the model. A value
// that is made anew wherever it is used is not itself read; what it is made of is.
class LastUses {
 public:
  explicit LastUses(const FlatModel& model) : model_(model) {
    const int count = static_cast<int>(model.nodes.size());
    for (int position = 0; position < count; ++position) {
      if (model.made_anew(model.nodes[position])) continue;
      visit_nested(model.nodes[position], [&](Node* node) {
        for (const Value* input : node->inputs()) note(input, position);
      });
    }
    for (const Value* output : model.graph->outputs()) note(output, count);
  }

  bool live_at(int position, const Value* value) const {
    const auto use = last_.find(value);
    return use != last_.end() && use->second >= position;
  }

 private:
  void note(const Value* value, int position) {
    if (model_.made_anew(value->node())) {
      for (const Value* part : value->node()->inputs()) note(part, position);
    } else {
      last_[value] = position;
    }
  }

  const FlatModel& model_;
  std::unordered_map<const Value*, int> last_;
};

// Says why `value` cannot cross a border; empty if it can.
std::string obstacle(const Value* value, const AliasDb& aliases) {
  const auto& type = value->type();
  if (!travelling_tensors(type)) return named(value) + " is needed later and cannot be sent";
  const bool container = type->kind() == c10::TypeKind::ListType || type->kind() == c10::TypeKind::DictType;
  if (container && aliases.hasWriters(value)) return named(value) + " is needed later, and forward changes it in place";
  if (may_be_unset(value)) return named(value) + " is needed later, and a return before the end leaves it unset";
  return {};
}

std::string across(const FlatModel& model, const TensorSlot& state) {
  const Node* first = model.nodes[state.first_use];
  const Node* last = model.nodes[state.last_use];
  const std::string from = source_line(first, " "), to = source_line(last, " ");
  if (from.empty() || to.empty() || from == to)
    return fmt::format("forward changes {}, which is used before and behind this place", state.name);
  return fmt::format("forward changes {}, which is used from{} to{}", state.name, from, to);
}

// Returns a live container that may contain a tensor which is also live by itself; nullptr if there is none. If such a
// tensor were sent twice, its gradient would be summed in another order.
const Value* shared_within(const std::vector<Value*>& live, AliasDb& aliases) {
  for (Value* value : live) {
    if (value->type()->kind() == c10::TypeKind::TensorType || !holds_tensors(value->type())) continue;
    for (Value* other : live) {
      if (other != value && holds_tensors(other->type()) && aliases.mayContainAlias(value, other)) return value;
    }
  }
  return nullptr;
}

// Returns the positions of nodes that write in place to something other than a parameter or buffer, or a part of one.
std::vector<int> writers(const FlatModel& model) {
  std::vector<int> positions;
  for (int position = 0; position < static_cast<int>(model.nodes.size()); ++position) {
    bool writes = false;
    visit_nested(model.nodes[position], [&](Node* node) {
      const auto* schema = node->maybeSchema();
      if (schema == nullptr) return;
      for (std::size_t i = 0; i < schema->arguments().size() && i < node->inputs().size(); ++i) {
        const auto* alias = schema->arguments()[i].alias_info();
        writes = writes || (alias != nullptr && alias->isWrite() && !lies_in_slot(model, node->inputs()[i]));
      }
    });
    if (writes) positions.push_back(position);
  }
  return positions;
}

void drop_unsafe(const FlatModel& model, const AliasDb& aliases, Candidates& candidates) {
  const auto positions = writers(model);
  if (positions.empty()) return;
  const ValueSet data(model.graph->inputs().begin(), model.graph->inputs().begin() + model.data_inputs);
  const auto unsafe = [&](const Border& border) {
    const ValueSet live(border.values.begin(), border.values.end());
    const bool contained = std::ranges::any_of(border.values, [](const Value* value) {
      return value->type()->kind() != c10::TypeKind::TensorType && holds_tensors(value->type());
    });
    const auto writer = std::ranges::find_if(positions, [&](int position) {
      const bool later = position >= border.position;
      return (later && contained) || aliases.writesToAlias(model.nodes[position], later ? live : data);
    });
    if (writer == positions.end()) return false;
    candidates.obstacles[border.position] = fmt::format("an in-place operation{} changes what other operations hold",
                                                        source_line(model.nodes[*writer], " at "));
    return true;
  };
  std::erase_if(candidates.borders, unsafe);
}

// True if the node makes a tensor of two or more dimensions from a part of a parameter or buffer.
bool views_weight(const FlatModel& model, const Node* node) {
  if (node->kind() != aten::as_strided || !lies_in_slot(model, node->input(0))) return false;
  const auto sizes = toIValue(node->input(1));
  return sizes && sizes->isIntList() && sizes->toIntVector().size() >= 2;
}

bool applies_weight(const FlatModel& model, Node* top) {
  bool found = false;
  visit_nested(top, [&](Node* node) {
    found = found || views_weight(model, node);
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
  for (const Value* value : border.values) {
    for (const TensorSpec& spec : sizes.at(value)) sum += 4 * kKiB + spec.bytes() * (spec.requires_grad ? 2 : 1);
  }
  return sum;
}

// Applies rule 2 of layer_borders to the borders as they are before any is dropped.
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

Candidates candidate_borders(const FlatModel& model) {
  const LastUses uses(model);
  AliasDb aliases(model.graph);
  Candidates candidates;
  const std::vector<Whole> wholes = whole_spans(model);
  std::vector<Value*> live;
  const int count = static_cast<int>(model.nodes.size());
  for (int position = 1; position < count; ++position) {
    // After a node that is made anew, the cut would be the same as before it.
    if (model.made_anew(model.nodes[position - 1])) continue;
    for (Value* output : model.nodes[position - 1]->outputs()) live.push_back(output);
    std::erase_if(live, [&](const Value* value) { return !uses.live_at(position, value); });
    if (live.empty()) continue;
    std::string why;
    if (const TensorSlot* state = state_across(model, position)) why = across(model, *state);
    for (const Whole& whole : wholes)
      if (why.empty() && position > whole.first && position <= whole.last) why = whole.why;
    for (const Value* value : live) {
      if (!why.empty()) break;
      why = obstacle(value, aliases);
    }
    if (why.empty()) {
      if (const Value* shared = shared_within(live, aliases))
        why = named(shared) + " is needed later and may hold a tensor that is needed by itself too";
    }
    if (why.empty())
      candidates.borders.push_back({position, live});
    else
      candidates.obstacles[position] = why;
  }
  drop_unsafe(model, aliases, candidates);
  return candidates;
}

std::string why_whole(const FlatModel& model, const Candidates& candidates, int begin, int end) {
  std::vector<int> weights;
  for (int position = begin; position < end; ++position)
    if (applies_weight(model, model.nodes[position])) weights.push_back(position);
  if (weights.empty()) return {};
  // Find the most frequent obstacle between the first and the last node that applies a weight.
  std::map<std::string, int> counts;
  const std::string* commonest = nullptr;
  for (auto at = candidates.obstacles.upper_bound(weights.front());
       at != candidates.obstacles.end() && at->first <= weights.back(); ++at) {
    const int times = ++counts[at->second];
    if (commonest == nullptr || times > counts[*commonest]) commonest = &at->second;
  }
  if (commonest != nullptr) return *commonest;
  const Node* only = model.nodes[weights.front()];
  if (weights.size() > 1 || only->blocks().empty()) return {};
  return fmt::format("its weights are applied within {}{}, of which a run may take any part",
                     only->kind() == prim::Loop ? "a loop" : "an `if`", source_line(only, " at "));
}

std::vector<Border> layer_borders(const FlatModel& model, std::vector<Border> candidates,
                                  const MeasuredTensors& sizes) {
  // weights[i] is how many nodes before position i apply a weight.
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
  std::string direct;  // a weight that the root module itself applies
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
