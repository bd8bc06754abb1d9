// The whole comparison: all cells and the further experiments. The same selection and seed give the same figures, with
// any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "comparison/ablation.h"
#include "comparison/all_reduce.h"
#include "comparison/cell.h"
#include "comparison/scaling.h"
#include "comparison/sensitivity.h"

namespace funcpipe {

struct Selection {
  std::vector<std::string> models = {"resnet101", "bert-large", "amoebanet-d18", "amoebanet-d36"};
  std::vector<int> batches = {16, 64, 256};
  std::vector<std::string> platforms = {"aws-lambda-70MBps", "aws-lambda-3gbit", "alibaba-fc"};
  std::uint64_t seed = 1;
  int threads = 0;  // Threads that compute cells and experiments; 0 means one per processor.
};

struct Breakdown {
  System system = System::ours;
  Shares shares;
};
struct CellBreakdown {
  std::size_t cell = 0;  // Index in Comparison::cells.
  std::vector<Breakdown> systems;
};

struct Comparison {
  Selection selection;
  std::vector<Ground> grounds;  // [platform * models + model]
  std::vector<Cell> cells;      // By platform, model and batch.
  // For the plans of least seconds x dollars at the middle batch.
  std::vector<CellBreakdown> breakdowns;
  std::vector<AllReduceCurves> all_reduce;  // By platform.
  std::vector<Scaling> scaling;             // By model; on the first platform, with plans for the largest batch.
  std::vector<Ablation> ablations;          // By platform and model; at the middle batch.
  std::vector<Sensitivity> sensitivities;   // By model; on the first platform, at the middle batch.

  const Cell& cell(std::size_t platform, std::size_t model, std::size_t batch) const {
    return cells[(platform * selection.models.size() + model) * selection.batches.size() + batch];
  }
  const Ground& ground(std::size_t platform, std::size_t model) const {
    return grounds[platform * selection.models.size() + model];
  }
  std::size_t middle_batch() const { return selection.batches.size() / 2; }  // Index in Selection::batches.
};

// Called by several threads, but never by two at once.
using ComparisonProgress = std::function<void(int done, int all)>;

// Computes everything. Errors: not_found if a model or a platform does not exist; invalid_input; cancelled.
Result<Comparison> run_comparison(const Selection& selection, std::stop_token stop,
                                  const ComparisonProgress& progress = {});

}  // namespace funcpipe
