#include "schedule/validate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/counted.h"
#include "schedule/memory.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {
namespace {

tl::unexpected<Error> refuse(std::string reason, std::string way_out) {
  return fail(ErrorCode::invalid_input, std::move(reason), "plan", std::move(way_out));
}

Result<> check_batches(const Plan& plan) {
  if (plan.replicas < 1 || plan.global_batch < 1 || plan.micro_batch < 1) {
    return refuse(fmt::format("replicas, global_batch and micro_batch must be at least 1, found {}, {} and {}",
                              plan.replicas, plan.global_batch, plan.micro_batch),
                  "give each at least 1");
  }
  // global_batch + micro_batch could overflow, so the quotient is rounded up by its remainder.
  const int count = plan.global_batch / plan.micro_batch + (plan.global_batch % plan.micro_batch != 0 ? 1 : 0);
  if (count < plan.replicas) {
    const std::string other = plan.global_batch >= plan.replicas
                                  ? fmt::format("micro_batch to at most {}", plan.global_batch / plan.replicas)
                                  : fmt::format("global_batch to at least {} and micro_batch to 1", plan.replicas);
    return refuse(fmt::format("{} in micro-batches of {} make {}: some of the {} replicas would get none",
                              counted(plan.global_batch, "sample"), plan.micro_batch,
                              count == 1 ? "1 micro-batch" : fmt::format("{} micro-batches", count), plan.replicas),
                  fmt::format("set replicas to at most {}, or {}", count, other));
  }
  return {};
}

Result<> check_cuts(const Plan& plan, const ModelDescription& model) {
  const int layers = static_cast<int>(model.layers.size());
  if (plan.stages.empty()) return refuse("the plan has no stage", "give it at least one");
  int expected = 0;
  for (int k = 0; k < plan.stage_count(); ++k) {
    const StagePlan& stage = plan.stages[k];
    if (stage.first_layer != expected) {
      return refuse(fmt::format("stage {} starts at layer {}, but {}", k, stage.first_layer,
                                k == 0 ? std::string("the first layer is 0")
                                       : fmt::format("stage {} ends before layer {}", k - 1, expected)),
                    fmt::format("set first_layer of stage {} to {}", k, expected));
    }
    if (stage.end_layer <= stage.first_layer) {
      return refuse(fmt::format("stage {} is empty: layers {} to {}", k, stage.first_layer, stage.end_layer),
                    "give it at least one layer, or remove it");
    }
    if (stage.end_layer > layers) {
      return refuse(fmt::format("stage {} ends at layer {}, but {} has {}", k, stage.end_layer, model.source,
                                counted(layers, "layer")),
                    fmt::format("set end_layer of the last stage to {}", layers));
    }
    expected = stage.end_layer;
  }
  if (expected != layers) {
    return refuse(
        fmt::format("the last stage ends at layer {}, but {} has {}", expected, model.source, counted(layers, "layer")),
        fmt::format("set end_layer of the last stage to {}", layers));
  }
  return {};
}

std::string offered_memory(const Platform& platform) {
  std::vector<int> sizes_mb;
  for (const FunctionSize& size : platform.sizes)
    if (sizes_mb.empty() || sizes_mb.back() != size.memory_mb) sizes_mb.push_back(size.memory_mb);
  return fmt::format("{}", fmt::join(sizes_mb, ", "));
}

// Lists the vCPUs of the sizes that have the smallest memory of at least `memory_mb`.
std::string offered_vcpus(const Platform& platform, int memory_mb) {
  std::vector<std::string> counts;
  for (const FunctionSize& size : platform.sizes)
    if (size.memory_mb == platform.size(memory_mb)->memory_mb) counts.push_back(fmt::format("{:.3g}", size.vcpus));
  return fmt::format("{}", fmt::join(counts, ", "));
}

Result<> check_memory(const Plan& plan, const ModelDescription& model, const Platform& platform, int stage,
                      const TrainingState& state) {
  if (platform.sizes.empty()) {
    return refuse(fmt::format("platform {} offers no function size", platform.name), "choose another platform");
  }
  const FunctionSize& largest = platform.sizes.back();
  const int wanted = plan.stages[stage].memory_mb;
  if (wanted < 0 || wanted > largest.memory_mb) {
    return refuse(fmt::format("stage {} asks for {} MB, but {} offers at most {} MB", stage, wanted, platform.name,
                              largest.memory_mb),
                  fmt::format("choose memory_mb among {}", offered_memory(platform)));
  }
  const int given = wanted == 0 ? largest.memory_mb : wanted;
  const double vcpus = plan.stages[stage].vcpus;
  if (!platform.size(given, vcpus)) {
    return refuse(fmt::format("stage {} asks for {:g} vCPUs with {} MB, which {} does not offer", stage, vcpus, given,
                              platform.name),
                  fmt::format("choose vcpus among {}, or leave it out", offered_vcpus(platform, given)));
  }
  if (!platform.limit_memory) return {};
  const Bytes needed = estimated_memory(plan, model, stage, state);
  if (needed <= given * kMiB) return {};
  std::string way_out = "cut the model into more stages or take a smaller micro_batch";
  for (const FunctionSize& size : platform.sizes) {
    if (size.memory_mb * kMiB < needed) continue;
    way_out = fmt::format("choose memory_mb >= {}, or {}", size.memory_mb, way_out);
    break;
  }
  return refuse(
      fmt::format("stage {} needs at least {} MiB, its function has {} MB", stage, (needed + kMiB - 1) / kMiB, given),
      std::move(way_out));
}

}  // namespace

