#include "model/fingerprint.h"

#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include <cstring>
#include <sstream>
#include <unordered_map>

#include "base/random.h"
#include "model/tensor_type.h"

namespace funcpipe {
namespace {

using namespace torch::jit;

// Writes the graph in a form of our own: values are numbered in the order they are made, and constants stand where they
// are used. libtorch's passes place and name them differently from one run to the next.
class CanonicalText {
 public:
  std::string of(const FlatModel& model) {
    block(model.graph->block());
    return text_.str();
  }

 private:
  void block(const Block* block) {
    for (const Value* input : block->inputs()) made(input);
    for (const Node* node : block->nodes())
      if (!FlatModel::free_to_copy(node)) this->node(node);
    for (const Value* output : block->outputs()) name(output);
  }

  void node(const Node* node) {
    text_ << '\n' << node->kind().toQualString();
    for (const Symbol attribute : node->attributeNames()) {
      text_ << ' ' << attribute.toUnqualString() << '=';
      if (node->kindOf(attribute) == AttributeKind::s) text_ << node->s(attribute);
      if (node->kindOf(attribute) == AttributeKind::i) text_ << node->i(attribute);
    }
    for (const Value* input : node->inputs()) name(input);
    for (const Value* output : node->outputs()) made(output);
    for (const Block* inner : node->blocks()) {
      text_ << " {";
      block(inner);
      text_ << " }";
    }
  }

  void made(const Value* value) { numbers_.emplace(value, numbers_.size()); }

  void name(const Value* value) {
    const auto found = numbers_.find(value);
    if (found != numbers_.end()) {
      text_ << " %" << found->second;
      return;
    }
    const auto constant = toIValue(value);
    text_ << ' ' << value->type()->str() << ' ';
    if (constant && constant->isTensor() && constant->toTensor().defined())
      text_ << to_string(spec_of(constant->toTensor()));
    else if (constant)
      text_ << *constant;
  }

  std::ostringstream text_;
  std::unordered_map<const Value*, std::size_t> numbers_;
};

}  // namespace

std::string fingerprint(const FlatModel& model, const std::vector<Border>& borders) {
  std::string text = CanonicalText().of(model);
  for (const auto& slot : model.slots) text += slot.name + to_string(spec_of(slot.tensor));
  for (const auto& border : borders) text += fmt::format(" {}", border.position);
  std::uint64_t digest = text.size();
  for (std::size_t i = 0; i < text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, std::min(sizeof word, text.size() - i));
    digest = mix(digest, {word});
  }
  return fmt::format("{:016x}", digest);
}

}  // namespace funcpipe
