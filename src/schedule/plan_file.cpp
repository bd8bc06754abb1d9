// Plans are read strictly: an unknown key is an error.
#include "schedule/plan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/nearest.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {
namespace {

using nlohmann::json;

struct Key {
  std::string name;
  bool required;
};

Result<> check_keys(const json& object, const std::vector<Key>& keys, const std::string& place) {
  if (!object.is_object()) {
    return fail(ErrorCode::invalid_input, fmt::format("expected an object, found {}", object.type_name()), place);
  }
  for (const auto& item : object.items()) {
    const std::string& found = item.key();
    if (std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return key.name == found; })) continue;
    const std::string word = found.substr(0, 64);
    std::vector<std::string> names;
    names.reserve(keys.size());
    for (const Key& key : keys) names.push_back(key.name);
    const std::string meant = nearest(word, names);
    return fail(ErrorCode::invalid_input, fmt::format("unknown key \"{}\"", word), place,
                meant.empty() ? fmt::format("known keys: {} (docs/formats/plan.md)", fmt::join(names, ", "))
                              : fmt::format("the nearest known key is \"{}\" (docs/formats/plan.md)", meant));
  }
  for (const Key& key : keys) {
    if (key.required && !object.contains(key.name)) {
      return fail(ErrorCode::invalid_input, fmt::format("key \"{}\" is missing", key.name), place,
                  "docs/formats/plan.md lists the keys of a plan");
    }
  }
  return {};
}

Result<int> read_int(const json& object, const char* key, int least, const std::string& place) {
  const json& value = object.at(key);
  constexpr int kMost = std::numeric_limits<int>::max();
  const bool whole = value.is_number_integer();
  const bool fits = whole && (value.is_number_unsigned() ? value.get<std::uint64_t>() <= std::uint64_t{kMost}
                                                         : value.get<std::int64_t>() <= kMost);
  if (!fits || value.get<std::int64_t>() < least) {
    return fail(ErrorCode::invalid_input,
                fmt::format("\"{}\" must be a whole number from {} to {}, found {}", key, least, kMost,
                            value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 40)),
                place);
  }
  return value.get<int>();
}

Result<Bytes> read_bytes(const json& object, const char* key, const std::string& place) {
  const json& value = object.at(key);
  constexpr std::int64_t kMost = std::int64_t{1} << 50;
  const bool whole = value.is_number_integer() &&
                     (!value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMost));
  if (!whole || value.get<std::int64_t>() < 0 || value.get<std::int64_t>() > kMost)
    return fail(ErrorCode::invalid_input, fmt::format("\"{}\" must be a number of bytes", key), place);
  return value.get<std::int64_t>();
}

Result<double> read_vcpus(const json& object, const char* key, const std::string& place) {
  const json& value = object.at(key);
  constexpr double kMost = 1e4;
  if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= kMost))
    return fail(ErrorCode::invalid_input, fmt::format("\"{}\" must be a number of vCPUs, from 0 to {}", key, kMost),
                place);
  return value.get<double>();
}

Result<std::string> read_text(const json& object, const char* key, const std::string& place) {
  const json& value = object.at(key);
  if (!value.is_string()) {
    return fail(ErrorCode::invalid_input, fmt::format("\"{}\" must be a text, found {}", key, value.type_name()),
                place);
  }
  return value.get<std::string>();
}

template <class T>
Result<T> at_place(Result<T> result, const std::string& place) {
  if (!result) result.error().place = place;
  return result;
}

Result<StagePlan> stage_from_json(const json& value, const std::string& place) {
  FUNCPIPE_TRY_VOID(check_keys(value,
                               {{"first_layer", true},
                                {"end_layer", true},
                                {"memory_mb", false},
                                {"vcpus", false},
                                {"threads", false},
                                {"peak_bytes", false}},
                               place));
  StagePlan stage;
  FUNCPIPE_TRY(first, read_int(value, "first_layer", 0, place));
  FUNCPIPE_TRY(end, read_int(value, "end_layer", 1, place));
  stage.first_layer = first;
  stage.end_layer = end;
  if (value.contains("memory_mb")) {
    FUNCPIPE_TRY(memory, read_int(value, "memory_mb", 0, place));
    stage.memory_mb = memory;
  }
  if (value.contains("vcpus")) {
    FUNCPIPE_TRY(vcpus, read_vcpus(value, "vcpus", place));
    stage.vcpus = vcpus;
  }
  if (value.contains("threads")) {
    FUNCPIPE_TRY(threads, read_int(value, "threads", 0, place));
    stage.threads = threads;
  }
  if (value.contains("peak_bytes")) {
    FUNCPIPE_TRY(peak, read_bytes(value, "peak_bytes", place));
    stage.peak_bytes = peak;
  }
  return stage;
}

}  // namespace

