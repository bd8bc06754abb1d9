#include "comparison/cell.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

constexpr std::size_t kPlayed = 9, kPlayedOfOurs = 40;  // Most plans of a frontier that are simulated.
constexpr double kRounding = 1 + 1e-9;

template <class List, class Value>
std::size_t least(const List& list, const Value& value) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < list.size(); ++i)
    if (value(list[i]) < value(list[best])) best = i;
  return best;
}

bool same(const Plan& a, const Plan& b) {
  return to_json(a) == to_json(b);
}

// The figures of a plan by which the best ones are chosen.
struct Said {
  Seconds seconds;
  Dollars dollars;
};

void choose_best(SystemResult& result, const std::vector<Said>& said) {
  result.fastest = least(said, [](const Said& one) { return one.seconds; });
  result.cheapest = least(said, [](const Said& one) { return one.dollars; });
  result.between = least(said, [](const Said& one) { return one.seconds * one.dollars; });
}

}  // namespace

std::string_view name_of(Aim aim) {
  return aim == Aim::time ? "time" : aim == Aim::cost ? "cost" : "between";
}

const SystemResult* Cell::best(Aim aim, const std::function<bool(System)>& eligible) const {
  const SystemResult* best = nullptr;
  const auto value = [&](const SystemResult& one) {
    const PlayedPlan& plan = one.at(aim);
    return aim == Aim::time ? plan.seconds : aim == Aim::cost ? plan.dollars : plan.product();
  };
  for (const SystemResult& one : systems)
    if (eligible(one.system) && one.feasible() && (!best || value(one) < value(*best))) best = &one;
  return best;
}

bool Cell::ours_covers_published() const {
  const SystemResult &published = of(System::published), &ours = of(System::ours);
  if (!published.feasible()) return true;
  return std::ranges::all_of(kAims, [&](Aim aim) {
    const PlayedPlan& theirs = published.at(aim);
    return std::ranges::any_of(ours.played, [&](const PlayedPlan& one) {
      return one.seconds <= theirs.seconds * kRounding && one.dollars <= theirs.dollars * kRounding;
    });
  });
}

std::vector<Proposal> shortlist(const std::vector<Proposal>& frontier, std::size_t most) {
  if (frontier.size() <= most) return frontier;
  std::set<std::size_t> taken = {0, frontier.size() - 1,
                                 least(frontier, [](const Proposal& one) { return one.seconds * one.dollars; })};
  // Adds plans between them at even ratios of seconds, by halving the gaps. Square roots are the same on every machine.
  std::vector<Seconds> marks = {frontier.front().seconds, frontier.back().seconds};
  while (taken.size() < most && marks.size() <= frontier.size()) {
    std::vector<Seconds> finer;
    for (std::size_t i = 0; i + 1 < marks.size(); ++i) {
      const Seconds mark = std::sqrt(marks[i] * marks[i + 1]);
      finer.insert(finer.end(), {marks[i], mark});
      if (taken.size() == most) continue;
      taken.insert(
          least(frontier, [&](const Proposal& one) { return std::max(one.seconds / mark, mark / one.seconds); }));
    }
    finer.push_back(marks.back());
    marks = std::move(finer);
  }
  std::vector<Proposal> list;
  list.reserve(taken.size());
  for (const std::size_t i : taken) list.push_back(frontier[i]);
  return list;
}

Result<SystemResult> played_system(System system, const Ground& ground, int batch, std::vector<Proposal> frontier,
                                   bool by_prediction, std::stop_token stop) {
  SystemResult result{.system = system};
  std::vector<Said> said;
  for (const Proposal& proposal : shortlist(frontier, system == System::ours ? kPlayedOfOurs : kPlayed)) {
    auto played = play(ground, batch, proposal, stop);
    if (!played) {
      if (played.error().code == ErrorCode::cancelled) return tl::unexpected(std::move(played.error()));
      result.refused = played.error().message;
      ++result.refusals;
      continue;
    }
    said.push_back(by_prediction ? Said{proposal.seconds, proposal.dollars} : Said{played->seconds, played->dollars});
    result.played.push_back(std::move(*played));
  }
  if (!said.empty()) choose_best(result, said);
  result.frontier = std::move(frontier);
  return result;
}

Result<Cell> compare(const Ground& ground, int batch, std::stop_token stop) {
  Cell cell{.model = ground.model, .platform = ground.platform.name, .batch = batch};
  for (const System system : kSystems) {
    FUNCPIPE_TRY(frontier, proposals(system, ground, batch, stop));
    FUNCPIPE_TRY(result, played_system(system, ground, batch, std::move(frontier), system == System::published, stop));
    cell.systems.push_back(std::move(result));
  }
  // The plans that FuncPipe as published chooses are in our search space too. If our formulas have missed that they are
  // better than our own, the simulator shows it, and they are added.
  SystemResult& ours = cell.systems.back();
  const SystemResult& published = cell.of(System::published);
  if (!cell.ours_covers_published()) {
    for (const Aim aim : kAims) {
      const PlayedPlan& theirs = published.at(aim);
      if (std::ranges::any_of(ours.played, [&](const PlayedPlan& one) { return same(one.plan, theirs.plan); }))
        continue;
      ours.played.push_back(theirs);
      ++ours.borrowed;
    }
    std::vector<Said> said;
    for (const PlayedPlan& one : ours.played) said.push_back({one.seconds, one.dollars});
    choose_best(ours, said);
  }
  return cell;
}

}  // namespace funcpipe
