// Finds the nodes that every stage which reads them makes anew, so that their values never cross a border.
#pragma once

#include <unordered_set>

#include "model/flat_model.h"

namespace funcpipe {

// Returns those of FlatModel::nodes that make lists, tuples or dictionaries that nothing changes, or numbers that
// follow from constants and `training` alone.
std::unordered_set<const torch::jit::Node*> remade_nodes(const FlatModel& model);

}  // namespace funcpipe
