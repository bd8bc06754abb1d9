#include "model/flat_model.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/loop_unrolling.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/passes/peephole.h>
#include <torch/csrc/jit/passes/remove_mutation.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "model/attribute_containers.h"
#include "model/autocast.h"
#include "model/containers.h"
#include "model/forward_call.h"
#include "model/futures.h"
#include "model/in_place.h"
#include "model/memory_flow.h"
#include "model/model_outputs.h"
#include "model/module_tensors.h"
#include "model/remade.h"
#include "model/shared_memory.h"
#include "model/slot_state.h"
#include "model/torch_error.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

// The run-time object of a value of class type, and its place in the module tree.
struct TrackedObject {
  c10::IValue object;
  std::string path;
};

// Thrown within this file only, for something in a user's module that we cannot flatten.
struct Unsupported {
  std::string what;
  std::string hint;
};

class Flattener {
 public:
  Flattener(const Module& module, std::size_t data_inputs, std::string output)
      : module_(module), output_(std::move(output)), tensors_(module) {
    flat_.data_inputs = data_inputs;
  }

  FlatModel run() {
    const Method forward = forward_method();
    flat_.graph = forward_call(module_);
    auto& graph = *flat_.graph;
    bind_inputs(forward.function().getSchema());
    flat_.training = graph.addInput("training");
    flat_.training->setType(c10::BoolType::get());

    Value* self = graph.inputs()[0];
    objects_[self] = {module_._ivalue(), ""};
    resolve_block(graph.block(), "");
    bind_tensors();
    if (auto kept = refuse_written_constants(graph); !kept) throw Unsupported{kept.error().message, kept.error().hint};
    lower_futures(graph);
    unify_changed_containers(graph);
    if (auto kept = refuse_changed_containers(flat_.graph, attribute_containers_); !kept)
      throw Unsupported{kept.error().message, kept.error().hint};
    settle_autocast();
    simplify();
    if (self->hasUses()) throw_uses_of(self);
    graph.eraseInput(0);
    choose_output();
    drop_unused_slots();
    for (Node* node : graph.nodes()) {
      if (!FlatModel::free_to_copy(node)) flat_.nodes.push_back(node);
    }
    flat_.remade = remade_nodes(flat_);
    if (auto analysed = analyse_state(flat_); !analysed)
      throw Unsupported{analysed.error().message, analysed.error().hint};
    refuse_half_shared_state();
    graph.lint();
    return std::move(flat_);
  }

 private:
  Method forward_method() const {
    if (const auto method = module_.find_method("forward")) return *method;
    throw Unsupported{"the module has no method `forward`",
                      "save the whole model with torch.jit.script(model).save(path)"};
  }

  // The data inputs remain. Further inputs of forward get their default values.
  void bind_inputs(const c10::FunctionSchema& schema) {
    auto& graph = *flat_.graph;
    const auto& arguments = schema.arguments();  // [0] is self
    const std::size_t wanted = arguments.size() - 1;
    if (flat_.data_inputs > wanted) {
      throw Unsupported{fmt::format("the model takes {} data inputs, {} were given", wanted, flat_.data_inputs), ""};
    }
    for (std::size_t i = wanted; i > flat_.data_inputs; --i) {
      const auto& argument = arguments[i];
      if (!argument.default_value()) {
        throw Unsupported{fmt::format("the model also wants the input `{}`; {} data inputs were given", argument.name(),
                                      flat_.data_inputs),
                          "every input of forward without a default value is a data input"};
      }
      WithInsertPoint at_start(graph.block()->nodes().front());
      Value* constant = graph.insertConstant(*argument.default_value());
      graph.inputs()[i]->replaceAllUsesWith(constant);
      graph.eraseInput(i);
    }
    for (std::size_t i = 1; i <= flat_.data_inputs; ++i) {
      if (!graph.inputs()[i]->type()->isSubtypeOf(*c10::TensorType::get())) {
        throw Unsupported{fmt::format("input `{}` of the model is a {}, not a tensor", arguments[i].name(),
                                      graph.inputs()[i]->type()->repr_str()),
                          "give it a default value, or wrap the model in a module whose forward takes tensors"};
      }
    }
  }

  // Inserts a read of a tensor in one of the module's containers. bind_tensors() gives it its slot.
  Value* read_of(const at::Tensor& tensor) {
    Node* read = flat_.graph->create(prim::GetAttr, {flat_.graph->inputs()[0]}, 1);
    read->s_(attr::name, "contained");
    read->output()->setType(c10::TensorType::get());
    accesses_.emplace_back(flat_.graph->insertNode(read), tensors_.with_view(tensor));
    return read->output();
  }

