#include "simulator/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "simulator/requests.h"

namespace funcpipe {
namespace {

constexpr Seconds kForever = std::numeric_limits<double>::infinity();
constexpr std::int64_t kEventsBetweenLooks = 1 << 18;  // Between two reports of progress and looks at the stop token.

// What a worker asks the store for outside its program; Requests::Task::use.
enum Use : std::int32_t {
  read_job = -1,
  read_stage = -2,
  read_snapshot = -3,
  save_snapshot = -4,
  store_stage = -5,
  unpack = -6,  // Computing: it parses the snapshot that it has read.
  pack = -7     // Computing: it serialises the snapshot that it will save.
};

Seconds round_up(Seconds seconds, Seconds step) {
  return step > 0 ? std::ceil(seconds / step - 1e-9) * step : seconds;
}

class Simulation {
 public:
  Simulation(const SimulatedFleet& fleet, const SimulationOptions& options, const FleetObserver& observe,
             const SimulationProgress& progress, std::stop_token stop)
      : fleet_(fleet),
        options_(options),
        observe_(observe),
        progress_(progress),
        stop_(std::move(stop)),
        played_(fleet.programs(), {options.download_connections, options.upload_connections},
                static_cast<bool>(observe)),
        requests_(fleet, played_, options, agenda_),
        life_plan_{.iterations = options.iterations},
        running_(fleet.size()) {
    result_.workers.resize(static_cast<std::size_t>(fleet.size()));
    lives_.resize(result_.workers.size(), Life{.course = LifeCourse(life_plan_, LifeSpan(0, kForever, {}))});
    computing_.resize(result_.workers.size());
    for (int i = 0; i < fleet.size(); ++i) updating_ += fleet.worker(i).updates ? 1 : 0;
    forecast_ = {.hand_over = longest_hand_over(fleet, options.store), .alone = fleet.size() == 1};
    left_.assign(static_cast<std::size_t>(options.iterations), updating_ > 0 ? updating_ : fleet.size());
    result_.first_forward = kForever;
    for (const Fault& fault : options.faults)
      for (int i = 0; i < fleet.size(); ++i)
        if (fault.kind == Fault::Kind::slow_compute && fleet.worker(i).id == fault.worker)
          lives_[i].slowness *= fault.factor;
  }

  Result<SimulationResult> run() {
    for (std::size_t i = 0; i < options_.faults.size(); ++i)
      if (options_.faults[i].kind == Fault::Kind::kill)
        agenda_.at(options_.faults[i].at, EventKind::fault, static_cast<std::uint32_t>(i));
    for (int worker = 0; worker < fleet_.size(); ++worker) invoke(worker, fleet_.worker(worker).model.cold_start);
    while (running_ > 0 && !result_.failure) {
      settle();
      if (running_ == 0 || result_.failure) break;
      if (requests_.link_event(now_)) {
        ++result_.events;
      } else {
        EventQueue& queue = agenda_.queue();
        if (queue.empty()) return nothing_moves();
        const Event event = queue.top();
        queue.pop();
        now_ = std::max(now_, event.when.time);
        ++result_.events;
        happens(event);
      }
      if (requests_.failure) result_.failure = requests_.failure;
      if (result_.events % kEventsBetweenLooks == 0) {
        if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "the simulation was stopped");
        if (progress_) progress_(static_cast<std::int64_t>(result_.iterations.size()), now_);
      }
    }
    return sum_up();
  }

 private:
  struct Life {
    LifeCourse course;
    Seconds invoked = 0, deadline = 0;
    Seconds chunk_began = 0, updated = 0;  // `updated`: its last update in the chunk, or the chunk's start.
    std::int64_t end = 0;                  // One past the chunk's last iteration.
    double slowness = 1;                   // Factor of computing times.
    Use use = read_job;                    // What it is doing outside its program.
    bool data_there = false;               // Its first `load` was done, or it needs no data.
    bool running = false;
  };

  Life& life(int worker) { return lives_[static_cast<std::size_t>(worker)]; }
  const WorkerModel& model(int worker) const { return fleet_.worker(worker).model; }

  // Begins and ends operations and requests at the current time until nothing changes any more.
  void settle() {
    while (!played_.started.empty() || !requests_.done.empty()) {
      for (std::size_t i = 0; i < played_.started.size(); ++i) begin(played_.started[i]);
      played_.started.clear();
      ended_.swap(requests_.done);
      for (const std::uint32_t connection : ended_) end(connection);
      ended_.clear();
    }
  }

