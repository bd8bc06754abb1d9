// ./dev bench plan: how long exact planning takes, how that grows, what merging layers loses, and how long an
// integer-programming solver takes for one plan. ./dev bench rivals: by how much plans beat those of other planners.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "bench/rivals.h"
#include "planner/merge.h"
#include "planner/milp.h"
#include "planner/random_chain.h"

namespace funcpipe {
namespace {

struct Timed {
  Frontier frontier;
  SearchStatistics statistics;
  Seconds cpu = 0, wall = 0;
};

template <class Work>
std::pair<Seconds, Seconds> time_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  work();
  return {static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC,
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

SearchSpace space_of(int batch, int most_replicas) {
  SearchSpace space{.global_batch = batch};
  for (int replicas = 1; replicas <= most_replicas; ++replicas) space.replicas.push_back(replicas);
  return space;
}

Timed plan(const Chain& chain, int batch, int most_replicas = 32) {
  Timed timed;
  const SearchSpace space = space_of(batch, most_replicas);
  std::tie(timed.cpu, timed.wall) = time_of([&] { timed.frontier = optimize({chain}, space, &timed.statistics); });
  return timed;
}

Chain chain_of(int layers, int options) {
  std::mt19937_64 random(1);
  return smooth_chain(random, layers, options);
}

void heading(const std::string& columns) {
  fmt::print("\n{}\n", columns);
  for (const char c : columns) std::putchar(c == '|' ? '|' : '-');
  std::putchar('\n');
}

void frontier_row(const std::string& what, const Timed& timed) {
  fmt::print("| {:<26} | {:>7.3f} | {:>8.3f} | {:>6} | {:>14} | {:>9} |\n", what, timed.cpu, timed.wall,
             timed.frontier.points().size(), timed.statistics.configurations, timed.statistics.kept);
  std::fflush(stdout);
}

constexpr const char* kFrontierColumns =
    "| chain, batch               |   CPU s |   wall s | points | configurations | labels    |";

void complete_frontiers() {
  heading(kFrontierColumns);
  const Chain chain = chain_of(304, 8);
  for (const int batch : {64, 256}) {
    frontier_row(fmt::format("merged to 30, batch {}", batch), plan(merge_layers(chain, 30).chain, batch));
    frontier_row(fmt::format("304 layers, batch {}", batch), plan(chain, batch));
  }
}

void growth() {
  heading(kFrontierColumns);
  for (const int layers : {15, 30, 60, 120, 240})
    frontier_row(fmt::format("{} layers", layers), plan(chain_of(layers, 8), 64));
  for (const int options : {1, 2, 4, 8})
    frontier_row(fmt::format("120 layers, {} options", options), plan(chain_of(120, options), 64));
  for (const int replicas : {1, 4, 16, 32})
    frontier_row(fmt::format("120 layers, replicas to {}", replicas), plan(chain_of(120, 8), 256, replicas));
}

void merging() {
  heading("| layers | CPU s   | fastest slower by | dearer at equal time: mean | worst  |");
  const Chain chain = chain_of(304, 8);
  const Frontier whole = plan(chain, 64).frontier;
  for (const int layers : {10, 20, 30, 60, 100}) {
    const Timed merged = plan(merge_layers(chain, layers).chain, 64);
    double sum = 0, worst = 0;
    for (const Candidate& point : merged.frontier.points()) {
      const double loss = point.dollars / whole.cheapest_within(point.period * (1 + 1e-9)) - 1;
      sum += loss;
      worst = std::max(worst, loss);
    }
    fmt::print("| {:>6} | {:>7.3f} | {:>16.2f}% | {:>25.2f}% | {:>5.2f}% |\n", layers, merged.cpu,
               100 * (merged.frontier.points().front().period / whole.points().front().period - 1),
               100 * sum / static_cast<double>(merged.frontier.points().size()), 100 * worst);
  }
}

void solver() {
  heading(
      "| layers | options | binaries | solver, fastest plan: CPU s | solver, a middle plan | search, whole frontier | "
      "same |");
  for (const auto& [layers, options] : {std::pair{8, 4}, {12, 4}, {12, 8}, {20, 8}, {30, 8}}) {
    const Chain chain = chain_of(layers, options);
    SearchSpace space{.global_batch = 64, .replicas = {4}, .syncs = {SyncAlgorithm::pipelined}};
    Frontier frontier;
    const Seconds search = time_of([&] { frontier = optimize({chain}, space); }).first;
    const std::vector<Chain> chains = {chain};
    const PlanProgram program(chains, space.accounting, {.configuration = {16, 4, SyncAlgorithm::pipelined}});
    std::optional<Candidate> fastest;
    const Seconds seconds = time_of([&] { fastest = program.fastest(0, kInfinity); }).first;
    // The cheaper neighbour of the frontier's middle point.
    const Candidate& middle = frontier.points()[frontier.points().size() / 2];
    const Seconds next = time_of([&] { (void)program.fastest(middle.period, middle.dollars * (1 - 1e-5)); }).first;
    const bool same = fastest && std::abs(fastest->period / frontier.points().front().period - 1) < 1e-6;
    fmt::print("| {:>6} | {:>7} | {:>8} | {:>27.2f} | {:>21.2f} | {:>22.4f} | {:>4} |\n", layers, options,
               program.binaries(), seconds, next, search, same ? "yes" : "NO");
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace funcpipe

int main(int count, char** arguments) {
  using namespace funcpipe;
  const std::string_view name = count > 1 ? arguments[1] : "plan";
  if (name == "rivals") return bench_rivals({arguments + 2, arguments + count});
  fmt::print(
      "Complete frontiers: 8 function sizes, replicas 1 to 32, both synchronisation algorithms; micro-batch 4.\n");
  complete_frontiers();
  fmt::print(
      "\nGrowth. Unless said otherwise: 8 function sizes, replicas 1 to 32, batch 64 (in the last four rows 256).\n");
  growth();
  fmt::print("\nMerging 304 layers, batch 64.\n");
  merging();
  fmt::print("\nAgainst the solver CBC: one configuration (batch 64, 4 replicas, pipelined scatter-reduce).\n");
  solver();
  return 0;
}