  // Once all reads and assignments of tensor attributes are known, turns them into slots.
  void bind_tensors() {
    std::map<std::size_t, bool> used;  // the value says whether it is assigned
    for (const auto& [node, attribute] : accesses_) used[attribute] |= node->kind() == prim::SetAttr;
    std::vector<TensorAttribute> list;
    std::vector<std::size_t> order;
    for (const auto& [index, assigned] : used) {
      order.push_back(index);
      list.push_back(tensors_[index]);
      list.back().assigned = assigned;
    }
    auto owners = owners_of_memory(list);
    if (!owners) throw Unsupported{owners.error().message, owners.error().hint};
    std::map<std::size_t, std::size_t> slot_of;  // by attribute; owners only
    for (std::size_t k = 0; k < order.size(); ++k) {
      if ((*owners)[k] != k) continue;
      slot_of[order[k]] = flat_.slots.size();
      add_slot(order[k], list[k]);
    }
    for (const auto& [node, attribute] : accesses_) {
      const auto place = static_cast<std::size_t>(std::ranges::lower_bound(order, attribute) - order.begin());
      const std::size_t slot = slot_of.at(order[(*owners)[place]]);
      if (flat_.slots[slot].assigned) {
        node->replaceInput(0, flat_.state);
        node->s_(attr::name, flat_.slots[slot].state_attribute);
        continue;
      }
      const WithInsertPoint here(node);
      const at::Tensor& part = list[place].tensor;
      const at::Tensor& owner = flat_.slots[slot].tensor;
      node->output()->replaceAllUsesWith(
          view_of(flat_.slots[slot].value, owner, part, owner.requires_grad() && !part.requires_grad()));
      node->destroy();
    }
  }

  void add_slot(std::size_t index, const TensorAttribute& attribute) {
    TensorSlot slot;
    slot.kind = attribute.parameter ? TensorSlot::Kind::parameter : TensorSlot::Kind::buffer;
    slot.name = attribute.name;
    slot.tensor = attribute.tensor;
    slot.assigned = attribute.assigned;
    std::tie(slot.holder, slot.attribute) = tensors_.holder(index);
    if (!slot.assigned) {
      slot.value = flat_.graph->addInput();
      slot.value->setType(c10::TensorType::get());
    } else {
      if (slot.kind == TensorSlot::Kind::parameter) {
        throw Unsupported{fmt::format("forward assigns to the parameter `{}`", slot.name),
                          "state that changes must be a buffer (register_buffer)"};
      }
      if (flat_.state == nullptr) {
        state_type_ = c10::ClassType::create(c10::QualifiedName("__torch__.FuncPipeState"),
                                             std::make_shared<CompilationUnit>(), /*is_module=*/true);
        flat_.state = flat_.graph->insertInput(flat_.training->offset() + 1, "state");
        flat_.state->setType(state_type_);
      }
      slot.state_attribute = fmt::format("tensor{}", index);
      state_type_->addAttribute(slot.state_attribute, c10::TensorType::get());
    }
    flat_.slots.push_back(std::move(slot));
  }

  void resolve_block(Block* block, const std::string& path) {
    resolve_range(*block->nodes().begin(), block->return_node(), path);
  }

  void resolve_range(Node* begin, Node* end, const std::string& path) {
    for (Node* node = begin; node != end;) {
      Node* next = node->next();
      resolve(node, path);
      node = next;
    }
  }

  void resolve(Node* node, const std::string& path) {
    node->setScope(scope_of(path));
    switch (node->kind()) {
      case prim::GetAttr:
        return resolve_get(node);
      case prim::SetAttr:
        return resolve_set(node);
      case prim::CallMethod:
        return inline_method(node, path);
      case prim::CallFunction:
        return inline_function(node, path);
      case prim::fork:
        return inline_body(node, *node->g(attr::Subgraph), node->inputs(), path);
      default:
        for (Block* block : node->blocks()) resolve_block(block, path);
    }
  }

  ScopePtr scope_of(const std::string& path) {
    auto& scope = scopes_[path];
    if (!scope) scope = c10::make_intrusive<Scope>()->push(Symbol::scope(path.empty() ? "." : path));
    return scope;
  }

