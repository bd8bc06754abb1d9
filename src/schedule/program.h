// An iteration is a program: what one worker does, as operations on three lanes with their dependencies. Plain data.
// The worker plays it for real, the simulator in virtual time, the timeline as a picture; the checker proves it sound.
//
// A program is a loop body: it is played once per iteration, and a dependency may reach one iteration back. Nothing
// joins the lanes between iterations, so the data of the next iteration is loaded while this one still synchronises.
#pragma once

#include <array>
#include <vector>

#include "plan/plan.h"
#include "schedule/operation.h"

namespace funcpipe {

struct Program {
  WorkerId worker;
  std::vector<Op> ops;
  // Operation indices in issue order: a lane starts its operations in this order, each once its dependencies are done.
  // A lane may keep several in flight (Player); a program sound for one in flight is sound for more.
  std::array<std::vector<int>, kLanes> lanes;
};

// What the writers must know of a stage besides the plan.
struct StageShape {
  std::int64_t gradient_elements = 0;  // of the stage's flat gradient
  struct Tied {                        // a parameter this stage shares with other stages
    int parameter = 0;                 // ModelDescription parameter index
    Slice slice;                       // where it lies in this stage's flat gradient
    std::vector<int> stages;           // all stages that use it, ascending, this one included
  };
  std::vector<Tied> tied;
  bool has_buffers = false;
  bool shares_state = false;  // some layer has state that replicas must share (LayerDescription::shared_state)
  bool reads_data = true;     // some layer reads the model's data inputs (the last stage also loads targets)
};

// The flat gradient holds the stage's trainable parameters in ascending ModelDescription index.
StageShape stage_shape(const Plan& plan, const ModelDescription& model, int stage);

// The training iteration of one of Plan::workers(): pipeline order and synchronisation as the plan says.
Program training_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker);

// One forward-only iteration: validation. `plan.global_batch` is the validation set's size here, so a replica's share
// may be empty.
Program evaluation_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker);

}  // namespace funcpipe
