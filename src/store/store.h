// The interface to object stores. Implementations: S3 (s3_store.h), memory (memory_store.h), and one that injects
// faults (faulty_store.h).
//
// The contract is S3's. A put is atomic: a key that exists is complete. A read sees the last finished put. Keys are
// UTF-8 of 1 to 1024 bytes. A list is in the order of the keys' bytes. All members are thread-safe. Each may block up
// to the store's own limit of a request's time. None waits for an object to appear; worker/arrival.h does that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

enum class PutMode { overwrite, create_if_absent };
enum class PutOutcome { created, already_there };  // already_there: only with create_if_absent; the object is unchanged

struct ByteRange {  // The `size` bytes from `first` on. The range must lie inside the object.
  Bytes first = 0;
  Bytes size = 0;
};

// Called with the number of bytes to come before they arrive. Returns where to put them (at least that much memory). It
// is called once per try, so a repeated request calls it again.
using Destination = std::function<Result<MutableBytes>(Bytes size)>;

struct ListedObject {
  std::string key;
  Bytes size = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // Uploads the concatenation of `pieces`.
  virtual Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                                 PutMode mode = PutMode::overwrite) = 0;

  // Downloads into what `destination` returns. Returns the number of bytes written, or nullopt if there is no such key,
  // which is not an error and one billed request.
  virtual Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                           std::optional<ByteRange> range = {}) = 0;

  virtual Result<std::optional<Bytes>> size(const std::string& key) = 0;  // a HEAD request; nullopt: no such key

  // Deletes any number of keys, 1,000 in each request. A key that does not exist is no error.
  virtual Result<> remove(std::span<const std::string> keys) = 0;

  // Returns every object whose key starts with `prefix`, over as many pages as needed. Programs must not poll with it
  // to wait for an object.
  virtual Result<std::vector<ListedObject>> list(const std::string& prefix) = 0;

  // These are conveniences over the functions above.
  Result<PutOutcome> put(const std::string& key, std::string_view text, PutMode mode = PutMode::overwrite);
  Result<std::optional<std::string>> get_text(const std::string& key);
};

// Used by implementations. Errors: invalid_input unless the key has 1 to 1024 bytes.
Result<> check_key(const std::string& key);

}  // namespace funcpipe
