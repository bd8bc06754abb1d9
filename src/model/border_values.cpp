#include "model/border_values.h"

#include "base/check.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

Value* constant(Graph& graph, const c10::IValue& value) {
  return graph.insertConstant(value);
}

at::ScalarType scalar_type_of(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::FloatType:
      return at::kDouble;
    case c10::TypeKind::BoolType:
      return at::kBool;
    default:
      return at::kLong;
  }
}

bool is_plain_number(const c10::Type& type) {
  return type.kind() == c10::TypeKind::IntType || type.kind() == c10::TypeKind::FloatType ||
         type.kind() == c10::TypeKind::BoolType;
}

Value* typed_tensor(Graph& graph, Value* number, at::ScalarType type) {
  return graph.insert(aten::tensor, {number}, {NamedValue("dtype", static_cast<std::int64_t>(type))});
}

// Makes an empty tensor for each tensor that would stand for a missing value of `type`.
std::vector<Value*> placeholders(Graph& graph, std::size_t count) {
  std::vector<Value*> empty;
  for (std::size_t i = 0; i < count; ++i) {
    Value* shape = constant(graph, c10::List<std::int64_t>({0}));
    empty.push_back(graph.insert(aten::zeros, {shape}));
  }
  return empty;
}

// Fills the blocks of `node`, a prim::If: the first with what `fill` makes, the second with what `otherwise` makes.
template <class Fill, class Otherwise>
void fill_branches(Graph& graph, Node* node, const Fill& fill, const Otherwise& otherwise) {
  graph.insertNode(node);
  Block* there = node->addBlock();
  Block* absent = node->addBlock();
  {
    const WithInsertPoint inside(there);
    for (Value* value : fill()) there->registerOutput(value);
  }
  const WithInsertPoint inside(absent);
  for (Value* value : otherwise()) absent->registerOutput(value);
}

std::vector<Value*> pack_optional(Graph& graph, Value* value, const c10::TypePtr& element) {
  Value* present = graph.insert(aten::__isnot__, {value, constant(graph, c10::IValue())});
  const std::size_t count = *travelling_tensors(element);
  std::vector<Value*> tensors{typed_tensor(graph, present, at::kBool)};
  if (count == 0) return tensors;
  Node* choice = graph.create(prim::If, {present}, count);
  fill_branches(
      graph, choice,
      [&] {
        Value* unwrapped = graph.insert(aten::_unwrap_optional, {value});
        return pack(graph, unwrapped);
      },
      [&] { return placeholders(graph, count); });
  for (Value* output : choice->outputs()) {
    output->setType(c10::TensorType::get());
    tensors.push_back(output);
  }
  return tensors;
}

Value* unpack_optional(Graph& graph, const c10::TypePtr& type, const c10::TypePtr& element,
                       std::span<Value* const> tensors) {
  Value* present = graph.insert(aten::Bool, {tensors.front()});
  Node* choice = graph.create(prim::If, {present}, 1);
  fill_branches(
      graph, choice, [&] { return std::vector<Value*>{unpack(graph, element, tensors.subspan(1))}; },
      [&] { return std::vector<Value*>{constant(graph, c10::IValue())}; });
  choice->output()->setType(type);
  return choice->output();
}

Value* unpack_list(Graph& graph, const c10::TypePtr& type, Value* tensor) {
  const auto element = type->castRaw<c10::ListType>()->getElementType();
  Value* dimensions = constant(graph, std::int64_t{1});
  // The code TorchScript has for the element type: 0 int, 1 float, 3 bool.
  const std::int64_t code = element->kind() == c10::TypeKind::IntType     ? 0
                            : element->kind() == c10::TypeKind::FloatType ? 1
                                                                          : 3;
  Node* list = graph.create(prim::tolist, {tensor, dimensions, constant(graph, code)}, 1);
  list->output()->setType(type);
  return graph.insertNode(list)->output();
}

}  // namespace

