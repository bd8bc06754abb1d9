#include "worker/player.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/check.h"

namespace funcpipe {
namespace {

// Operations of two iterations may be under way; the third slot still knows when the one before them ended.
constexpr int kSlots = 3;

class Playing {
 public:
  Playing(const Program& program, std::int64_t first, std::int64_t end, Executor& executor, Clock& clock,
          const OpObserver& observe)
      : program_(program),
        first_(first),
        end_(end),
        executor_(executor),
        clock_(clock),
        observe_(observe),
        began_(clock.now()),
        oldest_(first) {
    for (Slot& slot : slots_) slot.ended.assign(program.ops.size(), std::nullopt);
  }

  Result<> play(LaneWidths widths, const std::stop_token& stop) {
    {
      const std::stop_callback pass_on(stop, [this] { stop_.request_stop(); });
      std::vector<std::jthread> threads;
      threads.reserve(static_cast<std::size_t>(widths.download) + static_cast<std::size_t>(widths.upload));
      for (int i = 0; i < widths.download; ++i) threads.emplace_back([this] { run_lane(Lane::download); });
      for (int i = 0; i < widths.upload; ++i) threads.emplace_back([this] { run_lane(Lane::upload); });
      run_lane(Lane::compute);
    }  // joins
    if (error_) return tl::unexpected(std::move(*error_));
    if (oldest_ < end_) {
      return fail(ErrorCode::cancelled, fmt::format("stopped in iteration {}", oldest_), to_string(program_.worker));
    }
    return {};
  }

 private:
  struct Slot {
    std::vector<std::optional<Seconds>> ended;  // by operation; nullopt: not done
    std::size_t done = 0;
  };
  // The next operation of a lane to hand out.
  struct Cursor {
    std::int64_t iteration = 0;
    std::size_t position = 0;
  };
  struct Task {
    int op = 0;
    std::int64_t iteration = 0;
  };
  // A thread that waits for its task's turn; each has its own signal, so an operation's end wakes whom it concerns.
  struct Waiter {
    Task task;
    bool ready = false;
    std::condition_variable_any signal;
  };

  Slot& slot(std::int64_t iteration) { return slots_[static_cast<std::size_t>(iteration - first_) % kSlots]; }

  std::optional<Task> hand_out(Lane lane) {
    const std::vector<int>& ops = program_.lanes[static_cast<int>(lane)];
    std::lock_guard lock(mutex_);
    Cursor& cursor = cursors_[static_cast<int>(lane)];
    if (ops.empty() || first_ + cursor.iteration >= end_) return std::nullopt;
    const Task task{ops[cursor.position], first_ + cursor.iteration};
    if (++cursor.position == ops.size()) {
      cursor.position = 0;
      ++cursor.iteration;
    }
    return task;
  }

  // When the task's dependencies were met; nullopt: they are not.
  std::optional<Seconds> ready_since(const Task& task) {
    if (task.iteration > oldest_ + 1) return std::nullopt;
    Seconds since = began_;
    for (const Dependency& dependency : program_.ops[task.op].after) {
      const std::int64_t iteration = task.iteration - dependency.iterations_back;
      if (iteration < first_) continue;
      const std::optional<Seconds>& ended = slot(iteration).ended[dependency.op];
      if (!ended) return std::nullopt;
      since = std::max(since, *ended);
    }
    return since;
  }

  // nullopt: stopped.
  std::optional<Seconds> wait_until_ready(const Task& task) {
    std::unique_lock lock(mutex_);
    if (stop_.stop_requested()) return std::nullopt;
    if (const auto since = ready_since(task)) return since;
    Waiter waiter{.task = task};
    waiters_.push_back(&waiter);
    waiter.signal.wait(lock, stop_.get_token(), [&] { return waiter.ready; });
    std::erase(waiters_, &waiter);
    if (stop_.stop_requested()) return std::nullopt;
    return ready_since(task);
  }

  void done(const Task& task, Seconds ended) {
    std::lock_guard lock(mutex_);
    Slot& own = slot(task.iteration);
    FUNCPIPE_CHECK(!own.ended[task.op], "operation {} of iteration {} ended twice", task.op, task.iteration);
    own.ended[task.op] = ended;
    ++own.done;
    while (oldest_ < end_ && slot(oldest_).done == program_.ops.size()) {
      // The slot of the iteration before `oldest_` becomes that of `oldest_` + 2.
      Slot& next = slot(oldest_ + 2);
      next.ended.assign(program_.ops.size(), std::nullopt);
      next.done = 0;
      ++oldest_;
    }
    for (Waiter* waiter : waiters_) {
      if (waiter->ready || !ready_since(waiter->task)) continue;
      waiter->ready = true;
      waiter->signal.notify_one();
    }
  }

  Result<> run(const Task& task) {
    try {
      return executor_.run(program_.ops[task.op], task.op, task.iteration, stop_.get_token());
    } catch (const std::exception& exception) {
      return fail(ErrorCode::failed, exception.what());
    }
  }

  void give_up(Error error, const Task& task) {
    if (error.place.empty()) {
      error.place = fmt::format("{}, iteration {}, {}", to_string(program_.worker), task.iteration,
                                to_string(program_.ops[task.op].kind));
    }
    {
      std::lock_guard lock(mutex_);
      // After a stop every operation may end as cancelled: the first error is the one that tells.
      if (!error_ && !stop_.stop_requested()) error_ = std::move(error);
    }
    stop_.request_stop();
  }

  void run_lane(Lane lane) {
    while (const std::optional<Task> task = hand_out(lane)) {
      const std::optional<Seconds> ready = wait_until_ready(*task);
      if (!ready) return;
      const Seconds start = clock_.now();
      const Seconds cpu_before = thread_cpu_time();
      Result<> result = run(*task);
      const Seconds cpu = thread_cpu_time() - cpu_before;
      const Seconds ended = clock_.now();
      if (!result) return give_up(std::move(result).error(), *task);
      if (observe_) {
        std::lock_guard lock(observer_mutex_);
        observe_({task->op, task->iteration, *ready, start, ended, cpu});
      }
      done(*task, ended);
    }
  }

  const Program& program_;
  const std::int64_t first_;
  const std::int64_t end_;
  Executor& executor_;
  Clock& clock_;
  const OpObserver& observe_;
  const Seconds began_;

  std::stop_source stop_;
  std::mutex observer_mutex_;
  std::mutex mutex_;     // guards everything below
  std::int64_t oldest_;  // the first iteration that is not done in whole
  std::array<Slot, kSlots> slots_;
  std::array<Cursor, kLanes> cursors_{};
  std::vector<Waiter*> waiters_;
  std::optional<Error> error_;
};

}  // namespace

Result<> play(const Program& program, std::int64_t first, std::int64_t end, Executor& executor, LaneWidths widths,
              Clock& clock, std::stop_token stop, const OpObserver& observe) {
  FUNCPIPE_CHECK(widths.download > 0 && widths.upload > 0, "lane widths {} and {}", widths.download, widths.upload);
  if (first >= end || program.ops.empty()) return {};
  return Playing(program, first, end, executor, clock, observe).play(widths, stop);
}

}  // namespace funcpipe
