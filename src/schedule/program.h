// A program says what one worker does in an iteration: operations on three lanes, with their dependencies. It is plain
// data. The worker plays (executes) it, the simulator plays it in virtual time, the timeline draws it, and the checker
// proves it sound.
//
// A program is a loop body: it is played once per iteration, and a dependency may reach one iteration back. The lanes
// do not wait for each other between iterations, so data of the next iteration is loaded while this one synchronises.
#pragma once

#include <array>
#include <vector>

#include "plan/plan.h"
#include "schedule/operation.h"

namespace funcpipe {

struct Program {
  WorkerId worker;
  std::vector<Op> ops;
  // Operation indices in issue order. A lane takes up its operations in this order and starts each once its
  // dependencies are done. A transfer lane may have several in flight (LaneWidths); a program that is sound with one in
  // flight is sound with more.
  std::array<std::vector<int>, kLanes> lanes;
};

// What is needed of a stage, besides the plan, to write its programs.
struct StageShape {
  std::int64_t gradient_elements = 0;  // Size of the stage's flat gradient.
  struct Tied {                        // A parameter that other stages use too.
    int parameter = 0;                 // Index into ModelDescription::parameters.
    Slice slice;                       // Its place in this stage's flat gradient.
    std::vector<int> stages;           // All stages that use it, ascending, with this one.
  };
  std::vector<Tied> tied;
  bool has_buffers = false;
  bool shares_state = false;  // A layer has state that replicas share (LayerDescription::shared_state).
  bool reads_data = true;     // A layer reads data inputs of the model. The last stage also loads targets.
};

// Returns the shape of a stage. Its flat gradient holds the trainable parameters in ascending index into
// ModelDescription::parameters.
StageShape stage_shape(const Plan& plan, const ModelDescription& model, int stage);

// Returns the training iteration of one of Plan::workers(). `shapes` has one element per stage.
Program training_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker);

// Returns one iteration of forwards only, for validation. Here `plan.global_batch` is the size of the validation set,
// so a replica's share may be empty.
Program evaluation_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker);

}  // namespace funcpipe
