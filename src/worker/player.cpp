#include "worker/player.h"

#include <fmt/format.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/process_limits.h"

namespace funcpipe {
namespace {

FlatPrograms flat(const Program& program) {
  FlatPrograms programs;
  programs.add(program);
  return programs;
}

class Playing {
 public:
  Playing(const Program& program, std::int64_t first, std::int64_t end, Executor& executor, LaneWidths widths,
          Clock& clock, const OpObserver& observe)
      : program_(program),
        first_(first),
        end_(end),
        executor_(executor),
        clock_(clock),
        observe_(observe),
        programs_(flat(program)),
        state_(programs_, widths, /*keep_ready=*/true),
        turns_(state_.connections()) {}

  Result<> play(const std::stop_token& stop) {
    state_.begin(kWorker, first_, end_, clock_.now());
    {
      const std::lock_guard lock(mutex_);
      give_turns();
    }
    {
      const std::stop_callback pass_on(stop, [this] { stop_.request_stop(); });
      std::vector<std::jthread> threads;
      const std::uint32_t spare = state_.spare_connection(kWorker);
      try {
        for (std::uint32_t connection = kComputing + 1; connection < spare; ++connection)
          threads.emplace_back([this, connection] { run_connection(connection); });
      } catch (const std::system_error&) {
        stop_.request_stop();  // stops the threads made so far
        return tl::unexpected(no_process(to_string(program_.worker)));
      }
      run_connection(kComputing);
    }  // the threads are joined here
    if (error_) return tl::unexpected(std::move(*error_));
    if (!state_.all_played(kWorker))
      return fail(ErrorCode::cancelled, fmt::format("stopped in iteration {}", state_.played(kWorker)),
                  to_string(program_.worker));
    return {};
  }

 private:
  static constexpr int kWorker = 0;  // the only worker
  static constexpr std::uint32_t kComputing = 0;

  // Whether the task that a connection holds may run. Each connection has a signal of its own, so the end of an
  // operation wakes only those it concerns.
  struct Turn {
    bool given = false;
    std::condition_variable_any signal;
  };

  void give_turns() {
    for (const std::uint32_t connection : state_.started) {
      turns_[connection].given = true;
      turns_[connection].signal.notify_one();
    }
    state_.started.clear();
  }

  // Waits for the connection's next task. nullopt: stopped, or nothing is left for this connection.
  std::optional<Task> next(std::uint32_t connection) {
    std::unique_lock lock(mutex_);
    Turn& turn = turns_[connection];
    if (state_.task(connection).op < 0) return std::nullopt;
    turn.signal.wait(lock, stop_.get_token(), [&] { return turn.given; });
    if (stop_.stop_requested()) return std::nullopt;
    turn.given = false;
    return state_.task(connection);
  }

  void done(std::uint32_t connection, Seconds ended) {
    const std::lock_guard lock(mutex_);
    state_.done(connection, ended);
    give_turns();
  }

  Result<> run(const Task& task) {
    try {
      return executor_.run(program_.ops[static_cast<std::size_t>(task.op)], task.op, task.iteration, stop_.get_token());
    } catch (const std::exception& exception) {
      return fail(ErrorCode::failed, exception.what());
    }
  }

  void give_up(Error error, const Task& task) {
    if (error.place.empty()) {
      error.place = fmt::format("{}, iteration {}, {}", to_string(program_.worker), task.iteration,
                                to_string(program_.ops[static_cast<std::size_t>(task.op)].kind));
    }
    {
      const std::lock_guard lock(mutex_);
      // After a stop every operation may end with cancelled, so only the first error is kept.
      if (!error_ && !stop_.stop_requested()) error_ = std::move(error);
    }
    stop_.request_stop();
  }

  void run_connection(std::uint32_t connection) {
    while (const std::optional<Task> task = next(connection)) {
      const Seconds start = clock_.now();
      const Seconds cpu_before = thread_cpu_time();
      Result<> result = run(*task);
      const Seconds cpu = thread_cpu_time() - cpu_before;
      const Seconds ended = clock_.now();
      if (!result) return give_up(std::move(result).error(), *task);
      if (observe_) {
        const std::lock_guard lock(observer_mutex_);
        observe_({task->op, task->iteration, task->ready, start, ended, cpu});
      }
      done(connection, ended);
    }
  }

  const Program& program_;
  const std::int64_t first_;
  const std::int64_t end_;
  Executor& executor_;
  Clock& clock_;
  const OpObserver& observe_;
  const FlatPrograms programs_;

  std::stop_source stop_;
  std::mutex observer_mutex_;
  std::mutex mutex_;  // guards everything below
  PlayState state_;
  std::vector<Turn> turns_;  // one for each connection
  std::optional<Error> error_;
};

}  // namespace

Result<> play(const Program& program, std::int64_t first, std::int64_t end, Executor& executor, LaneWidths widths,
              Clock& clock, std::stop_token stop, const OpObserver& observe) {
  FUNCPIPE_CHECK(widths.download > 0 && widths.upload > 0, "lane widths {} and {}", widths.download, widths.upload);
  if (first >= end || program.ops.empty()) return {};
  return Playing(program, first, end, executor, widths, clock, observe).play(stop);
}

}  // namespace funcpipe
