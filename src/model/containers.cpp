#include "model/containers.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "model/cut.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

std::string_view name_of(const Node* node) {
  return node->kind().is_aten() ? node->kind().toUnqualString() : std::string_view();
}

bool writes_first_input(Node* node) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr || schema->arguments().empty()) return false;
  const auto* alias = schema->arguments().front().alias_info();
  return alias != nullptr && alias->isWrite();
}

bool writes_container(Node* node) {
  if (!writes_first_input(node)) return false;
  const auto kind = node->input(0)->type()->kind();
  return kind == c10::TypeKind::ListType || kind == c10::TypeKind::DictType;
}

// Returns the node of `block` that is `node` or contains it; nullptr if there is none.
Node* ancestor_in(Node* node, const Block* block) {
  while (node != nullptr && node->owningBlock() != block) node = node->owningBlock()->owningNode();
  return node;
}

std::optional<std::int64_t> constant_int(const Value* value) {
  const auto constant = toIValue(value);
  if (!constant || !constant->isInt()) return std::nullopt;
  return constant->toInt();
}

Value* constant_before(Node* node, const c10::IValue& value) {
  const WithInsertPoint here(node);
  return node->owningGraph()->insertConstant(value);
}

// The content of a container at one place of the block. change() returns false if it does not know the operation.
class Contents {
 public:
  virtual ~Contents() = default;
  virtual bool change(Node* node, Value*& result) = 0;  // `result` becomes what replaces the node's output
  virtual Value* read(Node* node) = 0;  // what replaces the node's output; nullptr: it needs the whole container
  virtual Node* whole(Graph& graph, const c10::TypePtr& type) const = 0;
};

class ListContents final : public Contents {
 public:
  explicit ListContents(Node* made) : self_(made->output()), items_(made->inputs().begin(), made->inputs().end()) {}

  bool change(Node* node, Value*& result) override {
    const auto name = name_of(node);
    const auto size = std::ssize(items_);
    if (name == "append") {
      items_.push_back(node->input(1));
    } else if (name == "extend" || name == "add_") {
      return extend(node->input(1));
    } else if (name == "reverse") {
      std::ranges::reverse(items_);
    } else if (name == "clear") {
      items_.clear();
    } else if (name == "insert") {
      auto place = constant_int(node->input(1));
      if (!place) return false;
      if (*place < 0) place = std::max<std::int64_t>(0, *place + size);
      items_.insert(items_.begin() + std::min<std::int64_t>(*place, size), node->input(2));
    } else if (name == "pop" || name == "Delete" || name == "_set_item") {
      const auto place = index(node->input(1));
      if (!place) return false;
      if (name == "pop") result = items_[*place];
      if (name == "_set_item")
        items_[*place] = node->input(2);
      else
        items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(*place));
    } else {
      return false;
    }
    return true;
  }

  Value* read(Node* node) override {
    if (name_of(node) == "len") return constant_before(node, std::ssize(items_));
    if (name_of(node) != "__getitem__") return nullptr;
    const auto place = index(node->input(1));
    return place ? items_[*place] : nullptr;
  }

  Node* whole(Graph& graph, const c10::TypePtr& type) const override {
    Node* made = graph.create(prim::ListConstruct, items_, 1);
    made->output()->setType(type);
    return made;
  }

 private:
  // Returns where a constant index points; nullopt if it is not constant or points outside.
  std::optional<std::size_t> index(const Value* value) const {
    auto place = constant_int(value);
    if (!place) return std::nullopt;
    if (*place < 0) *place += std::ssize(items_);
    if (*place < 0 || *place >= std::ssize(items_)) return std::nullopt;
    return static_cast<std::size_t>(*place);
  }

  // The elements of `other` must be known here: it is a list that nothing changes any more, or this list itself.
  bool extend(Value* other) {
    std::vector<Value*> more = items_;
    if (other != self_) {
      Node* maker = other->node();
      if (maker->kind() != prim::ListConstruct) return false;
      const bool changed = std::ranges::any_of(other->uses(), [&](const Use& use) {
        return use.offset == 0 && writes_first_input(use.user) && use.user->input(0) == other;
      });
      if (changed) return false;
      more.assign(maker->inputs().begin(), maker->inputs().end());
    }
    items_.insert(items_.end(), more.begin(), more.end());
    return true;
  }

  Value* self_;
  std::vector<Value*> items_;
};

