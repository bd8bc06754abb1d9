// Goes on with a training whose client ended before it did.
#pragma once

#include <filesystem>
#include <stop_token>

#include "base/error.h"
#include "job/observer.h"
#include "job/train.h"

namespace funcpipe {

// Takes up the latest run of this results folder that was broken off: its client was killed or stopped, its machine or
// its cloud went down, its job failed. Every worker begins from its newest snapshot, so the weights are those of a run
// that was never broken off. The bill goes on from what the former
// client noted last. Errors: not_found (no run of the folder was broken off, or
// it was before its data were published); already_exists (its training is finished, and `funcpipe assemble` makes the
// results); those of train().
Result<TrainResult> resume(const std::filesystem::path& folder, TrainObserver& observer, std::stop_token stop);

}  // namespace funcpipe
