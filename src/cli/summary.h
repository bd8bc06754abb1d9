#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "catalog/bill.h"
#include "job/train.h"

namespace funcpipe {

// Returns a table of what each function used and cost. A narrow screen gets only the most important columns.
std::string bill_table(const Bill& bill, const Prices& prices, int width);

// Accuracy per epoch, accidents, the bill, where things are.
std::string results_summary(const TrainResult& result, int width);
// What `train` prints at the end: the results, and what to try next. `program`: how
// funcpipe was called.
std::string summary(const TrainResult& result, const JobConfig& config, const std::string& program,
                    const std::string& job_file, int width);
nlohmann::json summary_json(const TrainResult& result);

}  // namespace funcpipe