json to_json(const Plan& plan) {
  json stages = json::array();
  for (const StagePlan& stage : plan.stages) {
    stages.push_back(
        {{"first_layer", stage.first_layer}, {"end_layer", stage.end_layer}, {"memory_mb", stage.memory_mb}});
    if (stage.vcpus > 0) stages.back()["vcpus"] = stage.vcpus;
    if (stage.threads > 0) stages.back()["threads"] = stage.threads;
    if (stage.peak_bytes > 0) stages.back()["peak_bytes"] = stage.peak_bytes;
  }
  json value{{"version", Plan::kVersion},
             {"model", plan.model},
             {"fingerprint", plan.fingerprint},
             {"stages", std::move(stages)},
             {"replicas", plan.replicas},
             {"global_batch", plan.global_batch},
             {"micro_batch", plan.micro_batch},
             {"order", std::string(to_string(plan.order))},
             {"sync", std::string(to_string(plan.sync))}};
  if (!plan.server.empty()) value["server"] = plan.server;
  return value;
}

Result<Plan> plan_from_json(const json& value, const std::string& place) {
  FUNCPIPE_TRY_VOID(check_keys(value,
                               {{"version", true},
                                {"model", true},
                                {"fingerprint", false},
                                {"stages", true},
                                {"replicas", false},
                                {"global_batch", true},
                                {"micro_batch", true},
                                {"order", false},
                                {"sync", false},
                                {"server", false}},
                               place));
  FUNCPIPE_TRY(version, read_int(value, "version", 0, place));
  if (version != Plan::kVersion) {
    return fail(ErrorCode::invalid_input,
                fmt::format("plan format version {}, this program reads version {}", version, Plan::kVersion), place,
                "write the plan again with this version of funcpipe");
  }
  Plan plan;
  FUNCPIPE_TRY(model, read_text(value, "model", place));
  plan.model = std::move(model);
  if (value.contains("fingerprint")) {
    FUNCPIPE_TRY(fingerprint, read_text(value, "fingerprint", place));
    plan.fingerprint = std::move(fingerprint);
  }
  const json& stages = value.at("stages");
  if (!stages.is_array() || stages.empty()) {
    return fail(ErrorCode::invalid_input, "\"stages\" must be a list of at least one stage", place);
  }
  for (std::size_t k = 0; k < stages.size(); ++k) {
    FUNCPIPE_TRY(stage, stage_from_json(stages[k], fmt::format("{}: stage {}", place, k)));
    plan.stages.push_back(stage);
  }
  if (value.contains("replicas")) {
    FUNCPIPE_TRY(replicas, read_int(value, "replicas", 1, place));
    plan.replicas = replicas;
  }
  FUNCPIPE_TRY(global_batch, read_int(value, "global_batch", 1, place));
  FUNCPIPE_TRY(micro_batch, read_int(value, "micro_batch", 1, place));
  plan.global_batch = global_batch;
  plan.micro_batch = micro_batch;
  if (value.contains("order")) {
    FUNCPIPE_TRY(text, read_text(value, "order", place));
    FUNCPIPE_TRY(order, at_place(parse_pipeline_order(text), place));
    plan.order = order;
  }
  if (value.contains("sync")) {
    FUNCPIPE_TRY(text, read_text(value, "sync", place));
    FUNCPIPE_TRY(sync, at_place(parse_sync_algorithm(text), place));
    plan.sync = sync;
  }
  if (value.contains("server")) {
    FUNCPIPE_TRY(server, read_text(value, "server", place));
    plan.server = std::move(server);
  }
  const bool has_server = traits(plan.sync).has_server;
  if (has_server == plan.server.empty())
    return fail(ErrorCode::invalid_input,
                has_server ? fmt::format("a {} plan must name its \"server\"", to_string(plan.sync))
                           : fmt::format("\"server\" does not go with \"sync\": \"{}\"", to_string(plan.sync)),
                place, has_server ? "\"server\": \"c5.9xlarge\", say" : "leave it out");
  return plan;
}

}  // namespace funcpipe
