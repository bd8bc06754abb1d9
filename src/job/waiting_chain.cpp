#include "job/waiting_chain.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/files.h"
#include "protocol/job_keys.h"
#include "protocol/waiting_worker.h"

namespace funcpipe {
namespace {

std::optional<WaitingWorker> waits(Store& store, const std::string& prefix, WorkerId worker) {
  // Looks in training and in validation, whose objects have a prefix below.
  for (const std::string& place : {prefix, validation_prefix(prefix)}) {
    const std::string key = waiting_key(place, worker);
    const auto text = store.get_text(key);
    if (!text || !*text) continue;
    const auto json = parse_json(**text, key);
    if (!json) continue;
    if (auto waiting = waiting_worker_from_json(*json, key)) return *waiting;
  }
  return std::nullopt;
}

}  // namespace

std::vector<WorkerId> waiting_chain(Store& store, const std::string& prefix, WorkerId from) {
  auto waiting = waits(store, prefix, from);
  if (!waiting || !waiting->gave_up) return {};
  std::vector<WorkerId> chain{from};
  while (waiting) {
    const bool seen = std::find(chain.begin(), chain.end(), waiting->producer) != chain.end();
    chain.push_back(waiting->producer);
    if (seen) break;
    waiting = waits(store, prefix, waiting->producer);
  }
  return chain;
}

Error tell_chain(Error error, const std::vector<WorkerId>& chain) {
  if (chain.size() < 2) return error;
  std::string who = to_string(chain.front());
  for (std::size_t i = 1; i < chain.size(); ++i)
    who += fmt::format("{} for {}", i == 1 ? " waits" : ", which waits", to_string(chain[i]));
  const WorkerId last = chain.back();
  const bool circle = std::count(chain.begin(), chain.end(), last) > 1;
  error.message = fmt::format(
      "{}{}\n  {}", who,
      circle ? fmt::format(": they wait for each other") : fmt::format(", which waits for nobody and does not go on"),
      error.message);
  error.place = to_string(last);
  error.hint =
      fmt::format("look into the log in which {} says its name; if it is merely slow, raise --training.wait_limit",
                  to_string(last));
  return error;
}

}  // namespace funcpipe
