#include "planner/objective.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "base/check.h"

namespace funcpipe {
namespace {

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || rest != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

tl::unexpected<Error> unknown(const std::string& text) {
  return fail(ErrorCode::invalid_input, fmt::format("not an objective: '{}'", text.substr(0, 80)), {},
              "write balanced, time, cost, deadline=SECONDS, budget=DOLLARS, or ALPHA1,ALPHA2: the weights of dollars "
              "and of seconds");
}

// Writes a number rounded up to three digits, so that a suggested limit can be met.
std::string at_least(double number) {
  const double step = std::pow(10, std::floor(std::log10(std::max(number, 1e-12))) - 2);
  return fmt::format("{:.{}f}", std::ceil(number / step * (1 - 1e-12)) * step,
                     std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))));
}

}  // namespace

Result<Objective> parse_objective(const std::string& text) {
  if (text == "balanced") return Objective{};
  if (text == "time") return Objective{.kind = Objective::Kind::time};
  if (text == "cost") return Objective{.kind = Objective::Kind::cost};
  const std::string_view view = text;
  for (const auto& [prefix, kind] : {std::pair{std::string_view("deadline="), Objective::Kind::deadline},
                                     std::pair{std::string_view("budget="), Objective::Kind::budget}}) {
    if (!view.starts_with(prefix)) continue;
    const auto limit = parse_number(view.substr(prefix.size()));
    if (!limit || *limit <= 0) return unknown(text);
    return Objective{.kind = kind, .limit = *limit};
  }
  const std::size_t comma = view.find(',');
  if (comma == std::string_view::npos) return unknown(text);
  const auto cost = parse_number(view.substr(0, comma)), time = parse_number(view.substr(comma + 1));
  if (!cost || !time || *cost < 0 || *time < 0 || *cost + *time == 0) return unknown(text);
  return Objective{.cost_weight = *cost, .time_weight = *time};
}

Objective with_weights(Objective objective, const std::vector<Outcome>& outcomes) {
  if (objective.kind != Objective::Kind::weighted || objective.cost_weight != 0 || objective.time_weight != 0)
    return objective;
  Dollars least_dollars = std::numeric_limits<double>::infinity();
  Seconds least_seconds = std::numeric_limits<double>::infinity();
  for (const Outcome& outcome : outcomes) {
    least_dollars = std::min(least_dollars, outcome.iteration_dollars);
    least_seconds = std::min(least_seconds, outcome.iteration);
  }
  objective.cost_weight = 1 / std::max(least_dollars, 1e-300);
  objective.time_weight = 1 / std::max(least_seconds, 1e-300);
  return objective;
}

Result<std::size_t> choose(const std::vector<Outcome>& outcomes, const Objective& objective) {
  FUNCPIPE_CHECK(!outcomes.empty(), "a choice among {} plans", outcomes.size());
  const auto least = [&](auto value) {
    const auto smaller = [&](const Outcome& a, const Outcome& b) { return value(a) < value(b); };
    return static_cast<std::size_t>(std::min_element(outcomes.begin(), outcomes.end(), smaller) - outcomes.begin());
  };
  const auto seconds = [](const Outcome& outcome) { return outcome.iteration; };
  const auto dollars = [](const Outcome& outcome) { return outcome.iteration_dollars; };
  switch (objective.kind) {
    case Objective::Kind::time:
      return least(seconds);
    case Objective::Kind::cost:
      return least(dollars);
    case Objective::Kind::weighted: {
      const Objective weights = with_weights(objective, outcomes);
      return least([&](const Outcome& o) {
        return weights.cost_weight * o.iteration_dollars + weights.time_weight * o.iteration;
      });
    }
    case Objective::Kind::deadline: {
      const auto within = least([&](const Outcome& outcome) {
        return outcome.training <= objective.limit ? outcome.dollars : std::numeric_limits<double>::infinity();
      });
      if (outcomes[within].training <= objective.limit) return within;
      const Outcome& fastest = outcomes[least([](const Outcome& outcome) { return outcome.training; })];
      return fail(
          ErrorCode::invalid_input,
          fmt::format("no plan trains within {}: the fastest takes {} and costs {}", format_seconds(objective.limit),
                      format_seconds(fastest.training), format_dollars(fastest.dollars)),
          {}, fmt::format("the nearest deadline that can be met is {}", at_least(fastest.training)));
    }
    case Objective::Kind::budget: {
      const auto within = least([&](const Outcome& outcome) {
        return outcome.dollars <= objective.limit ? outcome.training : std::numeric_limits<double>::infinity();
      });
      if (outcomes[within].dollars <= objective.limit) return within;
      const Outcome& cheapest = outcomes[least([](const Outcome& outcome) { return outcome.dollars; })];
      return fail(
          ErrorCode::invalid_input,
          fmt::format("no plan costs at most {}: the cheapest costs {} and takes {}", format_dollars(objective.limit),
                      format_dollars(cheapest.dollars), format_seconds(cheapest.training)),
          {}, fmt::format("the nearest budget that can be kept is {}", at_least(cheapest.dollars)));
    }
  }
  return std::size_t{0};
}

}  // namespace funcpipe