  void resolve_get(Node* node) {
    const auto found = objects_.find(node->input());
    if (found == objects_.end()) return;  // an attribute of an object that forward itself makes
    const auto& name = node->s(attr::name);
    const TrackedObject holder = found->second;
    const c10::IValue value = holder.object.toObject()->getAttr(name);
    if (value.isObject()) {
      objects_[node->output()] = {value, join_path(holder.path, name)};
      return;
    }
    if (const auto tensor = tensors_.attribute(holder.object, name)) {
      accesses_.emplace_back(node, *tensor);
      return;
    }
    Value* replacement = nullptr;
    if (name == "training" && value.isBool() && value.toBool() == module_.is_training()) {
      replacement = flat_.training;
    } else {
      const WithInsertPoint here(node);
      replacement = attribute(value, node->output()->type(), join_path(holder.path, name));
      const auto kind = replacement->node()->kind();
      if (kind == prim::ListConstruct || kind == prim::DictConstruct || value.isList() || value.isGenericDict())
        attribute_containers_.emplace_back(replacement, join_path(holder.path, name));
    }
    node->output()->replaceAllUsesWith(replacement);
    node->destroy();
  }

  // Inserts the value of an attribute: a slot, a container of slots, or a constant.
  Value* attribute(const c10::IValue& value, const c10::TypePtr& type, const std::string& path) {
    auto& graph = *flat_.graph;
    if (value.isTensor() && value.toTensor().defined()) return read_of(value.toTensor());
    std::vector<Value*> parts;
    if (value.isTensorList() || (value.isList() && !value.toListRef().empty() && holds_tensors(value))) {
      for (const c10::IValue& item : value.toListRef()) parts.push_back(attribute(item, type->containedType(0), path));
      return insert_container(prim::ListConstruct, parts, type);
    }
    if (value.isTuple() && holds_tensors(value)) {
      const auto& items = value.toTupleRef().elements();
      for (std::size_t i = 0; i < items.size(); ++i) parts.push_back(attribute(items[i], type->containedType(i), path));
      return insert_container(prim::TupleConstruct, parts, type);
    }
    if (value.isGenericDict() && holds_tensors(value)) {
      for (const auto& item : value.toGenericDict()) {
        parts.push_back(graph.insertConstant(item.key()));
        parts.push_back(attribute(item.value(), type->containedType(1), path));
      }
      return insert_container(prim::DictConstruct, parts, type);
    }
    const auto constant = tryInsertConstant(graph, value);
    if (!constant) {
      throw Unsupported{
          fmt::format("the attribute `{}` of type {} cannot be made a constant", path, value.type()->repr_str()),
          "hold tensors as parameters or buffers, and submodules as attributes or ModuleList"};
    }
    return *constant;
  }

  Value* insert_container(NodeKind kind, const std::vector<Value*>& parts, const c10::TypePtr& type) {
    Node* made = flat_.graph->create(kind, parts, 1);
    made->output()->setType(type);
    return flat_.graph->insertNode(made)->output();
  }

  void resolve_set(Node* node) {
    const auto found = objects_.find(node->inputs()[0]);
    if (found == objects_.end()) return;
    const auto& name = node->s(attr::name);
    const auto tensor = tensors_.attribute(found->second.object, name);
    if (!tensor || !node->inputs()[1]->type()->isSubtypeOf(*c10::TensorType::get())) {
      throw Unsupported{fmt::format("forward assigns to the attribute `{}`", join_path(found->second.path, name)),
                        "state that changes must be a buffer (register_buffer)"};
    }
    accesses_.emplace_back(node, *tensor);
  }

  void inline_method(Node* node, const std::string& path) {
    Value* object = node->inputs()[0];
    const auto found = objects_.find(object);
    const auto type =
        found != objects_.end() ? found->second.object.toObject()->type() : object->type()->cast<ClassType>();
    torch::jit::Function* method = type ? type->findMethod(node->s(attr::name)) : nullptr;
    if (type && method == nullptr) method = type->findHook(node->s(attr::name));
    if (method == nullptr || !method->isGraphFunction()) {
      throw Unsupported{fmt::format("the call of `{}` cannot be resolved when the model is cut", node->s(attr::name)),
                        "call submodules by their attribute or through a ModuleList"};
    }
    inline_body(node, *toGraphFunction(*method).graph(), node->inputs(),
                found != objects_.end() ? found->second.path : path);
  }

  void inline_function(Node* node, const std::string& path) {
    const auto type = node->inputs()[0]->type()->cast<FunctionType>();
    if (!type || !type->function()->isGraphFunction()) {
      throw Unsupported{"a call of a function that is chosen at run time", ""};
    }
    inline_body(node, *toGraphFunction(*type->function()).graph(), node->inputs().slice(1), path);
  }

  void inline_body(Node* call, Graph& body, at::ArrayRef<Value*> arguments, const std::string& path) {
    const std::vector<Value*> inputs(arguments.begin(), arguments.end());
    Node* const before = call->prev();
    std::vector<Value*> outputs;
    {
      WithInsertPoint here(call);
      std::unordered_map<Value*, Value*> mapping;
      outputs = insertGraph(*flat_.graph, body, inputs, mapping);
    }
    // Done before the body is resolved, so that later readers follow when the maker of an output is replaced.
    for (std::size_t i = 0; i < outputs.size(); ++i) call->outputs()[i]->replaceAllUsesWith(outputs[i]);
    resolve_range(before->next(), call, path);
    call->destroy();
  }

