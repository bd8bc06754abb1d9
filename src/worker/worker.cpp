#include "worker/worker.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <new>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/process_limits.h"
#include "model/compute_threads.h"
#include "model/numerics.h"
#include "model/stage.h"
#include "model/torch_error.h"
#include "protocol/job_keys.h"
#include "protocol/programs.h"
#include "protocol/validation_rounds.h"
#include "schedule/life_course.h"
#include "schedule/program.h"
#include "worker/collector.h"
#include "worker/divergence.h"
#include "worker/exchange.h"
#include "worker/flat_gradient.h"
#include "worker/optimizer.h"
#include "worker/parameter_server.h"
#include "worker/player.h"
#include "worker/process.h"
#include "worker/reporter.h"
#include "worker/sample_source.h"
#include "worker/snapshot_store.h"
#include "worker/stage_executor.h"
#include "worker/trace.h"

namespace funcpipe {
namespace {

Result<std::string> read_object(Store& store, const std::string& key, const std::string& what) {
  FUNCPIPE_TRY(text, store.get_text(key));
  if (!text) return fail(ErrorCode::not_found, fmt::format("the {} is not in the store", what), key);
  return std::move(*text);
}

// One life of a worker, that is, one invocation of it. Holds everything an iteration needs.
class Life {
 public:
  Life(const JobSpec& spec, const WorkerInvocation& invocation, Store& store, Clock& clock, Seconds deadline,
       std::stop_token stop, Programs programs, SnapshotStore snapshots, Stage stage)
      : spec_(spec),
        worker_(invocation.worker),
        prefix_(invocation.prefix),
        store_(store),
        clock_(clock),
        stop_(std::move(stop)),
        programs_(std::move(programs)),
        snapshots_(std::move(snapshots)),
        collector_(store, prefix_, programs_),
        stage_(std::move(stage)),
        gradient_(stage_.parameters()),
        optimizer_(spec.config.optimizer, stage_.parameters()),
        samples_(store, spec.train,
                 {spec.config.data.shuffle, spec.config.data.shuffle_window, spec.config.job.seed, spec.steps_per_epoch,
                  spec.plan.global_batch}),
        platform_clock_(clock, spec.config.platform.dilation),
        exchange_(store, platform_clock_, prefix_, worker_, spec.config.training.wait_limit,
                  [this](int op, std::int64_t iteration, Seconds asked) {
                    trace_.asked(op, iteration, platform_clock_.outside(asked));
                  }),
        reporter_(store, clock, training_reports(spec, prefix_, worker_.replica)),
        executor_(spec, spec.plan, worker_, {stage_, gradient_, &optimizer_, samples_, exchange_, &reporter_, clock}),
        life_plan_{.iterations = spec.steps,
                   .checkpoint_interval = spec.recovery.iterations,
                   .checkpoint_period =
                       spec.recovery.period > 0 ? spec.recovery.period : std::numeric_limits<double>::infinity(),
                   .validation = [&spec](std::int64_t round) { return validation_iteration(spec, round); }},
        course_(
            life_plan_,
            LifeSpan(platform_clock_.now(),
                     platform_clock_.now() + (deadline - clock.now()) / spec.config.platform.dilation,
                     {.hand_over = {spec.hand_over.save, spec.hand_over.load}, .alone = spec.plan.worker_count() == 1}),
            platform_clock_.now()),
        trace_(programs_.training, spec.plan.rank(worker_), spec.config.metrics.trace_iterations, clock) {}

  // `snapshot`: where the life begins; nullptr: with the stage file. `former`: there may have been lives before.
  Result<> begin(const Snapshot* snapshot, bool former) {
    if (snapshot) began_ = {snapshot->iteration, snapshot->validation_rounds};
    if (former) exchange_.forget_former_waits();
    if (spec_.recovery.enabled()) {
      if (former) FUNCPIPE_TRY_VOID(collector_.resume(began_));
      exchange_.keep([this](std::int64_t iteration, const ObjectName& name) {
        return collector_.is_collected(iteration, name, false);
      });
    }
    if (!snapshot) return {};
    FUNCPIPE_TRY_VOID(optimizer_.load(snapshot->optimizer));
    reporter_.resume(snapshot->unreported);
    course_.resume(snapshot->iteration, snapshot->validation_rounds);
    course_.span().remember(snapshot->iteration_seconds, snapshot->validation_seconds);
    return {};
  }

