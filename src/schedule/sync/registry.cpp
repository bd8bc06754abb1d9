#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {
namespace sync {
const SyncTraits& pipelined();
const SyncTraits& three_phase();
const SyncTraits& two_level();
const SyncTraits& parameter_server();
}  // namespace sync

std::span<const SyncTraits* const> sync_algorithms() {
  static const std::array kAll{&sync::pipelined(), &sync::three_phase(), &sync::two_level(), &sync::parameter_server()};
  return kAll;
}

const SyncTraits& traits(SyncAlgorithm algorithm) {
  const auto all = sync_algorithms();
  const auto found = std::ranges::find(all, algorithm.name(), &SyncTraits::name);
  FUNCPIPE_CHECK(found != all.end(), "synchronisation {}", algorithm.name());
  return **found;
}

std::vector<SyncAlgorithm> searched_algorithms() {
  std::vector<SyncAlgorithm> searched;
  for (const SyncTraits* const algorithm : sync_algorithms())
    if (algorithm->searched) searched.emplace_back(algorithm->name);
  return searched;
}

Result<SyncAlgorithm> parse_sync_algorithm(std::string_view text) {
  std::vector<std::string_view> names;
  for (const SyncTraits* const algorithm : sync_algorithms()) {
    if (algorithm->name == text) return SyncAlgorithm(algorithm->name);
    names.push_back(algorithm->name);
  }
  return fail(ErrorCode::invalid_input, fmt::format("unknown synchronisation \"{}\"", text), {},
              fmt::format("choose one of {}", fmt::join(names, ", ")));
}

}  // namespace funcpipe
