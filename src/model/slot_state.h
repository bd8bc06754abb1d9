// What forward does with the state of a model: the parameters and buffers that it writes to.
#pragma once

#include <string>

#include "model/flat_model.h"

namespace funcpipe {

// Fills in TensorSlot::changes, feeds_loss, first_use and last_use of a model whose graph and nodes are made. A slot is
// taken to change if any operation may write to its memory, through views of it too, in training or in evaluation mode.
// Normalisations write their running statistics without saying so in their schema. `feeds_loss` follows the graph in
// training mode from every reader of the slot to the model's outputs; running statistics that only evaluation reads,
// and counters that only they read, do not feed it.
// Error: invalid_input: a slot is assigned the memory of another, and either is written to or trained.
Result<> analyse_state(FlatModel& model);

// Error: invalid_input: forward changes a constant of the graph (a tensor of the program that was traced), which a
// stage could not keep. To be asked of the graph as it is read: libtorch's passes compute with constants.
Result<> refuse_written_constants(torch::jit::Graph& graph);

// Whether `value` is an input slot of the graph or a view of one, so that writing to it writes to nothing else.
bool lies_in_slot(const FlatModel& model, const torch::jit::Value* value);

// A slot that changes and that nodes on both sides of a cut before nodes[position] touch; nullptr if there is none.
const TensorSlot* state_across(const FlatModel& model, int position);

// For passes that must leave the module as it was: a leaf with the slot's values and its need of a gradient, in memory
// of its own; and FlatModel::state with such copies of the assigned slots, None if there are none.
at::Tensor copy_of(const TensorSlot& slot);
c10::IValue copy_of_state(const FlatModel& model);

}  // namespace funcpipe