  Result<WorkerAnswer> run() {
    while (true) {
      const LifeStep step = course_.next(platform_clock_.now(), likely_validation());
      switch (step.kind) {
        case LifeStep::Kind::play:
          FUNCPIPE_TRY_VOID(play_until(step.end));
          FUNCPIPE_TRY_VOID(check_lives());
          break;
        case LifeStep::Kind::validate:
          FUNCPIPE_TRY_VOID(validate());
          break;
        case LifeStep::Kind::save:
          FUNCPIPE_TRY_VOID(save_snapshot());
          course_.saved(platform_clock_.now());
          break;
        case LifeStep::Kind::hand_over:
          return hand_over();
        case LifeStep::Kind::finish:
          return finish();
      }
    }
  }

 private:
  Result<> play_until(std::int64_t end) {
    const LaneWidths widths{spec_.config.training.download_connections, spec_.config.training.upload_connections};
    const Seconds start = platform_clock_.now();
    reporter_.start_clock();
    stage_.train(true);
    const std::int64_t first = course_.iteration();
    const bool traced = first < spec_.config.metrics.trace_iterations;
    FUNCPIPE_TRY_VOID(play(programs_.training, first, end, executor_, widths, clock_, stop_,
                           traced ? OpObserver(std::ref(trace_)) : OpObserver()));
    Seconds before = start;
    std::vector<Seconds> ends = executor_.update_times();
    for (Seconds& ended : ends) ended /= spec_.config.platform.dilation;
    ends.erase(ends.begin(), ends.end() - std::min<std::ptrdiff_t>(std::ssize(ends), end - first));
    if (std::ssize(ends) < end - first) before = ends.front();  // older ones were dropped
    for (const Seconds ended : ends) {
      if (ended > before) course_.span().iteration_took(ended - before);
      before = ended;
    }
    // A single iteration is measured with what follows its update.
    if (end - first == 1) course_.span().iteration_took(platform_clock_.now() - start);
    course_.played(end);
    return {};
  }

  Result<WorkerAnswer> finish() {
    FUNCPIPE_TRY_VOID(check_weights(spec_, stage_, course_.iteration()));
    if (worker_.replica == 0) {
      FUNCPIPE_TRY(archive, stage_.save());
      FUNCPIPE_TRY_VOID(store_.put(trained_key(prefix_, worker_.stage), archive));
    }
    FUNCPIPE_TRY_VOID(leave_trace());
    return answer("done");
  }

  // Estimates a validation that was not measured yet. It has no backward pass, so the estimate is rather too long.
  Seconds likely_validation() const {
    return course_.span().slowest_iteration() * static_cast<double>(spec_.validation.rows()) / spec_.plan.global_batch;
  }

  // Refuses a job whose iteration or validation fits into no life. The first iterations show it.
  Result<> check_lives() {
    // Without a forecast no platform ends the function's life.
    if (std::exchange(checked_lives_, true) || !course_.span().has_deadline() || spec_.hand_over.load <= 0) return {};
    const HandOver hand_over{spec_.hand_over.save, 0};  // this life has loaded its stage already
    const auto fits = [&](Seconds work, std::string_view what, const char* way_out) -> Result<> {
      auto checked = check_lifetime(course_.span().lifetime(), hand_over, work, what);
      if (checked) return {};
      checked.error().place = to_string(worker_);
      if (way_out) checked.error().hint = way_out;
      return checked;
    };
    if (course_.iteration() < spec_.steps)
      FUNCPIPE_TRY_VOID(fits(course_.span().slowest_iteration(), "one iteration", nullptr));
    if (spec_.validation.rows() == 0) return {};
    // A validation costs at least a quarter of this: it has forward passes only, in larger micro-batches.
    return fits(likely_validation() / 4, "a validation of the whole set, which is played in one life",
                "raise the lifetime, or validate on fewer rows");
  }