  void happens(const Event& event) {
    switch (static_cast<EventKind>(event.kind)) {
      case EventKind::computed:
        return end(event.subject);
      case EventKind::ask:
        return requests_.ask(event.subject, now_);
      case EventKind::send:
        return requests_.send(event.subject, now_);
      case EventKind::answered:
        return requests_.answered(event.subject, now_);
      case EventKind::cold_started:
        return first_request(static_cast<int>(event.subject));
      case EventKind::out_of_time:
        return out_of_time(static_cast<int>(event.subject));
      case EventKind::fault:
        return kill(options_.faults[event.subject]);
    }
  }

  void invoke(int worker, Seconds cold_start) {
    Life& of = life(worker);
    of.invoked = now_;
    of.running = true;
    ++result_.workers[static_cast<std::size_t>(worker)].invocations;
    agenda_.at(now_ + cold_start, EventKind::cold_started, static_cast<std::uint32_t>(worker));
  }

  void first_request(int worker) {
    Life& of = life(worker);
    requests_.new_client(worker);
    of.deadline = model(worker).rent ? kForever : now_ + options_.lifetime;
    of.data_there = model(worker).first_data_bytes < 0;
    if (!std::isinf(of.deadline)) agenda_.at(of.deadline, EventKind::out_of_time, static_cast<std::uint32_t>(worker));
    request(worker, RequestKind::get, read_job, 0);
  }

  void request(int worker, RequestKind kind, Use use, double bytes) {
    requests_.begin(played_.spare_connection(worker),
                    {.kind = kind, .bytes = bytes, .use = use, .iteration = life(worker).course.iteration()}, now_);
    life(worker).use = use;
  }

  void computes(int worker, Use use) {
    life(worker).use = use;
    const WorkerModel& of = model(worker);
    agenda_.at(now_ + packing_seconds(of.snapshot_bytes, of.vcpus), EventKind::computed,
               played_.spare_connection(worker));
  }

  void request_done(int worker) {
    Life& of = life(worker);
    switch (of.use) {
      case read_job:
        requests_.new_client(worker);  // The worker opens the store anew, as the job's specification says.
        if (of.course.iteration() > 0)
          return request(worker, RequestKind::get, read_snapshot, model(worker).snapshot_bytes);
        return request(worker, RequestKind::get, read_stage, model(worker).stage_bytes);
      case read_snapshot:
        return computes(worker, unpack);
      case read_stage:
      case unpack:
        forecast_.iteration = of.course.span().slowest_iteration();  // The snapshot contains it.
        of.course.span() = LifeSpan(now_, of.deadline, forecast_);
        requests_.forget_arrivals(worker);
        return go_on(worker);
      case pack:
        return request(worker, RequestKind::put, save_snapshot, model(worker).snapshot_bytes);
      case save_snapshot:
        answer(worker);
        return invoke(worker, 0);  // The instance that has just answered is warm and is used again.
      case store_stage:
        return done(worker);
    }
  }

  void go_on(int worker) {
    Life& of = life(worker);
    const LifeStep step = of.course.next(now_);
    switch (step.kind) {
      case LifeStep::Kind::play:
        of.end = step.end;
        of.chunk_began = of.updated = now_;
        return played_.begin(worker, of.course.iteration(), step.end, now_);
      case LifeStep::Kind::hand_over:
        return computes(worker, pack);
      case LifeStep::Kind::finish:
        if (!model(worker).stores_stage) return done(worker);
        return request(worker, RequestKind::put, store_stage, model(worker).stage_bytes);
      case LifeStep::Kind::validate:
      case LifeStep::Kind::save:
        break;
    }
    FUNCPIPE_CHECK(false, "validations and snapshots at an interval are not simulated");
  }

  void answer(int worker) {
    Life& of = life(worker);
    of.running = false;
    bill_until_now(worker);
  }

  void done(int worker) {
    answer(worker);
    --running_;
  }

  void bill_until_now(int worker) {
    result_.workers[static_cast<std::size_t>(worker)].ended = now_;
    if (model(worker).rent) return;
    const Seconds billed = round_up(now_ - life(worker).invoked, options_.billing_step);
    result_.bill.by_function[model(worker).function].add_invocation(model(worker).memory_mb, model(worker).vcpus,
                                                                    billed);
  }