class DictContents final : public Contents {
 public:
  // Returns nullptr unless all keys are constants.
  static std::unique_ptr<DictContents> of(Node* made) {
    auto contents = std::make_unique<DictContents>();
    for (std::size_t i = 0; i + 1 < made->inputs().size(); i += 2)
      if (!contents->set(made->input(i), made->input(i + 1))) return nullptr;
    return contents;
  }

  bool change(Node* node, Value*& result) override {
    const auto name = name_of(node);
    if (name == "_set_item") return set(node->input(1), node->input(2));
    if (name == "clear") {
      entries_.clear();
      return true;
    }
    if ((name != "pop" && name != "Delete") || node->inputs().size() != 2) return false;
    const auto found = find(node->input(1));
    if (!found || *found == entries_.size()) return false;
    if (name == "pop") result = entries_[*found].second;
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(*found));
    return true;
  }

  Value* read(Node* node) override {
    const auto name = name_of(node);
    if (name == "__getitem__") {
      const auto found = find(node->input(1));
      return found && *found < entries_.size() ? entries_[*found].second : nullptr;
    }
    if (name == "len") return constant_before(node, std::ssize(entries_));
    if (name == "__contains__") {
      const auto found = find(node->input(1));
      return found ? constant_before(node, *found < entries_.size()) : nullptr;
    }
    if (name != "keys" && name != "values" && name != "items") return nullptr;
    Graph& graph = *node->owningGraph();
    const WithInsertPoint here(node);
    std::vector<Value*> parts;
    for (const auto& [key, value] : entries_) {
      if (name == "items")
        parts.push_back(graph.insertNode(graph.createTuple({key, value}))->output());
      else
        parts.push_back(name == "keys" ? key : value);
    }
    Node* list = graph.create(prim::ListConstruct, parts, 1);
    list->output()->setType(node->output()->type());
    return graph.insertNode(list)->output();
  }

  Node* whole(Graph& graph, const c10::TypePtr& type) const override {
    std::vector<Value*> parts;
    for (const auto& [key, value] : entries_) parts.insert(parts.end(), {key, value});
    Node* made = graph.create(prim::DictConstruct, parts, 1);
    made->output()->setType(type);
    return made;
  }

 private:
  // Returns the entry of a key; entries_.size() if there is none, nullopt if the key is not constant.
  std::optional<std::size_t> find(const Value* key) const {
    const auto wanted = toIValue(key);
    if (!wanted || !(wanted->isString() || wanted->isInt() || wanted->isBool())) return std::nullopt;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (*toIValue(entries_[i].first) == *wanted) return i;
    return entries_.size();
  }

  bool set(Value* key, Value* value) {
    const auto found = find(key);
    if (!found) return false;
    if (*found < entries_.size())
      entries_[*found].second = value;
    else
      entries_.emplace_back(key, value);
    return true;
  }

  std::vector<std::pair<Value*, Value*>> entries_;
};

// True for `{}` and `OrderedDict()`.
bool makes_dict(const Node* node) {
  return node->kind() == prim::DictConstruct || (name_of(node) == "dict" && node->inputs().empty());
}

std::unique_ptr<Contents> contents_of(Node* made) {
  if (made->kind() == prim::ListConstruct) return std::make_unique<ListContents>(made);
  return DictContents::of(made);
}

// True if `use` passes the container itself on, so that it can be reached under another name from there.
bool hands_on(const Use& use) {
  const Node* user = use.user;
  if (user->maybeSchema() == nullptr) return user->kind() != prim::ListUnpack;
  const auto& arguments = user->schema().arguments();
  // Functions with any number of arguments, such as print and format, make text of it.
  if (use.offset >= arguments.size()) return false;
  const auto* alias = arguments[use.offset].alias_info();
  return alias != nullptr && !alias->isWrite() && name_of(user) != "__getitem__";
}

class Settler {
 public:
  explicit Settler(const std::shared_ptr<Graph>& graph) : graph_(graph) {}

  bool run() {
    // Each settled container changes the graph, and so the aliases of the others.
    bool changed = false;
    while (settle_one()) changed = true;
    return changed;
  }

