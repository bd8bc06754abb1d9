// Stores and stops: a request that a stop ends.
#pragma once

#include <memory>
#include <stop_token>

#include "store/store.h"

namespace funcpipe {

// What a store is, besides, that can end a request under way.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  // A view of the store, whose requests end within a second of a stop: cancelled.
  virtual std::unique_ptr<Store> until(std::stop_token stop) = 0;
};

// A view of `store`, which must outlive it: every request ends with `cancelled` once a stop is requested. One that is
// under way ends within a second if the store is Stoppable, else with what it does.
std::unique_ptr<Store> until(Store& store, std::stop_token stop);

}  // namespace funcpipe
