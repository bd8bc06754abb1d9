// Analyses what forward does with a model's state, that is, with the parameters and buffers it writes to.
#pragma once

#include <string>

#include "model/flat_model.h"

namespace funcpipe {

// Fills in TensorSlot::changes, feeds_loss, first_use and last_use. The model's graph and nodes must be complete. A
// slot counts as changing if any operation may write to its memory, also through views, in training or in evaluation.
// Normalisations write their running statistics although their schema does not say so. `feeds_loss` follows the graph
// in training mode from each reader of the slot to the model's outputs. Running statistics that only evaluation reads,
// and counters that only they read, do not feed the loss. Errors: invalid_input if a slot is assigned the memory of
// another and either is written to or trained.
Result<> analyse_state(FlatModel& model);

// Errors: invalid_input if forward changes a constant of the graph (a tensor of the traced program), which a stage
// could not keep. Call it before libtorch's passes run, because they compute with constants.
Result<> refuse_written_constants(torch::jit::Graph& graph);

// True if `value` is an input slot of the graph or a view of one, so that a write to it changes nothing else.
bool lies_in_slot(const FlatModel& model, const torch::jit::Value* value);

// Returns a changing slot that nodes on both sides of a cut before nodes[position] use; nullptr if there is none.
const TensorSlot* state_across(const FlatModel& model, int position);

// For passes that must not change the module. copy_of: a leaf in memory of its own with the slot's values and
// requires_grad. copy_of_state: FlatModel::state with such copies of the assigned slots; None if there are none.
at::Tensor copy_of(const TensorSlot& slot);
c10::IValue copy_of_state(const FlatModel& model);

}  // namespace funcpipe
