// A short name for what a plan depends on: the graph, the tensors' shapes, and where the layers begin.
#pragma once

#include <string>
#include <vector>

#include "model/cut.h"

namespace funcpipe {

// 16 hexadecimal digits; independent of weights' values and of the file's name.
std::string fingerprint(const FlatModel& model, const std::vector<Border>& borders);

}  // namespace funcpipe
