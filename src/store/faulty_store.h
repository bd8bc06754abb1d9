// A store for tests that passes every operation on to another store and breaks some of them.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/store.h"

namespace funcpipe {

// The faults to inject. Each is a function of (seed, operation, key, how often that operation was asked for that key),
// so threads that run in another order meet the same faults. Each probability (0 to 1) is per operation, and each kind
// of fault is drawn independently.
struct Faults {
  std::uint64_t seed = 1;
  bool first_unavailable = false;  // the first operation of each kind on each key fails, later ones do not
  double unavailable = 0;          // the operation fails with `unavailable` and nothing is done
  double unavailable_after = 0;    // a put or remove is done, then fails with `unavailable`, as if the answer was lost
  double drop = 0;                 // a put reports success and stores nothing
  double corrupt = 0;              // a get has one byte of its result changed
  double delay = 0;                // the operation first waits `longest_delay` times an even draw from 0 to 1
  Seconds longest_delay = 0.05;
  bool quiet = false;  // if false, the constructor prints the seed on standard error
};

struct FaultCounts {
  std::int64_t operations = 0, unavailable = 0, dropped = 0, corrupted = 0, delayed = 0;
};

// Thread-safe if `inner` is. `inner` must outlive this object.
class FaultyStore final : public Store {
 public:
  FaultyStore(Store& inner, Faults faults);

  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                         PutMode mode = PutMode::overwrite) override;
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range = {}) override;
  Result<std::optional<Bytes>> size(const std::string& key) override;
  Result<> remove(std::span<const std::string> keys) override;
  Result<std::vector<ListedObject>> list(const std::string& prefix) override;

  FaultCounts counts() const;

 private:
  enum class Operation : std::uint64_t { put = 1, get, size, remove, list };
  struct Draws {  // what happens to one operation
    bool unavailable, unavailable_after, drop, corrupt;
    Seconds delay;
    std::uint64_t which_byte;
  };
  Draws draw(Operation operation, const std::string& key);
  Result<> before(const Draws& draws, const std::string& key);
  tl::unexpected<Error> unavailable(const std::string& key);

  Store& inner_;
  const Faults faults_;
  SystemClock clock_;
  mutable std::mutex mutex_;
  std::map<std::pair<Operation, std::string>, std::uint64_t> asked_;
  FaultCounts counts_;
};

}  // namespace funcpipe
