#include "comparison/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

using Task = std::function<Result<>()>;

// Runs all tasks, each of which writes to a place of its own. Returns the error of the first task that has one.
Result<> run_all(const std::vector<Task>& tasks, int threads, const std::stop_token& stop,
                 const std::function<void()>& done_one) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::optional<Error>> errors(tasks.size());
  std::mutex reporting;
  {
    std::vector<std::jthread> pool;
    pool.reserve(static_cast<std::size_t>(threads));
    for (int i = 0; i < threads; ++i)
      pool.emplace_back([&] {
        for (std::size_t mine = next++; mine < tasks.size() && !stop.stop_requested(); mine = next++) {
          const auto done = tasks[mine]();
          if (!done) {
            errors[mine] = done.error();
            next = tasks.size();
          }
          const std::scoped_lock lock(reporting);
          done_one();
        }
      });
  }
  for (std::optional<Error>& error : errors)
    if (error) return tl::unexpected(std::move(*error));
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
  return {};
}

Result<> break_down(Comparison& comparison, CellBreakdown& breakdown, std::size_t ground, std::stop_token stop) {
  const Cell& cell = comparison.cells[breakdown.cell];
  for (const SystemResult& system : cell.systems) {
    if (!system.feasible()) continue;
    FUNCPIPE_TRY(shares, shares_of(comparison.grounds[ground], cell.batch, system.at(Aim::between).plan, stop));
    breakdown.systems.push_back({system.system, shares});
  }
  return {};
}

}  // namespace

Result<Comparison> run_comparison(const Selection& selection, std::stop_token stop,
                                  const ComparisonProgress& progress) {
  Comparison comparison{.selection = selection};
  const std::size_t models = selection.models.size(), batches = selection.batches.size();
  std::set<std::string> names;
  for (const std::string& model : selection.models)
    if (const std::string name = fs::path(model).stem().string(); !names.insert(name).second)
      return fail(ErrorCode::invalid_input, fmt::format("two models are called {}", name), model,
                  "results go by the names of files: rename one");
  const std::size_t grounds = selection.platforms.size() * models;
  for (const std::string& platform : selection.platforms)
    for (const std::string& model : selection.models) {
      FUNCPIPE_TRY(ground, load_ground(model, platform));
      ground.seed = selection.seed;
      comparison.grounds.push_back(std::move(ground));
    }
  const std::size_t middle = comparison.middle_batch();
  comparison.cells.resize(grounds * batches);
  comparison.breakdowns.resize(grounds);
  comparison.ablations.resize(grounds);
  comparison.all_reduce.resize(selection.platforms.size());
  comparison.scaling.resize(models);
  comparison.sensitivities.resize(models);

  // The cells come first, the longest ones at the beginning; then the experiments that use their plans.
  std::vector<Task> cells, others;
  for (std::size_t b = batches; b-- > 0;)
    for (std::size_t g = 0; g < grounds; ++g)
      cells.emplace_back([&, b, g]() -> Result<> {
        FUNCPIPE_TRY(cell, compare(comparison.grounds[g], selection.batches[b], stop));
        comparison.cells[g * batches + b] = std::move(cell);
        return {};
      });
  for (std::size_t m = 0; m < models; ++m) {
    others.emplace_back([&, m]() -> Result<> {
      FUNCPIPE_TRY(one, scaling(comparison.grounds[m], comparison.cells[m * batches + batches - 1], stop));
      comparison.scaling[m] = std::move(one);
      return {};
    });
    Sensitivity& sensitivity = comparison.sensitivities[m];
    sensitivity = {.model = comparison.grounds[m].model,
                   .platform = comparison.grounds[m].platform.name,
                   .batch = selection.batches[middle],
                   .rows = std::vector<SensitivityRow>(std::size(kNetworks))};
    for (std::size_t i = 0; i < std::size(kNetworks); ++i)
      others.emplace_back([&, m, i]() -> Result<> {
        FUNCPIPE_TRY(row, with_network(comparison.grounds[m], selection.batches[middle], kNetworks[i], stop));
        comparison.sensitivities[m].rows[i] = std::move(row);
        return {};
      });
  }
  for (std::size_t g = 0; g < grounds; ++g) {
    others.emplace_back([&, g]() -> Result<> {
      FUNCPIPE_TRY(one, ablation(comparison.grounds[g], selection.batches[middle], stop));
      comparison.ablations[g] = std::move(one);
      return {};
    });
    others.emplace_back([&, g]() -> Result<> {
      comparison.breakdowns[g].cell = g * batches + middle;
      return break_down(comparison, comparison.breakdowns[g], g, stop);
    });
  }
  for (std::size_t p = 0; p < selection.platforms.size(); ++p)
    others.emplace_back([&, p]() -> Result<> {
      FUNCPIPE_TRY(curves, all_reduce_curves(comparison.grounds[p * models], stop));
      comparison.all_reduce[p] = std::move(curves);
      return {};
    });

  const int threads =
      selection.threads > 0 ? selection.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int all = static_cast<int>(cells.size() + others.size());
  int done = 0;
  const auto count = [&] {
    if (progress) progress(++done, all);
  };
  FUNCPIPE_TRY_VOID(run_all(cells, threads, stop, count));
  FUNCPIPE_TRY_VOID(run_all(others, threads, stop, count));
  return comparison;
}

}  // namespace funcpipe
