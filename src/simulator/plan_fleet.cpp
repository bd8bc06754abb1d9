#include "simulator/plan_fleet.h"

#include <limits>

#include "base/check.h"
#include "schedule/checker.h"
#include "schedule/sync/sync_algorithm.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

// The checker keeps about a hundred bytes per operation. Larger jobs are not proven; the simulation itself would show a
// deadlock.
constexpr std::int64_t kMostProvenOperations = 20'000'000;

// One stage's figures for a whole micro-batch.
struct StageFigures {
  Seconds forward = 0, backward = 0, update = 0;
  double in = 0, in_gradient = 0, out = 0, out_gradient = 0;  // bytes
  double shared_state = 0;
  WorkerModel model;
};

class PlanFigures {
 public:
  PlanFigures(const PlanningTask& task, const Plan& plan, const Chain& chain, const Candidate& candidate)
      : task_(task), plan_(plan), chain_(chain), spans_(chain), candidate_(candidate) {
    const StageCosts costs(chain_, spans_, candidate_.configuration, task_.accounting);
    for (int stage = 0; stage < plan_.stage_count(); ++stage) stages_.push_back(figures(costs, stage));
    samples_.assign(static_cast<std::size_t>(plan_.micro_batch_count()), 0);
    for (int replica = 0; replica < plan_.replicas; ++replica)
      for (const MicroBatch& batch : plan_.micro_batches_of(replica))
        samples_[static_cast<std::size_t>(batch.index)] = batch.samples;
  }

  const WorkerModel& model(WorkerId worker) const { return figures(worker).model; }

  double cost(const Op& op, WorkerId worker) const {
    const StageFigures& of = figures(worker);
    // The last micro-batch may be smaller.
    const double share = op.micro_batch < 0 ? 1
                                            : static_cast<double>(samples_[static_cast<std::size_t>(op.micro_batch)]) /
                                                  plan_.micro_batch;
    const OpTraits& traits = funcpipe::traits(op.kind);
    switch (traits.purpose) {
      case Purpose::forward:
        return of.forward * share;
      case Purpose::backward:
        return of.backward * share;
      case Purpose::update:
        return of.update;
      default:
        break;
    }
    const bool up = traits.store == StoreRequest::publish;
    if (!up && traits.store != StoreRequest::take) return 0;
    switch (op.object.kind) {
      case ObjectKind::activation:
        return (up ? of.out : of.in) * share;
      case ObjectKind::gradient:
        return (up ? of.in_gradient : of.out_gradient) * share;
      case ObjectKind::buffers:
        return of.shared_state;
      case ObjectKind::part:
      case ObjectKind::merged:
      case ObjectKind::tied:
        return static_cast<double>(op.slice.elements) * sizeof(float);
    }
    return 0;
  }

 private:
  // A parameter server's program has no operations that use a stage's times or borders, so stage 0 does for it.
  const StageFigures& figures(WorkerId worker) const {
    return stages_[worker == kParameterServer ? 0 : static_cast<std::size_t>(worker.stage)];
  }

  StageFigures figures(const StageCosts& costs, int stage) const {
    const auto k = static_cast<std::size_t>(stage);
    const int first = k == 0 ? 0 : candidate_.ends[k - 1], end = candidate_.ends[k], index = candidate_.options[k];
    const ChainOption& option = chain_.options[static_cast<std::size_t>(index)];
    const Span& span = spans_.at(first, end);
    const StageCost cost = costs.of(first, end, index);
    StageFigures of{.forward = cost.forward, .backward = cost.backward};
    // As in the planner, the CPU time of handling synchronised gradients delays the update. It includes the additions,
    // so reduces take no time.
    const double passes = plan_.has_server() || plan_.replicas > 1 ? traits(plan_.sync).passes(plan_.replicas) : 0;
    const double synchronised = passes * span.trainable;
    of.update = span.trainable * option.update_per_byte + synchronised * option.transfer_per_byte;
    of.shared_state = span.shared_state;
    if (first > 0) {
      of.in = chain_.layers[static_cast<std::size_t>(first) - 1].border;
      of.in_gradient = chain_.layers[static_cast<std::size_t>(first) - 1].border_gradient;
    }
    if (end < chain_.layer_count()) {
      of.out = chain_.layers[static_cast<std::size_t>(end) - 1].border;
      of.out_gradient = chain_.layers[static_cast<std::size_t>(end) - 1].border_gradient;
    }
    double data = -1;
    if (span.reads_input || span.reads_target) {
      data = 0;
      if (span.reads_input)
        for (const TensorSpec& input : task_.profile.model.inputs)
          data += static_cast<double>(input.bytes()) * plan_.micro_batch / task_.profile.model.micro_batch;
    }
    of.model = {.function = in_words(option.choice()),
                .memory_mb = option.memory_mb,
                .vcpus = option.vcpus,
                .uplink = option.uplink,
                .downlink = option.downlink,
                .cold_start = option.cold_start,
                .stage_bytes = span.parameters + span.buffers,
                .snapshot_bytes = span.parameters + span.trainable * task_.state.optimizer_copies + span.buffers,
                .first_data_bytes = data};
    return of;
  }

