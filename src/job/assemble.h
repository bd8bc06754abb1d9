// From trained weights to results, for a run that could not do it itself.
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
  bool has_bill = false;  // else the client was killed before it could write one
};

// Makes the results of a training of this results folder that finished but lost its client, or failed afterwards, and
// takes the run out of its cloud. The latest, if there are several. Errors: not_found (no run is trained), those of the
// cloud; whatever fails leaves the trained weights where they are.
Result<Assembled> assemble(const std::filesystem::path& folder, TrainObserver& observer, std::stop_token stop);

}  // namespace funcpipe