std::optional<std::size_t> travelling_tensors(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::BoolType:
    case c10::TypeKind::NumberType:
      return 1;
    case c10::TypeKind::NoneType:
    case c10::TypeKind::DeviceObjType:
      return 0;
    case c10::TypeKind::ListType:
      if (is_plain_number(*type->castRaw<c10::ListType>()->getElementType())) return 1;
      return std::nullopt;
    case c10::TypeKind::OptionalType: {
      // If an optional tensor is missing in the measured run, nobody knows whether it has a gradient. So it cannot be
      // sent.
      const auto element = type->castRaw<c10::OptionalType>()->getElementType();
      const auto inner = holds_tensors(element) ? std::nullopt : travelling_tensors(element);
      if (!inner) return std::nullopt;
      return 1 + *inner;
    }
    case c10::TypeKind::TupleType: {
      std::size_t sum = 0;
      for (const auto& element : type->castRaw<c10::TupleType>()->elements()) {
        const auto part = travelling_tensors(element);
        if (!part) return std::nullopt;
        sum += *part;
      }
      return sum;
    }
    default:
      return std::nullopt;
  }
}

bool holds_tensors(const c10::TypePtr& type) {
  if (type->kind() == c10::TypeKind::TensorType) return true;
  for (const auto& inner : type->containedTypes())
    if (holds_tensors(inner)) return true;
  return false;
}

std::vector<Value*> pack(Graph& graph, Value* value) {
  const c10::TypePtr& type = value->type();
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return {value};
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::BoolType:
      return {typed_tensor(graph, value, scalar_type_of(*type))};
    case c10::TypeKind::NumberType: {
      Node* tensor = graph.create(prim::NumToTensor, {value}, 1);
      tensor->output()->setType(c10::TensorType::get());
      return {graph.insertNode(tensor)->output()};
    }
    case c10::TypeKind::NoneType:
    case c10::TypeKind::DeviceObjType:
      return {};
    case c10::TypeKind::ListType:
      return {typed_tensor(graph, value, scalar_type_of(*type->castRaw<c10::ListType>()->getElementType()))};
    case c10::TypeKind::OptionalType:
      return pack_optional(graph, value, type->castRaw<c10::OptionalType>()->getElementType());
    case c10::TypeKind::TupleType: {
      std::vector<Value*> tensors;
      for (Value* element : graph.insertNode(graph.createTupleUnpack(value))->outputs())
        for (Value* tensor : pack(graph, element)) tensors.push_back(tensor);
      return tensors;
    }
    default:
      FUNCPIPE_CHECK(false, "a {} cannot travel", type->repr_str());
      return {};
  }
}

Value* unpack(Graph& graph, const c10::TypePtr& type, std::span<Value* const> tensors) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return tensors.front();
    case c10::TypeKind::IntType:
      return graph.insert(aten::Int, {tensors.front()});
    case c10::TypeKind::FloatType:
      return graph.insert(aten::Float, {tensors.front()});
    case c10::TypeKind::BoolType:
      return graph.insert(aten::Bool, {tensors.front()});
    case c10::TypeKind::NumberType:
      return graph.insert(aten::item, {tensors.front()});
    case c10::TypeKind::NoneType:
      return constant(graph, c10::IValue());
    case c10::TypeKind::DeviceObjType:
      return constant(graph, at::Device(at::kCPU));
    case c10::TypeKind::ListType:
      return unpack_list(graph, type, tensors.front());
    case c10::TypeKind::OptionalType:
      return unpack_optional(graph, type, type->castRaw<c10::OptionalType>()->getElementType(), tensors);
    case c10::TypeKind::TupleType: {
      std::vector<Value*> elements;
      const auto tuple = type->cast<c10::TupleType>();
      for (const auto& element : tuple->elements()) {
        const std::size_t count = *travelling_tensors(element);
        elements.push_back(unpack(graph, element, tensors.first(count)));
        tensors = tensors.subspan(count);
      }
      return graph.insertNode(graph.createTuple(elements, tuple->schema() ? tuple : nullptr))->output();
    }
    default:
      FUNCPIPE_CHECK(false, "a {} cannot travel", type->repr_str());
      return nullptr;
  }
}

}  // namespace funcpipe
