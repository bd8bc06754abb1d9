// Views of a store whose requests end when a stop is requested.
#pragma once

#include <memory>
#include <stop_token>

#include "store/store.h"

namespace funcpipe {

// A store that can end a request under way implements this interface, too.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  // Returns a view of the store. Its requests end with `cancelled` within a second of a stop.
  virtual std::unique_ptr<Store> until(std::stop_token stop) = 0;
};

// Returns a view of `store`, which must outlive the view. Once a stop is requested, new requests fail with `cancelled`.
// A request under way ends within a second if the store is Stoppable; otherwise it runs to its end.
std::unique_ptr<Store> until(Store& store, std::stop_token stop);

}  // namespace funcpipe
