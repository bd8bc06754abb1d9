// A short name for what a plan depends on: the graph, the shapes of tensors, and where the layers begin.
#pragma once

#include <string>
#include <vector>

#include "model/cut.h"

namespace funcpipe {

// Returns 16 hexadecimal digits. They do not depend on the values of weights or on the file's name.
std::string fingerprint(const FlatModel& model, const std::vector<Border>& borders);

}  // namespace funcpipe
