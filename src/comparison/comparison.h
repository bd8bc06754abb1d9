// The whole comparison: all cells, and what is looked at beside them. The same selection and seed give the same
// figures, whatever the number of threads.
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
  int threads = 0;  // 0: as many as there are processors
};

struct Breakdown {
  System system = System::ours;
  Shares shares;
};
struct CellBreakdown {
  std::size_t cell = 0;  // in Comparison::cells
  std::vector<Breakdown> systems;
};

struct Comparison {
  Selection selection;
  std::vector<Ground> grounds;  // [platform * models + model]
  std::vector<Cell> cells;      // by platform, model, batch
  // Of the plans of least seconds x dollars, at the middle batch.
  std::vector<CellBreakdown> breakdowns;
  std::vector<AllReduceCurves> all_reduce;  // by platform
  std::vector<Scaling> scaling;             // by model, on the first platform, of plans at the largest batch
  std::vector<Ablation> ablations;          // by platform, model; at the middle batch
  std::vector<Sensitivity> sensitivities;   // by model, on the first platform; at the middle batch

  const Cell& cell(std::size_t platform, std::size_t model, std::size_t batch) const {
    return cells[(platform * selection.models.size() + model) * selection.batches.size() + batch];
  }
  const Ground& ground(std::size_t platform, std::size_t model) const {
    return grounds[platform * selection.models.size() + model];
  }
  std::size_t middle_batch() const { return selection.batches.size() / 2; }  // index
};

// Called from one thread at a time.
using ComparisonProgress = std::function<void(int done, int all)>;

// Errors: not_found (a model or platform that there is not), invalid_input, cancelled.
Result<Comparison> run_comparison(const Selection& selection, std::stop_token stop,
                                  const ComparisonProgress& progress = {});

}  // namespace funcpipe
