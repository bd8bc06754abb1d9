#pragma once

#include <string>

#include "base/error.h"
#include "base/units.h"
#include "store/store.h"

namespace funcpipe {

// CPU seconds of this process for a request (the mean of PUT and GET) and for each byte it moves.
struct TransferCost {
  Seconds per_request = 0, per_byte = 0;
};

// Puts and gets objects of 1 KiB and of `large` bytes at `key`, then removes the object.
Result<TransferCost> measure_transfer(Store& store, const std::string& key, Bytes large);

}  // namespace funcpipe
