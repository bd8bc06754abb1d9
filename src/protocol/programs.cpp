#include "protocol/programs.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/random.h"
#include "protocol/validation_rounds.h"
#include "schedule/checker.h"

namespace funcpipe {
namespace {

// The proof of so many operations fits into a client with a few gigabytes of memory and takes less than a minute.
constexpr std::int64_t kMostOperations = 20'000'000;

std::uint64_t hash(std::uint64_t seed, const ObjectName& name) {
  return mix(seed, {static_cast<std::uint64_t>(name.kind), static_cast<std::uint64_t>(name.stage),
                    static_cast<std::uint64_t>(name.replica), static_cast<std::uint64_t>(name.index)});
}

std::uint64_t hash(std::uint64_t seed, const Program& program) {
  seed = mix(seed, {static_cast<std::uint64_t>(program.worker.stage),
                    static_cast<std::uint64_t>(program.worker.replica), program.ops.size()});
  for (const Op& op : program.ops) {
    seed = mix(hash(seed, op.object),
               {static_cast<std::uint64_t>(op.kind), static_cast<std::uint64_t>(op.micro_batch),
                static_cast<std::uint64_t>(op.slice.first), static_cast<std::uint64_t>(op.slice.elements),
                static_cast<std::uint64_t>(op.source), static_cast<std::uint64_t>(op.release_age),
                static_cast<std::uint64_t>(op.retention), op.after.size(), op.released.size(), op.readers.size()});
    for (const Dependency& on : op.after)
      seed = mix(seed, {static_cast<std::uint64_t>(on.op), static_cast<std::uint64_t>(on.iterations_back)});
    for (const ObjectName& name : op.released) seed = hash(seed, name);
    for (const WorkerId reader : op.readers)
      seed = mix(seed, {static_cast<std::uint64_t>(reader.stage), static_cast<std::uint64_t>(reader.replica)});
  }
  for (const std::vector<int>& lane : program.lanes) {
    seed = mix(seed, {lane.size()});
    for (const int op : lane) seed = mix(seed, {static_cast<std::uint64_t>(op)});
  }
  return seed;
}

// Fills in one stage only; the others are not used.
std::vector<StageShape> shapes_for(const JobSpec& spec, int stage) {
  std::vector<StageShape> shapes(spec.plan.stages.size());
  shapes[static_cast<std::size_t>(stage)] = stage_shape(spec.plan, spec.model, stage);
  return shapes;
}

Programs make_programs(const JobSpec& spec, WorkerId worker, const std::vector<StageShape>& shapes) {
  const bool serves = worker == kParameterServer;
  Programs programs{training_program(spec.plan, shapes, worker), std::nullopt,
                    shapes[serves ? 0 : static_cast<std::size_t>(worker.stage)]};
  if (spec.validation.rows() > 0 && !serves)
    programs.evaluation = evaluation_program(evaluation_plan(spec, spec.validation.rows()), shapes, worker);
  return programs;
}

// Returns the least number of operations that all programs have, known before they are built: each micro-batch passes
// each stage.
std::int64_t least_operations(const JobSpec& spec) {
  const auto passes = [](const Plan& plan, std::int64_t each) {
    return each * plan.stage_count() * ((plan.global_batch + plan.micro_batch - 1) / plan.micro_batch);
  };
  return passes(spec.plan, 2) +
         (spec.validation.rows() > 0 ? passes(evaluation_plan(spec, spec.validation.rows()), 1) : 0);
}

tl::unexpected<Error> too_many(std::int64_t operations) {
  return fail(ErrorCode::invalid_input,
              fmt::format("an iteration of all workers has more than {} operations, which cannot be proven to fit "
                          "together",
                          operations),
              "plan", "use fewer replicas, or larger micro-batches (of training or of validation)");
}

}  // namespace

Programs make_programs(const JobSpec& spec, WorkerId worker) {
  return make_programs(spec, worker, shapes_for(spec, worker == kParameterServer ? 0 : worker.stage));
}

std::string fingerprint(const Programs& programs) {
  std::uint64_t value = hash(1, programs.training);
  if (programs.evaluation) value = hash(value, *programs.evaluation);
  return fmt::format("{:016x}", value);
}

Result<Programs> proven_programs(const JobSpec& spec, const WorkerInvocation& invocation) {
  Programs programs = make_programs(spec, invocation.worker);
  const std::string own = fingerprint(programs);
  if (own == invocation.programs) return programs;
  return fail(ErrorCode::invalid_input,
              fmt::format("the worker's programs ({}) are not those that the client has proven ({})", own,
                          invocation.programs.empty() ? "none" : invocation.programs),
              to_string(invocation.worker), "run client and worker of one build of FuncPipe");
}

Result<std::map<WorkerId, std::string>> prove_programs(const JobSpec& spec, const std::stop_token& stop) {
  if (least_operations(spec) > kMostOperations) return too_many(kMostOperations);
  std::map<WorkerId, std::string> fingerprints;
  ProgramChecker training, evaluation;
  std::vector<StageShape> shapes;
  int stage = -1;
  for (const WorkerId worker : spec.plan.workers()) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the proof of the programs was stopped");
    const int of = worker == kParameterServer ? 0 : worker.stage;
    if (std::exchange(stage, of) != of) shapes = shapes_for(spec, of);
    const Programs programs = make_programs(spec, worker, shapes);
    FUNCPIPE_TRY_VOID(training.add(programs.training));
    if (programs.evaluation) FUNCPIPE_TRY_VOID(evaluation.add(*programs.evaluation));
    if (training.operations() + evaluation.operations() > kMostOperations) return too_many(kMostOperations);
    fingerprints.emplace(worker, fingerprint(programs));
  }
  FUNCPIPE_TRY_VOID(training.finish(stop));
  FUNCPIPE_TRY_VOID(evaluation.finish(stop));
  return fingerprints;
}

}  // namespace funcpipe
