#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "catalog/bill.h"
#include "job/train.h"

namespace funcpipe {

// Returns a table of what each function used and cost. A narrow screen gets only the most important columns.
std::string bill_table(const Bill& bill, const Prices& prices, int width);

// Returns what `train` prints at the end: accuracy of each epoch, the bill, where things are, what to try next.
// `program` is the name funcpipe was called by.
std::string summary(const TrainResult& result, const JobConfig& config, const std::string& program,
                    const std::string& job_file, int width);
nlohmann::json summary_json(const TrainResult& result);

}  // namespace funcpipe
