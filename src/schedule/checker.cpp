#include "schedule/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "schedule/check_data.h"
#include "schedule/check_form.h"
#include "schedule/local_order.h"
#include "schedule/operation_graph.h"

namespace funcpipe {
namespace {

constexpr std::int64_t kBetweenLooks = 1 << 16;  // Releases checked between two looks at the stop token.

}  // namespace

class ProgramChecker::Proof {
 public:
  Result<> add(const Program& program) {
    if (!workers_.insert(program.worker).second)
      return fail(ErrorCode::failed, fmt::format("two programs for {}", to_string(program.worker)));
    FUNCPIPE_TRY_VOID(check_form(program));
    const LocalOrder order(program);
    // finish() reports a cycle within one program. A memory error is kept until objects and cycles are known to be
    // right, because errors of those tell the user more.
    if (order.acyclic() && !data_error_)
      if (auto checked = check_data(program, order); !checked) data_error_ = std::move(checked).error();
    graph_.add(program, order);
    steps_ += order.steps();
    return {};
  }

  Result<> finish(const std::stop_token& stop) {
    FUNCPIPE_TRY_VOID(graph_.link());
    if (stop.stop_requested()) return stopped();
    FUNCPIPE_TRY_VOID(check_cycles());
    if (data_error_) return tl::unexpected<Error>(*data_error_);
    return check_releases(stop);
  }

  std::int64_t operations() const { return graph_.size(); }
  std::int64_t steps() const { return steps_ + graph_.steps(); }

 private:
  static tl::unexpected<Error> stopped() { return fail(ErrorCode::cancelled, "the proof of the programs was stopped"); }

  Result<> check_cycles() {
    const std::vector<int> cycle = graph_.cycle();
    if (cycle.empty()) return {};
    constexpr std::size_t kShown = 12;
    std::string text;
    for (std::size_t i = 0; i < std::min(cycle.size(), kShown); ++i) text += graph_.name(cycle[i]) + " -> ";
    text += cycle.size() > kShown ? fmt::format("... ({} in all) -> ", cycle.size()) : "";
    return fail(ErrorCode::failed, fmt::format("the programs wait in a circle: {}{}", text, graph_.name(cycle[0])));
  }

  // Checks that a release of objects published `age` iterations ago comes after all their consumers on all workers.
  // Nearly always the releasing worker has since received something that the consumer's worker published after it had
  // consumed; two comparisons prove that. Otherwise the dependencies are walked back.
  Result<> check_releases(const std::stop_token& stop) {
    const auto workers = static_cast<std::size_t>(graph_.workers());
    std::vector<int> latest(workers), of_release(workers, -1);
    int heard = -1;  // The release for which `latest` and `of_release` hold.
    // Notes, for each worker from which the releasing worker has received something in the release's iteration, which
    // position its compute lane had certainly reached.
    const auto hear = [&](int release) {
      if (std::exchange(heard, release) == release) return;
      graph_.each_received_before(release, [&](int worker, int position) {
        int& known = latest[static_cast<std::size_t>(worker)];
        const bool again = std::exchange(of_release[static_cast<std::size_t>(worker)], release) == release;
        known = again ? std::max(known, position) : position;
      });
    };
    std::int64_t looks = 0;
    for (const OperationGraph::Release& release : graph_.releases()) {
      if (++looks % kBetweenLooks == 0 && stop.stop_requested()) return stopped();
      const int own = graph_.worker_of(release.op);
      std::optional<OperationGraph::Past> past;
      for (const int object : release.objects)
        for (const int consumer : graph_.consumers(object)) {
          const int worker = graph_.worker_of(consumer);
          if (worker == own && graph_.seen_by(consumer, release.op, release.age)) continue;
          hear(release.op);
          if (of_release[static_cast<std::size_t>(worker)] == release.op &&
              graph_.done_by(consumer, release.age, latest[static_cast<std::size_t>(worker)]))
            continue;
          if (!past) past.emplace(graph_, release.op, release.age);
          if (past->holds(consumer)) continue;
          return tl::unexpected<Error>(graph_.too_early(release, consumer));
        }
    }
    return {};
  }

  std::set<WorkerId> workers_;
  OperationGraph graph_;
  std::optional<Error> data_error_;
  std::int64_t steps_ = 0;
};

ProgramChecker::ProgramChecker() : proof_(std::make_unique<Proof>()) {}
ProgramChecker::~ProgramChecker() = default;
ProgramChecker::ProgramChecker(ProgramChecker&&) noexcept = default;
ProgramChecker& ProgramChecker::operator=(ProgramChecker&&) noexcept = default;

Result<> ProgramChecker::add(const Program& program) {
  return proof_->add(program);
}

Result<> ProgramChecker::finish(const std::stop_token& stop) {
  return proof_->finish(stop);
}

std::int64_t ProgramChecker::operations() const {
  return proof_->operations();
}

std::int64_t ProgramChecker::steps() const {
  return proof_->steps();
}

Result<> check_programs(const std::vector<Program>& programs) {
  ProgramChecker checker;
  for (const Program& program : programs) FUNCPIPE_TRY_VOID(checker.add(program));
  return checker.finish();
}

}  // namespace funcpipe
