#include "store/faulty_store.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/random.h"

namespace funcpipe {
namespace {

// FNV-1a (64 bits). std::hash may differ between machines, and a seed must give the same faults on all of them.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const unsigned char c : text) value = (value ^ c) * 0x100000001b3U;
  return value;
}

double even(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

FaultyStore::FaultyStore(Store& inner, Faults faults) : inner_(inner), faults_(faults) {
  if (!faults_.quiet) fmt::print(stderr, "FaultyStore: repeat these faults with Faults{{.seed = {}}}\n", faults_.seed);
}

FaultyStore::Draws FaultyStore::draw(Operation operation, const std::string& key) {
  std::uint64_t times = 0;
  {
    const std::lock_guard lock(mutex_);
    times = asked_[{operation, key}]++;
    ++counts_.operations;
  }
  const auto bits = [&](std::uint64_t fault) {
    return mix(faults_.seed, {static_cast<std::uint64_t>(operation), hash(key), times, fault});
  };
  Draws draws{};
  draws.unavailable = even(bits(1)) < faults_.unavailable || (faults_.first_unavailable && times == 0);
  draws.unavailable_after = even(bits(2)) < faults_.unavailable_after;
  draws.drop = even(bits(3)) < faults_.drop;
  draws.corrupt = even(bits(4)) < faults_.corrupt;
  draws.delay = even(bits(5)) < faults_.delay ? even(bits(6)) * faults_.longest_delay : 0;
  draws.which_byte = bits(7);
  return draws;
}

tl::unexpected<Error> FaultyStore::unavailable(const std::string& key) {
  const std::lock_guard lock(mutex_);
  ++counts_.unavailable;
  return fail(ErrorCode::unavailable, fmt::format("an injected fault (seed {})", faults_.seed), "faulty:" + key);
}

Result<> FaultyStore::before(const Draws& draws, const std::string& key) {
  if (draws.delay > 0) {
    {
      const std::lock_guard lock(mutex_);
      ++counts_.delayed;
    }
    clock_.sleep_until(clock_.now() + draws.delay);
  }
  if (draws.unavailable) return unavailable(key);
  return {};
}

Result<PutOutcome> FaultyStore::put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) {
  const Draws draws = draw(Operation::put, key);
  FUNCPIPE_TRY_VOID(before(draws, key));
  if (draws.drop) {
    const std::lock_guard lock(mutex_);
    ++counts_.dropped;
    return PutOutcome::created;
  }
  FUNCPIPE_TRY(outcome, inner_.put(key, pieces, mode));
  if (draws.unavailable_after) return unavailable(key);
  return outcome;
}

Result<std::optional<Bytes>> FaultyStore::get(const std::string& key, const Destination& destination,
                                              std::optional<ByteRange> range) {
  const Draws draws = draw(Operation::get, key);
  FUNCPIPE_TRY_VOID(before(draws, key));
  MutableBytes room;
  const auto watched = [&](Bytes size) -> Result<MutableBytes> {
    FUNCPIPE_TRY(given, destination(size));
    room = given;
    return given;
  };
  FUNCPIPE_TRY(bytes, inner_.get(key, watched, range));
  if (draws.corrupt && bytes && *bytes > 0) {
    room[draws.which_byte % static_cast<std::uint64_t>(*bytes)] ^= std::byte{0x10};
    const std::lock_guard lock(mutex_);
    ++counts_.corrupted;
  }
  return bytes;
}

Result<std::optional<Bytes>> FaultyStore::size(const std::string& key) {
  FUNCPIPE_TRY_VOID(before(draw(Operation::size, key), key));
  return inner_.size(key);
}

Result<> FaultyStore::remove(std::span<const std::string> keys) {
  const std::string key = keys.empty() ? std::string() : keys.front();
  const Draws draws = draw(Operation::remove, key);
  FUNCPIPE_TRY_VOID(before(draws, key));
  FUNCPIPE_TRY_VOID(inner_.remove(keys));
  if (draws.unavailable_after) return unavailable(key);
  return {};
}

Result<std::vector<ListedObject>> FaultyStore::list(const std::string& prefix) {
  FUNCPIPE_TRY_VOID(before(draw(Operation::list, prefix), prefix));
  return inner_.list(prefix);
}

FaultCounts FaultyStore::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace funcpipe
