#include "planner/alternatives.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

namespace funcpipe {
namespace {

constexpr double kWorthSaying = 0.01;  // Least difference worth a sentence, as a share of the time.

// Returns "4.1% faster and 2.0% dearer".
std::string compared(const Candidate& changed, const Candidate& point) {
  const auto difference = [](double value, double reference, const char* more, const char* less) {
    const double share = value / reference - 1;
    return std::abs(share) < 5e-4 ? std::string()
                                  : fmt::format("{:.1f}% {}", 100 * std::abs(share), share > 0 ? more : less);
  };
  const std::string time = difference(changed.period, point.period, "slower", "faster");
  const std::string price = difference(changed.dollars, point.dollars, "dearer", "cheaper");
  if (time.empty()) return price.empty() ? "the same" : price;
  return time + (price.empty() ? " at the same price" : " and " + price);
}

bool is_larger(const ChainOption& option, const ChainOption& than) {
  return option.memory_mb > than.memory_mb || (option.memory_mb == than.memory_mb && option.vcpus > than.vcpus);
}

std::optional<std::string> larger_function(const PlanningTask& task, const Chain& chain, const Candidate& point) {
  const SpanTable spans(chain);
  const StageCosts costs(chain, spans, point.configuration, task.accounting);
  std::optional<Candidate> best;
  std::size_t stage = 0;
  for (std::size_t k = 0; k < point.options.size(); ++k) {
    const int first = k == 0 ? 0 : point.ends[k - 1];
    for (int option = 0; option < std::ssize(chain.options); ++option) {
      if (!is_larger(chain.options[option], chain.options[point.options[k]])) continue;
      if (!costs.fits(first, point.ends[k], option)) continue;
      Candidate changed = point;
      changed.options[k] = option;
      evaluate(chain, spans, task.accounting, changed);
      const Seconds limit = best ? best->period : point.period * (1 - kWorthSaying);
      if (changed.period >= limit * (1 - Frontier::kTolerance)) continue;
      best = std::move(changed);
      stage = k;
    }
  }
  if (!best) return std::nullopt;
  return fmt::format("with {} instead of {} for stage {} an iteration is {}",
                     in_words(chain.options[best->options[stage]].choice()),
                     in_words(chain.options[point.options[stage]].choice()), stage, compared(*best, point));
}

}  // namespace

std::vector<std::string> alternatives(const PlanningTask& task, const Chain& chain, const PlannedPoint& point) {
  std::vector<std::string> lines;
  if (auto line = larger_function(task, chain, point.candidate)) lines.push_back(std::move(*line));
  for (const std::string& name : platform_names()) {
    const auto platform = load_platform(name);
    // Skips platforms that are this machine without a cloud's limits.
    if (name == task.platform.name || !platform || !platform->limit_memory || !platform->limit_cpu) continue;
    PlanningTask there{task.profile, *platform, task.state, task.global_batch};
    there.accounting = task.accounting;
    there.connections = task.connections;
    const auto judged = judge(there, point.plan);
    if (!judged) continue;
    const Candidate& same = judged->point.candidate;
    if (std::abs(same.period / point.candidate.period - 1) < kWorthSaying) continue;
    lines.push_back(fmt::format("on {} the same plan is {}", name, compared(same, point.candidate)));
  }
  return lines;
}

}  // namespace funcpipe
