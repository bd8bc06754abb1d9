// The object-store seam. Implementations: S3 (s3_store.h), memory (memory_store.h), faulty twin (faulty_store.h).
//
// Contract, as S3 gives it: a put is atomic (a key that exists is complete), reads see the last finished put, keys are
// UTF-8 of 1..1024 bytes, list is in byte order. All members are thread-safe and may block up to the store's own
// request time limit; none waits for an object to appear (that is worker/arrival.h's business).
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
enum class PutOutcome { created, already_there };  // already_there only with create_if_absent; content unchanged

struct ByteRange {  // inclusive of first, `size` bytes; must lie inside the object
  Bytes first = 0;
  Bytes size = 0;
};

// Called once, with the number of bytes to come, before they arrive; returns where to put them (at least that many).
// A retried request calls it again.
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

  // Downloads into what `destination` returns. nullopt: no such key (not an error; one billed request).
  // Otherwise the number of bytes written.
  virtual Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                           std::optional<ByteRange> range = {}) = 0;

  virtual Result<std::optional<Bytes>> size(const std::string& key) = 0;  // HEAD

  // Deletes; keys that do not exist are no error. Any number of keys (batched 1,000 to a request).
  virtual Result<> remove(std::span<const std::string> keys) = 0;

  // Every key that starts with `prefix`, paging as needed. For people and clean-up, never for waiting.
  virtual Result<std::vector<ListedObject>> list(const std::string& prefix) = 0;

  // Conveniences over the above.
  Result<PutOutcome> put(const std::string& key, std::string_view text, PutMode mode = PutMode::overwrite);
  Result<std::optional<std::string>> get_text(const std::string& key);
};

// For implementations. invalid_input unless the key has 1..1024 bytes.
Result<> check_key(const std::string& key);

}  // namespace funcpipe
