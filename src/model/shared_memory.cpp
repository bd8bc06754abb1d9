#include "model/shared_memory.h"

#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace funcpipe {
namespace {

using torch::jit::Value;
namespace aten = c10::aten;

// The number of elements from the first to the last in memory, both included.
std::int64_t extent(const at::Tensor& tensor) {
  std::int64_t elements = 1;
  for (std::int64_t d = 0; d < tensor.dim(); ++d) elements += (tensor.size(d) - 1) * tensor.stride(d);
  return elements;
}

const char* first_byte(const at::Tensor& tensor) {
  return static_cast<const char*>(tensor.data_ptr());
}
const char* end_byte(const at::Tensor& tensor) {
  return first_byte(tensor) + extent(tensor) * static_cast<std::int64_t>(tensor.element_size());
}

// True if several of its elements share memory.
bool folded(const at::Tensor& tensor) {
  if (tensor.numel() == 0 || tensor.is_non_overlapping_and_dense()) return false;
  const at::Tensor marks = at::zeros({extent(tensor)}, at::kByte);
  marks.as_strided(tensor.sizes(), tensor.strides(), 0).fill_(1);
  return marks.sum().item<std::int64_t>() < tensor.numel();
}

bool same_view(const at::Tensor& a, const at::Tensor& b) {
  return first_byte(a) == first_byte(b) && a.sizes() == b.sizes() && a.strides() == b.strides() &&
         a.scalar_type() == b.scalar_type();
}

bool trainable(const TensorAttribute& attribute) {
  return attribute.parameter && attribute.tensor.requires_grad();
}

// True if `part` is a view of `owner` and the owner contains all of its memory.
bool holds(const at::Tensor& owner, const at::Tensor& part) {
  if (same_view(owner, part)) return true;
  return owner.is_non_overlapping_and_dense() && owner.scalar_type() == part.scalar_type() &&
         first_byte(owner) <= first_byte(part) && end_byte(part) <= end_byte(owner) &&
         (first_byte(part) - first_byte(owner)) % static_cast<std::ptrdiff_t>(owner.element_size()) == 0;
}

// Returns for each dimension of `part` the dimension of `owner` with its size and stride; nullopt if they are not a
// permutation.
std::optional<std::vector<std::int64_t>> permutation(const at::Tensor& owner, const at::Tensor& part) {
  if (owner.dim() != part.dim() || first_byte(owner) != first_byte(part)) return std::nullopt;
  std::vector<std::int64_t> order;
  std::vector<bool> taken(static_cast<std::size_t>(owner.dim()), false);
  for (std::int64_t d = 0; d < part.dim(); ++d) {
    std::int64_t found = -1;
    for (std::int64_t k = 0; k < owner.dim() && found < 0; ++k) {
      if (!taken[k] && owner.size(k) == part.size(d) && owner.stride(k) == part.stride(d)) found = k;
    }
    if (found < 0) return std::nullopt;
    taken[found] = true;
    order.push_back(found);
  }
  return order;
}

tl::unexpected<Error> refuse(std::string what, std::string hint) {
  return fail(ErrorCode::invalid_input, std::move(what), {}, std::move(hint));
}

// Groups attributes that have common elements, directly or through others.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<TensorAttribute>& attributes) {
  std::vector<std::size_t> order, group(attributes.size());
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (attributes[i].tensor.numel() > 0) order.push_back(i);
  }
  std::iota(group.begin(), group.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return first_byte(attributes[i].tensor); });
  for (std::size_t k = 0; k < order.size(); ++k) {
    const at::Tensor& earlier = attributes[order[k]].tensor;
    for (std::size_t next = k + 1; next < order.size(); ++next) {
      const at::Tensor& later = attributes[order[next]].tensor;
      if (first_byte(later) >= end_byte(earlier)) break;
      if (!overlaps(earlier, later)) continue;
      const std::size_t from = group[order[next]], to = group[order[k]];
      std::ranges::replace(group, from, to);
    }
  }
  std::vector<std::vector<std::size_t>> members(attributes.size());
  for (std::size_t i = 0; i < attributes.size(); ++i) members[group[i]].push_back(i);
  std::erase_if(members, [](const auto& list) { return list.empty(); });
  return members;
}

}  // namespace