  void simplify() {
    auto& graph = flat_.graph;
    LowerSimpleTuples(graph);  // done first, because alias analysis takes very long over chains of tuples
    EliminateDeadCode(graph);
    constexpr int kLeast = 2, kMost = 8;
    bool changed = true;
    for (int round = 0; round < kLeast || (round < kMost && changed); ++round) {
      ConstantPropagation(graph);
      PeepholeOptimize(graph);
      LowerSimpleTuples(graph);
      changed = settle_containers(graph);
      changed = UnrollConstantLoops(graph) || changed;
    }
    ConstantPropagation(graph);
    RemoveListMutation(graph);
    remove_in_place_operations(graph);
    PeepholeOptimize(graph);
    EliminateDeadCode(graph);
  }

  [[noreturn]] static void throw_uses_of(Value* self) {
    const Node* user = self->uses().front().user;
    throw Unsupported{fmt::format("the module itself is used by `{}`", user->kind().toQualString()), ""};
  }

  void settle_autocast() {
    try {
      apply_autocast(flat_.graph);
    } catch (const std::invalid_argument& error) {
      throw Unsupported{error.what(),
                        "give it constants only, with a type: torch.autocast(\"cpu\", dtype=torch.bfloat16)"};
    }
  }

  void choose_output() {
    try {
      funcpipe::choose_output(flat_.graph, output_);
    } catch (const std::invalid_argument& error) {
      throw Unsupported{error.what(), output_.empty() ? "let forward return a tensor, or a tuple or dictionary of "
                                                        "tensors; or name the one to train on: output in [model]"
                                                      : "set output in [model] to one that it returns"};
    }
    drop_unused(*flat_.graph, [](const Use& use) { return updates_statistic(use.user, use.offset); });
  }

  void drop_unused_slots() {
    auto& graph = *flat_.graph;
    std::vector<TensorSlot> used;
    for (TensorSlot& slot : flat_.slots) {
      if (slot.assigned || slot.value->hasUses()) {
        used.push_back(std::move(slot));
      } else {
        graph.eraseInput(slot.value->offset());
      }
    }
    // Adds the inputs in the order of the slots.
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (used[i].value == nullptr) continue;
      Value* input = graph.addInput();
      input->setType(c10::TensorType::get());
      used[i].value->replaceAllUsesWith(input);
      graph.eraseInput(used[i].value->offset());
      used[i].value = input;
      flat_.slot_of[input] = static_cast<int>(i);
    }
    flat_.slots = std::move(used);
  }

  // Refuses writes to memory that several slots share in part: each stage has its own copy of a slot.
  void refuse_half_shared_state() const {
    for (const TensorSlot& slot : flat_.slots) {
      if (!slot.changes) continue;
      for (const TensorSlot& other : flat_.slots) {
        if (&slot == &other || !overlaps(slot.tensor, other.tensor)) continue;
        throw Unsupported{
            fmt::format("forward writes to {}, which shares a part of its memory with {}", slot.name, other.name),
            "register one of them as a copy: tensor.clone()"};
      }
    }
  }

  const Module& module_;
  const std::string output_;
  const ModuleTensors tensors_;
  FlatModel flat_;
  std::unordered_map<const Value*, TrackedObject> objects_;
  std::map<std::string, ScopePtr> scopes_;
  std::vector<std::pair<Node*, std::size_t>> accesses_;  // nodes that read or assign tensors, in order
  c10::ClassTypePtr state_type_;
  AttributeContainers attribute_containers_;
};

}  // namespace

Result<FlatModel> flatten(const Module& module, std::size_t data_inputs, const std::string& output) {
  try {
    return Flattener(module, data_inputs, output).run();
  } catch (const Unsupported& unsupported) {
    return fail(ErrorCode::invalid_input, unsupported.what, {}, unsupported.hint);
  } catch (const std::exception& error) {
    return fail(ErrorCode::invalid_input, "the model cannot be flattened: " + first_lines(error));
  }
}

int FlatModel::assigned_slot(const Node* node) const {
  if (state == nullptr || (node->kind() != prim::GetAttr && node->kind() != prim::SetAttr)) return -1;
  if (node->inputs()[0] != state) return -1;
  const auto found = std::ranges::find(slots, node->s(attr::name), &TensorSlot::state_attribute);
  return found == slots.end() ? -1 : static_cast<int>(found - slots.begin());
}

}  // namespace funcpipe
