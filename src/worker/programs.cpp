#include "worker/programs.h"

#include <utility>
#include <vector>

#include "schedule/checker.h"

namespace funcpipe {
namespace {

// `workers` by rank.
template <class Write>
Result<Program> sound_program(const Plan& plan, const std::vector<StageShape>& shapes,
                              const std::vector<WorkerId>& workers, WorkerId worker, Write write) {
  std::vector<Program> all;
  all.reserve(workers.size());
  for (const WorkerId one : workers) all.push_back(write(plan, shapes, one));
  FUNCPIPE_TRY_VOID(check_programs(all));
  return std::move(all[static_cast<std::size_t>(plan.rank(worker))]);
}

}  // namespace

Plan evaluation_plan(const JobSpec& spec) {
  Plan plan = spec.plan;
  plan.global_batch = static_cast<int>(spec.validation.rows());
  const int wanted = spec.config.validation.micro_batch;
  plan.micro_batch = wanted > 0 ? wanted : 4 * plan.micro_batch;
  return plan;
}

Result<Programs> make_programs(const JobSpec& spec, WorkerId worker) {
  std::vector<StageShape> shapes;
  shapes.reserve(spec.plan.stages.size());
  for (int stage = 0; stage < spec.plan.stage_count(); ++stage)
    shapes.push_back(stage_shape(spec.plan, spec.model, stage));
  std::vector<WorkerId> workers = spec.plan.workers();
  FUNCPIPE_TRY(training, sound_program(spec.plan, shapes, workers, worker, training_program));
  const bool serves = worker == kParameterServer;
  Programs programs{std::move(training), std::nullopt,
                    serves ? shapes.front() : shapes[static_cast<std::size_t>(worker.stage)]};
  if (spec.validation.rows() > 0 && !serves) {
    std::erase(workers, kParameterServer);
    FUNCPIPE_TRY(evaluation, sound_program(evaluation_plan(spec), shapes, workers, worker, evaluation_program));
    programs.evaluation = std::move(evaluation);
  }
  return programs;
}

}  // namespace funcpipe