bool overlaps(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0 || b.numel() == 0) return false;
  const char* const begin = std::min(first_byte(a), first_byte(b));
  const char* const end = std::max(end_byte(a), end_byte(b));
  if (end - begin >= (end_byte(a) - first_byte(a)) + (end_byte(b) - first_byte(b))) return false;
  const auto size = static_cast<std::ptrdiff_t>(a.element_size());
  const std::ptrdiff_t of_a = first_byte(a) - begin, of_b = first_byte(b) - begin;
  const bool without_gaps = a.is_non_overlapping_and_dense() && b.is_non_overlapping_and_dense();
  if (without_gaps || a.scalar_type() != b.scalar_type() || of_a % size != 0 || of_b % size != 0) return true;
  const at::Tensor marks = at::zeros({(end - begin) / size}, at::kByte);
  marks.as_strided(a.sizes(), a.strides(), of_a / size).fill_(1);
  return marks.as_strided(b.sizes(), b.strides(), of_b / size).any().item<bool>();
}

Result<std::vector<std::size_t>> owners_of_memory(const std::vector<TensorAttribute>& attributes) {
  std::vector<std::size_t> owners(attributes.size());
  for (const auto& members : groups_of(attributes)) {
    const auto rank = [&](std::size_t i) { return trainable(attributes[i]) ? 0 : attributes[i].parameter ? 1 : 2; };
    std::optional<std::size_t> owner;
    for (const std::size_t i : members) {
      const auto holds_member = [&](std::size_t k) { return holds(attributes[i].tensor, attributes[k].tensor); };
      if ((!owner || rank(i) < rank(*owner)) && std::ranges::all_of(members, holds_member)) owner = i;
    }
    for (const std::size_t i : members) {
      const std::string& name = attributes[i].name;
      if (trainable(attributes[i]) && folded(attributes[i].tensor)) {
        return refuse(fmt::format("several elements of parameter {} lie on the same memory (it was expanded)", name),
                      "register a copy: tensor.contiguous(), or expand a smaller parameter in forward");
      }
      if (members.size() > 1) {
        const std::size_t other = members[i == members.front() ? 1 : 0];
        if (attributes[i].assigned) {
          return refuse(fmt::format("forward assigns another tensor to {}, which shares its memory with {}", name,
                                    attributes[other].name),
                        "register one of them as a copy: tensor.clone()");
        }
        if (owner || !trainable(attributes[i])) {
          owners[i] = owner.value_or(i);
          continue;
        }
        return refuse(fmt::format("parameters {} and {} share a part of their memory", name, attributes[other].name),
                      "use one parameter that holds all of it and take views of it in forward, or register copies: "
                      "tensor.clone()");
      }
      owners[i] = i;
    }
  }
  return owners;
}

Value* view_of(Value* value, const at::Tensor& owner, const at::Tensor& part, bool detached) {
  auto& graph = *value->owningGraph();
  if (detached) value = graph.insert(aten::detach, {value});
  if (same_view(owner, part)) return value;
  if (const auto order = permutation(owner, part)) {
    return graph.insert(aten::permute, {value, graph.insertConstant(*order)});
  }
  // Counted from the owner's own first element, so that it also holds for a copy of the owner.
  const auto offset = (first_byte(part) - first_byte(owner)) / static_cast<std::ptrdiff_t>(owner.element_size());
  if (offset > 0) {
    const std::vector<std::int64_t> all{owner.numel()}, one{1};
    Value* flat = graph.insert(aten::as_strided, {value, graph.insertConstant(all), graph.insertConstant(one)});
    value = graph.insert(aten::narrow, {flat, 0, static_cast<std::int64_t>(offset), extent(part)});
  }
  return graph.insert(aten::as_strided,
                      {value, graph.insertConstant(part.sizes().vec()), graph.insertConstant(part.strides().vec())});
}

at::Tensor compact(const at::Tensor& tensor) {
  const bool dense = tensor.is_non_overlapping_and_dense();
  if (dense && tensor.storage().nbytes() == tensor.nbytes()) return tensor;
  const at::Tensor plain = tensor.detach();
  const at::Tensor copy = dense ? plain.clone(at::MemoryFormat::Preserve) : plain.clone(at::MemoryFormat::Contiguous);
  return copy.requires_grad_(tensor.requires_grad());
}

}  // namespace funcpipe