Result<std::optional<ParameterServer>> server_of(const Plan& plan) {
  if (!traits(plan.sync).has_server) {
    if (plan.server.empty()) return std::nullopt;
    return refuse(fmt::format("{} synchronisation has no server, the plan names {}", to_string(plan.sync), plan.server),
                  "leave out the server");
  }
  if (plan.stage_count() > 1)
    return refuse(
        fmt::format("a parameter server serves functions that hold the whole model, not {} stages", plan.stage_count()),
        "set stages to 1, or choose another sync");
  auto server = load_parameter_server(plan.server);
  if (!server) {
    server.error().code = ErrorCode::invalid_input;
    return tl::unexpected(std::move(server).error());
  }
  return std::optional(std::move(*server));
}

Result<Platform> platform_for(const Plan& plan, Platform platform) {
  FUNCPIPE_TRY(server, server_of(plan));
  return server ? beside(*server, std::move(platform)) : std::move(platform);
}

Result<> validate(const Plan& plan, const ModelDescription& model, const Platform& platform,
                  const TrainingState& state) {
  if (!plan.fingerprint.empty() && plan.fingerprint != model.fingerprint) {
    return refuse(fmt::format("the plan is for another model: {} (fingerprint {}), not {} (fingerprint {})", plan.model,
                              plan.fingerprint, model.source, model.fingerprint),
                  "plan this model anew, or empty the plan's fingerprint if you are sure");
  }
  FUNCPIPE_TRY_VOID(check_cuts(plan, model));
  FUNCPIPE_TRY_VOID(check_batches(plan));
  if (const auto server = server_of(plan); !server) return tl::unexpected(server.error());
  const std::int64_t workers = static_cast<std::int64_t>(plan.stages.size()) * plan.replicas;
  if (workers > platform.limits.concurrency) {
    return refuse(fmt::format("{} x {} are {}, but {} runs at most {} at once", counted(plan.stage_count(), "stage"),
                              counted(plan.replicas, "replica"), counted(workers, "function"), platform.name,
                              platform.limits.concurrency),
                  fmt::format("set replicas to at most {}", platform.limits.concurrency / plan.stage_count()));
  }
  for (int k = 0; k < plan.stage_count(); ++k) {
    FUNCPIPE_TRY_VOID(check_memory(plan, model, platform, k, state));
  }
  return {};
}

}  // namespace funcpipe
