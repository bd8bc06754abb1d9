#include "model/forward_call.h"

#include <torch/csrc/jit/api/function_impl.h>

#include <stdexcept>

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

class CallWriter {
 public:
  explicit CallWriter(const Module& module)
      : module_(module), forward_(*module.find_method("forward")), graph_(std::make_shared<Graph>()) {
    for (const Value* input : toGraphFunction(forward_.function()).graph()->inputs()) {
      Value* own = graph_->addInput(input->debugName());
      own->setType(input->type());
      if (self_ == nullptr)
        self_ = own;
      else
        arguments_.push_back(own);
    }
  }

  std::shared_ptr<Graph> write() {
    const WithInsertPoint at_end(graph_->block());
    for (Function* hook : module_.type()->getForwardPreHooks()) {
      Value* result = insert(*hook, {self_, given_to(*hook)});
      if (!result->type()->isSubtypeOf(*c10::NoneType::get())) take_arguments(result);
    }
    std::vector<Value*> inputs{self_};
    inputs.insert(inputs.end(), arguments_.begin(), arguments_.end());
    Value* output = insert(forward_.function(), inputs);
    for (Function* hook : module_.type()->getForwardHooks()) {
      Value* result = insert(*hook, {self_, given_to(*hook), output});
      if (!result->type()->isSubtypeOf(*c10::NoneType::get())) output = result;
    }
    graph_->registerOutput(output);
    return graph_;
  }

 private:
  Value* insert(Function& function, const std::vector<Value*>& inputs) {
    return insertGraph(*graph_, *toGraphFunction(function).graph(), inputs).at(0);
  }

  // A hook takes forward's inputs as one tuple. It may leave out those that have a default value.
  Value* given_to(const Function& hook) {
    const auto tuple = hook.getSchema().arguments().at(1).type()->cast<c10::TupleType>();
    if (!tuple || tuple->elements().size() > arguments_.size())
      throw std::invalid_argument("the hook `" + hook.name() + "` does not take the inputs of forward");
    const at::ArrayRef<Value*> all(arguments_);
    return graph_->insertNode(graph_->createTuple(all.slice(0, tuple->elements().size())))->output();
  }

  // The result of a hook before forward replaces the inputs: a tuple of all of them, or the only one.
  void take_arguments(Value* result) {
    std::vector<Value*> given{result};
    if (result->type()->kind() == c10::TypeKind::TupleType) {
      const auto elements = graph_->insertNode(graph_->createTupleUnpack(result))->outputs();
      given.assign(elements.begin(), elements.end());
    }
    if (given.size() > arguments_.size()) throw std::invalid_argument("a hook gives forward more inputs than it takes");
    std::copy(given.begin(), given.end(), arguments_.begin());
  }

  const Module& module_;
  const Method forward_;
  std::shared_ptr<Graph> graph_;
  Value* self_ = nullptr;
  std::vector<Value*> arguments_;
};

}  // namespace

std::shared_ptr<Graph> forward_call(const Module& module) {
  const bool hooked = !module.type()->getForwardHooks().empty() || !module.type()->getForwardPreHooks().empty();
  if (hooked) return CallWriter(module).write();
  return toGraphFunction(module.get_method("forward").function()).graph()->copy();
}

}  // namespace funcpipe
