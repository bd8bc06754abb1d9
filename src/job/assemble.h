// Makes the results of a run from its trained weights, if the run could not do it itself.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "job/observer.h"

namespace funcpipe {

struct Assembled {
  std::filesystem::path folder;
  std::string run;
  bool has_bill = false;  // false: the client was killed before it could write one
};

// Makes the results of the latest training of this results folder that finished but lost its client or failed
// afterwards. Then takes the run out of its cloud. Errors: not_found if no run is trained, and those of the cloud.
// After any failure the trained weights stay where they are.
Result<Assembled> assemble(const std::filesystem::path& folder, TrainObserver& observer, std::stop_token stop);

}  // namespace funcpipe
