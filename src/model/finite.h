// Numbers that are not: NaN and the infinities, looked for only once a loss is one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace funcpipe {

// Whether a tensor holds numbers that a sound forward pass does not leave behind: NaN; plus infinity; and minus
// infinity too where a gradient is wanted (masks hold it by intent).
bool has_gone_wrong(const at::Tensor& tensor);

// The place of the first that has.
std::optional<std::size_t> first_gone_wrong(const std::vector<at::Tensor>& tensors);

}  // namespace funcpipe