  const PlanningTask& task_;
  const Plan& plan_;
  const Chain& chain_;
  const SpanTable spans_;
  const Candidate& candidate_;
  std::vector<StageFigures> stages_;
  std::vector<int> samples_;  // By micro-batch.
};

WorkerModel server_model(const ParameterServer& server) {
  constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  return {.function = "server " + server.name, .uplink = kUnlimited, .downlink = kUnlimited, .rent = server.per_second};
}

}  // namespace

Result<PlanFleet> plan_fleet(const PlanningTask& task, const Plan& plan, bool keep_programs,
                             const std::stop_token& stop) {
  // The planner predicts 1f1b order only for one stage. Its times of operations hold in any order, but the memory does
  // not.
  const bool known_order = plan.order == PipelineOrder::gpipe || plan.stage_count() == 1;
  Plan judged = plan;
  Platform platform = task.platform;
  if (!known_order) {
    judged.order = PipelineOrder::gpipe;
    platform.limit_memory = false;
  }
  FUNCPIPE_TRY(server, server_of(plan));
  if (server) {
    judged.sync = SyncAlgorithm(traits(plan.sync).judged_as);
    judged.server.clear();
  }
  PlanningTask judging{task.profile, platform};
  judging.state = task.state;
  judging.accounting = task.accounting;
  judging.connections = task.connections;
  judging.global_batch = plan.global_batch;
  FUNCPIPE_TRY(judgement, judge(judging, judged));

  PlanFleet result;
  result.prediction = std::move(judgement.point.prediction);
  result.predicted = known_order && !server;
  const PlanFigures figures(judging, plan, judgement.chain, judgement.point.candidate);
  std::vector<StageShape> shapes;
  shapes.reserve(plan.stages.size());
  for (int stage = 0; stage < plan.stage_count(); ++stage)
    shapes.push_back(stage_shape(plan, task.profile.model, stage));
  ProgramChecker checker;
  for (const WorkerId worker : plan.workers()) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the simulation was stopped");
    Program program = training_program(plan, shapes, worker);
    WorkerModel model = worker == kParameterServer ? server_model(*server) : figures.model(worker);
    model.stores_stage = worker.replica == 0 && worker != kParameterServer;
    std::vector<double> costs;
    costs.reserve(program.ops.size());
    for (const Op& op : program.ops) costs.push_back(figures.cost(op, worker));
    result.fleet.add(program, std::move(model), costs);
    if (result.fleet.operations() > kMostProvenOperations) {
      result.proven = false;
      checker = {};
    }
    if (result.proven) FUNCPIPE_TRY_VOID(checker.add(program));
    if (keep_programs) result.programs.push_back(std::move(program));
  }
  if (result.proven) FUNCPIPE_TRY_VOID(checker.finish(stop));
  FUNCPIPE_TRY_VOID(result.fleet.link());
  return result;
}

Result<StoreModel> store_model(const Platform& platform, bool drawn) {
  const Latency& latency = platform.latency;
  if (drawn && (latency.put_p99 <= 0 || latency.get_p99 <= 0))
    return fail(ErrorCode::invalid_input, fmt::format("{} says nothing of its latencies' percentiles", platform.name),
                {}, "give it latency.put_p99_seconds and get_p99_seconds, or use --latency constant");
  return StoreModel{.put = LatencyDistribution(latency.put, drawn ? latency.put_p99 : latency.put),
                    .get = LatencyDistribution(latency.get, drawn ? latency.get_p99 : latency.get),
                    .burst = platform.burst,
                    .most_up = platform.store.upload,
                    .most_down = platform.store.download,
                    .put_rate = platform.store.puts_per_second,
                    .get_rate = platform.store.gets_per_second,
                    .request_rate = platform.store.requests_per_second};
}

}  // namespace funcpipe