  Result<> validate() {
    const Seconds start = platform_clock_.now();
    const Plan plan = evaluation_plan(spec_, spec_.validation.rows());
    SampleSource samples(store_, spec_.validation, {.steps_per_epoch = std::numeric_limits<std::int64_t>::max()});
    Exchange exchange(store_, platform_clock_, validation_prefix(prefix_), worker_, spec_.config.training.wait_limit);
    if (spec_.recovery.enabled())
      exchange.keep(
          [this](std::int64_t round, const ObjectName& name) { return collector_.is_collected(round, name, true); });
    Reporter reporter(store_, clock_, validation_reports(prefix_, worker_.replica));
    StageExecutor executor(spec_, plan, worker_, {stage_, gradient_, nullptr, samples, exchange, &reporter, clock_});
    const LaneWidths widths{spec_.config.training.download_connections, spec_.config.training.upload_connections};
    stage_.train(false);
    auto played = play(*programs_.evaluation, course_.rounds(), course_.rounds() + 1, executor, widths, clock_, stop_);
    stage_.train(true);
    FUNCPIPE_TRY_VOID(std::move(played));
    course_.span().validation_took(platform_clock_.now() - start);
    course_.validated();
    return {};
  }

  Result<> save_snapshot() {
    const Seconds start = platform_clock_.now();
    FUNCPIPE_TRY(archive, stage_.save());
    FUNCPIPE_TRY_VOID(snapshots_.save({.iteration = course_.iteration(),
                                       .validation_rounds = course_.rounds(),
                                       .iteration_seconds = course_.span().slowest_iteration(),
                                       .validation_seconds = course_.span().validation(),
                                       .unreported = reporter_.unreported(),
                                       .stage = std::move(archive),
                                       .optimizer = optimizer_.save()}));
    if (spec_.recovery.enabled()) FUNCPIPE_TRY_VOID(collector_.saved(snapshots_.oldest()));
    course_.span().snapshot_took(platform_clock_.now() - start);
    return {};
  }

  Result<WorkerAnswer> hand_over() {
    FUNCPIPE_TRY_VOID(save_snapshot());
    FUNCPIPE_TRY_VOID(leave_trace());
    return answer("continue");
  }

  // Stores the trace of a worker's first invocation. It is not replaced by that of a later one.
  Result<> leave_trace() {
    if (trace_.empty()) return {};
    FUNCPIPE_TRY_VOID(store_.put(trace_key(prefix_, worker_), trace_.json(process_age()), PutMode::create_if_absent));
    return {};
  }

  WorkerAnswer answer(std::string status) const {
    return {.status = std::move(status),
            .next_iteration = course_.iteration(),
            .progressed = Progress{course_.iteration(), course_.rounds()} > began_,
            .peak_memory = peak_memory(),
            .error = {}};
  }