  // Begins the operation of a connection, which may run now.
  void begin(std::uint32_t connection) {
    const int worker = played_.worker_of(connection);
    const Task& task = played_.task(connection);
    const FleetOp& op = fleet_.op(fleet_.worker(worker), task.op);
    Life& of = life(worker);
    const auto ask = [&](RequestKind kind, double bytes) {
      requests_.begin(connection,
                      {.kind = kind,
                       .bytes = bytes,
                       .use = task.op,
                       .iteration = task.iteration,
                       .awaited = &op,
                       .times = op.requests},
                      now_);
    };
    if (op.lane == Lane::compute) {
      const Seconds seconds = op.cost * of.slowness;
      computing_[static_cast<std::size_t>(worker)] += seconds;
      if (task.iteration == 0) result_.first_forward = std::min(result_.first_forward, now_);
      return agenda_.at(now_ + seconds, EventKind::computed, connection);
    }
    switch (op.store) {
      case StoreRequest::take:
        return ask(RequestKind::wait, op.cost);
      case StoreRequest::publish:
        return ask(RequestKind::put, op.cost);
      case StoreRequest::read_data:
        if (of.data_there) break;
        of.data_there = true;
        return ask(RequestKind::get, model(worker).first_data_bytes);
      case StoreRequest::report: {
        const std::int64_t so_far = task.iteration + 1;
        if (so_far % options_.report_every != 0 && so_far != options_.iterations) break;
        return ask(RequestKind::put, op.cost);
      }
      case StoreRequest::remove:
        if (task.iteration < op.release_age || op.requests == 0) break;
        return ask(RequestKind::remove, 0);
      case StoreRequest::none:
        break;
    }
    requests_.done.push_back(connection);  // The operation has nothing to do.
  }

  void end(std::uint32_t connection) {
    const int worker = played_.worker_of(connection);
    if (connection == played_.spare_connection(worker)) return request_done(worker);
    const Task task = played_.task(connection);
    const FleetOp& op = fleet_.op(fleet_.worker(worker), task.op);
    if (observe_)
      observe_(worker, {.op = task.op,
                        .iteration = task.iteration,
                        .ready = task.ready,
                        .start = task.start,
                        .end = now_,
                        .cpu = op.lane == Lane::compute ? now_ - task.start : 0,
                        .asked = op.producer_worker < 0 ? std::nullopt : std::optional(requests_.asked(connection))});
    Life& of = life(worker);
    if (op.updates) {
      if (now_ > of.updated) of.course.span().iteration_took(now_ - of.updated);
      of.updated = now_;
      note_busy(worker, task.iteration);
      iteration_done(task.iteration);
    } else if (op.store == StoreRequest::remove) {
      if (task.iteration >= op.release_age) store(-op.cost);
    } else if (op.store == StoreRequest::publish) {
      store(op.cost);
    }
    played_.done(connection, now_);
    if (op.lane == Lane::upload) requests_.published(worker, task.op, task.iteration, now_);
    ++result_.operations;
    if (!played_.all_played(worker)) return;
    const std::int64_t first = of.course.iteration();
    if (updating_ == 0)
      for (std::int64_t i = first; i < of.end; ++i) iteration_done(i);
    // A chunk of one iteration counts with what follows its update.
    if (of.end - first == 1) of.course.span().iteration_took(now_ - of.chunk_began);
    of.course.played(of.end);
    go_on(worker);
  }

  void iteration_done(std::int64_t iteration) {
    if (--left_[static_cast<std::size_t>(iteration)] > 0) return;
    result_.iterations.push_back(now_);
    SimulationResult::Requests& so_far = result_.requests.emplace_back();
    for (int worker = 0; worker < fleet_.size(); ++worker) {
      so_far.put += requests_.usage(worker).put;
      so_far.get += requests_.usage(worker).get;
    }
  }

  // Notes the busy times of a worker at the end of its first and of its last iteration.
  void note_busy(int worker, std::int64_t iteration) {
    Busy& steady = result_.workers[static_cast<std::size_t>(worker)].steady;
    const Busy busy = busy_of(worker);
    if (iteration == 0) {
      steady = busy;
    } else if (iteration + 1 == options_.iterations) {
      steady = {busy.computing - steady.computing, busy.uploading - steady.uploading,
                busy.downloading - steady.downloading};
    }
  }

  Busy busy_of(int worker) const {
    return {computing_[static_cast<std::size_t>(worker)], requests_.uploading(worker, now_),
            requests_.downloading(worker, now_)};
  }

  void store(double bytes) {
    result_.stored_byte_seconds += stored_ * (now_ - stored_since_);
    stored_since_ = now_;
    stored_ += bytes;
  }

  void kill(const Fault& fault) {
    for (int worker = 0; worker < fleet_.size(); ++worker) {
      if (fleet_.worker(worker).id != fault.worker || !life(worker).running) continue;
      result_.failure = Error{
          .code = ErrorCode::failed,
          .message = fmt::format("its function was killed {} after the job's start; a job ends with its first function "
                                 "that fails",
                                 format_seconds(now_)),
          .place = to_string(fault.worker),
          .hint = {}};
    }
  }

