// Which nodes of a flattened model are made anew in every stage that reads them, so that they never cross a border.
#pragma once

#include <unordered_set>

#include "model/flat_model.h"

namespace funcpipe {

// Of FlatModel::nodes: lists, tuples and dictionaries that nothing changes, and numbers that follow from constants and
// `training` alone.
std::unordered_set<const torch::jit::Node*> remade_nodes(const FlatModel& model);

}  // namespace funcpipe
