#pragma once

#include <string>

#include "base/error.h"
#include "base/units.h"
#include "store/store.h"

namespace funcpipe {

// CPU seconds that a request takes of this process, on average over PUT and GET, and each byte it moves.
struct TransferCost {
  Seconds per_request = 0, per_byte = 0;
};

// Puts and gets objects of 1 KiB and of `large` bytes at `key`, which is removed again.
Result<TransferCost> measure_transfer(Store& store, const std::string& key, Bytes large);

}  // namespace funcpipe