  void out_of_time(int worker) {
    const Life& of = life(worker);
    if (!of.running || of.deadline != now_) return;
    result_.failure = Error{.code = ErrorCode::failed,
                            .message = fmt::format("Task timed out after {:.2f} seconds", options_.lifetime),
                            .place = to_string(fleet_.worker(worker).id),
                            .hint =
                                "an iteration and a snapshot must fit a function's lifetime: raise it, or make "
                                "iterations shorter with more stages or replicas"};
  }

  Result<SimulationResult> nothing_moves() const {
    for (int worker = 0; worker < fleet_.size(); ++worker)
      if (lives_[static_cast<std::size_t>(worker)].running)
        return fail(ErrorCode::failed,
                    fmt::format("its operations wait for each other in iteration {}", played_.played(worker)),
                    to_string(fleet_.worker(worker).id));
    return fail(ErrorCode::failed, "nothing is left to happen");
  }

  SimulationResult sum_up() {
    store(0);
    result_.total = now_;
    for (int worker = 0; worker < fleet_.size(); ++worker) {
      // When the job fails, the client ends the functions that still run.
      if (life(worker).running) bill_until_now(worker);
      Usage& usage = result_.bill.by_function[model(worker).function];
      usage += requests_.usage(worker);
      usage.rent += model(worker).rent.value_or(0) * now_;
      WorkerResult& of = result_.workers[static_cast<std::size_t>(worker)];
      of.whole = busy_of(worker);
      of.early_gets = requests_.early_gets(worker);
      of.refused = requests_.refused(worker);
    }
    if (std::isinf(result_.first_forward)) result_.first_forward = now_;
    return std::move(result_);
  }

  const SimulatedFleet& fleet_;
  const SimulationOptions& options_;
  const FleetObserver& observe_;
  const SimulationProgress& progress_;
  const std::stop_token stop_;
  Agenda agenda_;
  PlayState played_;
  Requests requests_;
  const LifePlan life_plan_;
  std::vector<Life> lives_;
  LifeForecast forecast_;
  std::vector<Seconds> computing_;  // By worker: time of computing so far.
  int updating_ = 0;                // Workers with an update, which end an iteration. If 0, all workers do.
  std::vector<int> left_;           // By iteration: how many of these have not ended it.
  std::vector<std::uint32_t> ended_;
  int running_;
  Seconds now_ = 0;
  double stored_ = 0;
  Seconds stored_since_ = 0;
  SimulationResult result_;
};

}  // namespace

HandOver longest_hand_over(const SimulatedFleet& fleet, const StoreModel& store) {
  HandOver all;
  int functions = 0;
  for (int i = 0; i < fleet.size(); ++i) functions += fleet.worker(i).model.rent ? 0 : 1;
  for (int i = 0; i < fleet.size(); ++i) {
    const WorkerModel& of = fleet.worker(i).model;
    if (of.rent) continue;
    // All functions may hand over at once and share the store's bandwidth.
    all = longest(all, expected_hand_over({.bytes = of.snapshot_bytes,
                                           .uplink = std::min(of.uplink, store.most_up / functions),
                                           .downlink = std::min(of.downlink, store.most_down / functions),
                                           .put = store.put.median(),
                                           .get = store.get.median(),
                                           .vcpus = of.vcpus}));
  }
  return all;
}

Seconds SimulationResult::median_seconds() const {
  std::vector<Seconds> seconds;
  for (std::size_t i = iterations.size() > 1 ? 1 : 0; i < iterations.size(); ++i) seconds.push_back(seconds_of(i));
  if (seconds.empty()) return 0;
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>((seconds.size() - 1) / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

Result<SimulationResult> simulate(const SimulatedFleet& fleet, const SimulationOptions& options,
                                  const FleetObserver& observe, const SimulationProgress& progress,
                                  std::stop_token stop) {
  for (const Fault& fault : options.faults) {
    bool there = false;
    for (int i = 0; i < fleet.size(); ++i) there |= fleet.worker(i).id == fault.worker;
    if (!there)
      return fail(ErrorCode::invalid_input, fmt::format("the plan has no {}", to_string(fault.worker)), {},
                  "a fault names one of the plan's workers as STAGE.REPLICA, both counted from 0");
  }
  return Simulation(fleet, options, observe, progress, std::move(stop)).run();
}

}  // namespace funcpipe