 private:
  bool settle_one() {
    std::vector<Node*> makers;
    std::vector<Node*> writers;
    for (Node* top : graph_->nodes()) {
      visit_nested(top, [&](Node* node) {
        if (node->kind() == prim::ListConstruct || makes_dict(node)) makers.push_back(node);
        if (writes_container(node)) writers.push_back(node);
      });
    }
    const bool readable = std::ranges::any_of(makers, makes_dict);
    if (makers.empty() || (writers.empty() && !readable)) return false;
    const AliasDb aliases(graph_);
    return std::ranges::any_of(makers, [&](Node* made) { return settle(made, writers, aliases); });
  }

  bool settle(Node* made, const std::vector<Node*>& writers, const AliasDb& aliases) {
    Value* container = made->output();
    Block* block = made->owningBlock();
    std::vector<Node*> changes;
    for (Node* writer : writers) {
      if (!aliases.writesToAlias(writer, {container})) continue;
      if (writer->owningBlock() != block || writer->input(0) != container) return false;
      changes.push_back(writer);
    }
    std::vector<std::pair<Node*, Use>> uses;  // each with the node of this block that contains it
    for (const Use& use : uses_of(container)) {
      Node* top = ancestor_in(use.user, block);
      const bool changes_it = use.offset == 0 && writes_container(use.user);
      if (top == nullptr || (changes_it && std::ranges::find(changes, use.user) == changes.end())) return false;
      const bool later = std::ranges::any_of(changes, [&](Node* change) { return top->isBefore(change); });
      if (later && hands_on(use)) return false;
      uses.emplace_back(top, use);
    }
    std::ranges::stable_sort(
        uses, [](const auto& a, const auto& b) { return a.first != b.first && a.first->isBefore(b.first); });
    return replay(made, changes, uses);
  }

  bool replay(Node* made, const std::vector<Node*>& changes, const std::vector<std::pair<Node*, Use>>& uses) {
    const auto is_change = [&](const Node* node) { return std::ranges::find(changes, node) != changes.end(); };
    if (!knows(made, uses, changes)) return false;
    auto contents = contents_of(made);
    bool changed = false;
    Node* whole = changes.empty() ? made : nullptr;  // the container made of the present content; nullptr: not made yet
    for (const auto& [top, use] : uses) {
      Node* user = use.user;
      if (is_change(user)) {
        if (use.offset != 0) continue;
        Value* result = nullptr;
        contents->change(user, result);
        if (result != nullptr) user->output()->replaceAllUsesWith(result);
        whole = nullptr;
        changed = true;
        continue;
      }
      if (use.offset == 0 && user->outputs().size() == 1) {
        if (!user->hasUses()) continue;
        if (Value* result = contents->read(user)) {
          user->output()->replaceAllUsesWith(result);
          user->destroy();
          changed = true;
          continue;
        }
      }
      if (whole == nullptr) whole = contents->whole(*graph_, made->output()->type())->insertBefore(top);
      if (whole != made) user->replaceInput(use.offset, whole->output());
    }
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) (*change)->destroy();
    return changed;
  }

  // True if every change is one that we can follow. Changes nothing in the graph.
  static bool knows(Node* made, const std::vector<std::pair<Node*, Use>>& uses, const std::vector<Node*>& changes) {
    auto contents = contents_of(made);
    if (!contents) return false;
    for (const auto& [top, use] : uses) {
      if (use.offset != 0 || std::ranges::find(changes, use.user) == changes.end()) continue;
      Value* ignored = nullptr;
      if (!contents->change(use.user, ignored)) return false;
    }
    return true;
  }

  static std::vector<Use> uses_of(Value* value) { return {value->uses().begin(), value->uses().end()}; }

  std::shared_ptr<Graph> graph_;
};

}  // namespace

void unify_changed_containers(Graph& graph) {
  for (Node* top : graph.nodes()) {
    visit_nested(top, [](Node* node) {
      const auto name = name_of(node);
      if (!writes_container(node) || (name != "append" && name != "add_" && name != "_set_item")) return;
      for (Value* output : node->outputs()) output->replaceAllUsesWith(node->input(0));
    });
  }
}

bool settle_containers(const std::shared_ptr<Graph>& graph) {
  return Settler(graph).run();
}

}  // namespace funcpipe
