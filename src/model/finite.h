// Finds tensors that are not finite (NaN, infinities). Used only once a loss is not finite.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace funcpipe {

// True if a tensor contains what a sound forward pass does not leave there: NaN or plus infinity; in a tensor that
// requires a gradient minus infinity, too (masks contain it on purpose).
bool has_gone_wrong(const at::Tensor& tensor);

// Returns the index of the first such tensor.
std::optional<std::size_t> first_gone_wrong(const std::vector<at::Tensor>& tensors);

}  // namespace funcpipe