  const JobSpec& spec_;
  const WorkerId worker_;
  const std::string prefix_;
  Store& store_;
  Clock& clock_;
  const std::stop_token stop_;
  const Programs programs_;
  SnapshotStore snapshots_;
  Collector collector_;
  Stage stage_;
  FlatGradient gradient_;
  StageOptimizer optimizer_;
  SampleSource samples_;
  DilatedClock platform_clock_;
  Exchange exchange_;
  Reporter reporter_;
  StageExecutor executor_;
  const LifePlan life_plan_;
  LifeCourse course_;
  Trace trace_;
  Progress began_;  // where this life began
  bool checked_lives_ = false;
};

Result<> check_stage(const Stage& stage, const JobSpec& spec, WorkerId worker, const StageShape& shape,
                     const std::string& key) {
  const StagePlan& span = spec.plan.stages[static_cast<std::size_t>(worker.stage)];
  std::int64_t elements = 0;
  for (const at::Tensor& parameter : stage.parameters()) elements += parameter.numel();
  if (stage.first_layer() != span.first_layer || stage.end_layer() != span.end_layer)
    return fail(ErrorCode::invalid_input,
                fmt::format("the stage file holds layers {} to {}, the plan says {} to {}", stage.first_layer(),
                            stage.end_layer() - 1, span.first_layer, span.end_layer - 1),
                key, "cut the model again with this plan");
  if (elements != shape.gradient_elements)
    return fail(ErrorCode::invalid_input,
                fmt::format("the stage file has {} trainable elements, the model description {}", elements,
                            shape.gradient_elements),
                key, "cut the model again");
  return {};
}

Result<WorkerAnswer> live(const JobSpec& spec, const WorkerInvocation& invocation, Store& store, Clock& clock,
                          Seconds deadline, std::stop_token stop) {
  const WorkerId worker = invocation.worker;
  const std::string place = to_string(worker);
  if (worker.stage < 0 || worker.stage >= spec.plan.stage_count() || worker.replica < 0 ||
      worker.replica >= spec.plan.replicas)
    return fail(ErrorCode::invalid_input, "the plan has no such worker", place);
  if (spec.steps_per_epoch < 1 || spec.plan.global_batch < 1 ||
      spec.train.rows() / spec.plan.global_batch < spec.steps_per_epoch || spec.train.target.rows != spec.train.rows())
    return fail(ErrorCode::invalid_input,
                fmt::format("{} rows of data cannot give {} steps of {} samples an epoch", spec.train.rows(),
                            spec.steps_per_epoch, spec.plan.global_batch),
                place, "use more data or a smaller global batch");
  if (const std::string own = numerics(); !spec.numerics.empty() && own != spec.numerics)
    return fail(
        ErrorCode::invalid_input,
        fmt::format("this function would compute other bits than the job's: it has {}, the job was made with {}", own,
                    spec.numerics),
        place, "give all functions the worker program, the libraries and a processor like those of the client");
  const int profiled = spec.plan.stages[static_cast<std::size_t>(worker.stage)].threads;
  set_compute_threads(std::max(1, profiled > 0 ? profiled : spec.config.training.threads));
  FUNCPIPE_TRY(programs, proven_programs(spec, invocation));

  SnapshotStore snapshots(store, invocation.prefix, worker, invocation.incarnation);
  std::optional<Snapshot> snapshot;
  if (invocation.incarnation > 0) {
    FUNCPIPE_TRY(newest, snapshots.newest());
    snapshot = std::move(newest);
  }
  std::string archive;
  std::string key = stage_key(invocation.prefix, worker.stage);
  if (snapshot) {
    key = snapshot_key(invocation.prefix, snapshot->iteration, snapshot->validation_rounds, worker);
    archive = std::move(snapshot->stage);
    fmt::print(stderr, "funcpipe-worker {} goes on from its snapshot of iteration {}\n", place, snapshot->iteration);
  } else {
    FUNCPIPE_TRY(bytes, read_object(store, key, "stage file"));
    archive = std::move(bytes);
  }
  auto stage = Stage::load(archive);
  if (!stage) {
    if (stage.error().place.empty()) stage.error().place = key;
    return tl::unexpected(std::move(stage).error());
  }
  archive = {};
  FUNCPIPE_TRY_VOID(check_stage(*stage, spec, worker, programs.shape, key));

  Life life(spec, invocation, store, clock, deadline, std::move(stop), std::move(programs), std::move(snapshots),
            std::move(*stage));
  FUNCPIPE_TRY_VOID(life.begin(snapshot ? &*snapshot : nullptr, invocation.incarnation > 0));
  snapshot.reset();
  return life.run();
}

}  // namespace

Result<WorkerAnswer> run_worker(const JobSpec& spec, const WorkerInvocation& invocation, Store& store, Clock& clock,
                                Seconds deadline, std::stop_token stop) {
  // Operations turn exceptions into errors themselves. This is for the code before and after them.
  const std::string place = to_string(invocation.worker);
  try {
    if (invocation.worker == kParameterServer)
      return run_parameter_server(spec, invocation, store, clock, std::move(stop));
    return live(spec, invocation, store, clock, deadline, std::move(stop));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::exhausted, "no memory left", place,
                "give the stage more memory, or cut the model into more stages");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again) return tl::unexpected(no_process(place));
    return fail(ErrorCode::failed, first_lines(error), place);
  } catch (const std::exception& error) {
    return fail(ErrorCode::failed, first_lines(error), place);
  }
}

}  // namespace funcpipe
