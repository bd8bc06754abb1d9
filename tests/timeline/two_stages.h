// Two stages of two micro-batches, one worker each: a job small enough to know every moment of.
#pragma once

#include <vector>

#include "schedule/program.h"

namespace funcpipe {

inline Plan two_stage_plan() {
  Plan plan;
  plan.model = "test";
  plan.stages = {{.first_layer = 0, .end_layer = 1}, {.first_layer = 1, .end_layer = 2}};
  plan.global_batch = 2;
  plan.micro_batch = 1;
  return plan;
}

inline std::vector<Program> programs_of(const Plan& plan, std::int64_t gradient_elements = 1000) {
  const std::vector<StageShape> shapes(static_cast<std::size_t>(plan.stage_count()),
                                       {.gradient_elements = gradient_elements});
  std::vector<Program> programs;
  for (int stage = 0; stage < plan.stage_count(); ++stage)
    for (int replica = 0; replica < plan.replicas; ++replica)
      programs.push_back(training_program(plan, shapes, {stage, replica}));
  return programs;
}

}  // namespace funcpipe
