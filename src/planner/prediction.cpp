#include "planner/prediction.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {
namespace {

tl::unexpected<Error> refuse(std::string reason, std::string way_out) {
  return fail(ErrorCode::invalid_input, std::move(reason), "plan", std::move(way_out));
}

}  // namespace

Prediction predict(const Chain& chain, const SpanTable& spans, const Accounting& accounting, const Candidate& candidate,
                   const PlayedIteration* played) {
  const StageCosts costs(chain, spans, candidate.configuration, accounting);
  const double replicas = candidate.configuration.replicas;
  const double most = candidate.configuration.largest_share();
  const auto iterations = static_cast<double>(std::max<std::int64_t>(1, accounting.iterations));
  const std::size_t stages = candidate.ends.size();

  Prediction prediction;
  prediction.stages.resize(stages);
  std::vector<StageTraffic> traffic(stages);
  Suffix suffix;
  Seconds restart = 0, finish = 0;
  for (std::size_t k = stages; k-- > 0;) {
    const int first = k == 0 ? 0 : candidate.ends[k - 1], end = candidate.ends[k];
    const int index = candidate.options[k];
    const ChainOption& option = chain.options[index];
    const Span& span = spans.at(first, end);
    StagePrediction& stage = prediction.stages[k];
    stage.cost = costs.of(first, end, index);
    traffic[k] = costs.traffic(first, end, index);
    stage.memory = static_cast<Bytes>(std::ceil(costs.memory(first, end)));
    stage.given = option.memory_mb * kMiB;
    stage.busy = most * (stage.cost.forward + stage.cost.backward) + span.trainable * option.update_per_byte;
    stage.uploading = traffic[k].up_bytes / traffic[k].uplink;
    stage.downloading = traffic[k].down_bytes / traffic[k].downlink;
    stage.synchronised = replicas > 1 ? static_cast<Bytes>(span.trainable) : 0;
    prediction.start_up = std::max(prediction.start_up, traffic[k].start);
    restart = std::max(restart, traffic[k].restart);
    finish = std::max(finish, traffic[k].finish);
    suffix = extend(suffix, stage.cost, costs.more());
  }
  PlayedIteration iteration{.seconds = suffix.period};
  double reports = 0;
  for (const StageTraffic& of_stage : traffic) {
    iteration.puts += of_stage.puts;
    iteration.gets += of_stage.gets;
    reports += of_stage.reports;
  }
  const PlayedIteration predicted = iteration;
  if (played) iteration = *played;
  prediction.iteration = iteration.seconds;
  prediction.iteration_dollars = iteration.seconds * suffix.rate + suffix.fixed;
  if (accounting.cost_model == CostModel::bill)
    prediction.iteration_dollars +=
        (iteration.puts - predicted.puts) * chain.prices.put + (iteration.gets - predicted.gets) * chain.prices.get;
  const Seconds working = iterations * prediction.iteration;
  const double restarts = std::floor((prediction.start_up + working) / chain.limits.lifetime);
  prediction.training = prediction.start_up + working + restarts * restart + finish;

  Usage& usage = prediction.usage;
  double puts = (iteration.puts + reports) * iterations, gets = iteration.gets * iterations;
  Dollars computing = 0;
  for (std::size_t k = 0; k < stages; ++k) {
    const ChainOption& option = chain.options[candidate.options[k]];
    usage.invocations += static_cast<std::int64_t>(replicas * (1 + restarts));
    // Replica 0 alone stores the trained stage.
    const Seconds seconds = replicas * (prediction.training - finish) + traffic[k].finish;
    usage.gb_seconds += option.memory_mb / 1024.0 * seconds;
    usage.vcpu_seconds += option.vcpus * seconds;
    computing += option.per_second * seconds;
    puts += replicas * restarts + 1;
    gets += 3 * replicas * (1 + restarts);
    usage.uploaded += static_cast<Bytes>(traffic[k].all_up_bytes * iterations);
    usage.downloaded += static_cast<Bytes>(traffic[k].all_down_bytes * iterations);
    prediction.storage += storage_price(chain.prices, 2 * traffic[k].all_up_bytes, prediction.training);
  }
  usage.put = std::llround(puts);
  usage.get = std::llround(gets);
  prediction.dollars = computing + static_cast<double>(usage.invocations) * chain.prices.invocation +
                       usage.request_dollars(chain.prices) + prediction.storage;
  return prediction;
}

Result<Candidate> candidate_of(const Chain& chain, const Plan& plan) {
  if (plan.micro_batch != chain.micro_batch)
    return refuse(fmt::format("the plan's micro-batch is {}, the chain's {}", plan.micro_batch, chain.micro_batch), {});
  if (plan.order != PipelineOrder::gpipe && plan.stage_count() > 1)
    return refuse(
        fmt::format("how long {} takes with {} stages is not known", to_string(plan.order), plan.stage_count()),
        "judge it in gpipe order, or with one stage");
  if (!traits(plan.sync).seconds)
    return refuse(fmt::format("how long {} synchronisation takes is not known here", to_string(plan.sync)),
                  "simulate the plan (funcpipe simulate), or judge it with another synchronisation");
  Candidate candidate;
  candidate.configuration = {.micro_batches = plan.micro_batch_count(),
                             .replicas = plan.replicas,
                             .sync = plan.sync,
                             .order = plan.order,
                             .last = last_share(plan.global_batch, plan.micro_batch)};
  int expected = 0;
  for (std::size_t k = 0; k < plan.stages.size(); ++k) {
    const StagePlan& stage = plan.stages[k];
    if (stage.first_layer != expected || stage.end_layer <= stage.first_layer || stage.end_layer > chain.layer_count())
      return refuse(fmt::format("stage {} holds layers {} to {}, expected from {} to at most {}", k, stage.first_layer,
                                stage.end_layer - 1, expected, chain.layer_count() - 1),
                    "cut the layers of this profile into contiguous stages");
    const auto option = std::ranges::find_if(chain.options, [&](const ChainOption& known) {
      return known.memory_mb == stage.memory_mb && (stage.vcpus == 0 || same_vcpus(known.vcpus, stage.vcpus));
    });
    if (option == chain.options.end()) {
      std::string sizes;
      for (const ChainOption& known : chain.options)
        sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", to_string(known.choice()));
      return refuse(fmt::format("stage {} has {}, which was not profiled", k, in_words(stage.size())),
                    fmt::format("choose among {}, or profile that size too", sizes));
    }
    candidate.ends.push_back(stage.end_layer);
    candidate.options.push_back(static_cast<int>(option - chain.options.begin()));
    expected = stage.end_layer;
  }
  if (expected != chain.layer_count())
    return refuse(fmt::format("the last stage ends before layer {}, the model has {}", expected, chain.layer_count()),
                  fmt::format("set end_layer of the last stage to {}", chain.layer_count()));
  return candidate;
}

Plan plan_of(const Candidate& candidate, const Chain& chain, const ModelDescription& model, int global_batch) {
  Plan plan;
  plan.model = model.source;
  plan.fingerprint = model.fingerprint;
  plan.replicas = candidate.configuration.replicas;
  plan.global_batch = global_batch;
  plan.micro_batch = chain.micro_batch;
  plan.sync = candidate.configuration.sync;
  plan.order = candidate.configuration.order;
  int first = 0;
  for (std::size_t k = 0; k < candidate.ends.size(); ++k) {
    plan.stages.push_back({.first_layer = first,
                           .end_layer = candidate.ends[k],
                           .memory_mb = chain.options[candidate.options[k]].memory_mb,
                           .vcpus = chain.options[candidate.options[k]].choice().vcpus,
                           .threads = chain.options[candidate.options[k]].threads});
    first = candidate.ends[k];
  }
  return plan;
}

nlohmann::json to_json(const Prediction& prediction) {
  nlohmann::json stages = nlohmann::json::array();
  for (const StagePrediction& stage : prediction.stages) {
    stages.push_back({{"forward_seconds", stage.cost.forward},
                      {"backward_seconds", stage.cost.backward},
                      {"tail_seconds", stage.cost.tail},
                      {"computing_seconds", stage.busy},
                      {"uploading_seconds", stage.uploading},
                      {"downloading_seconds", stage.downloading},
                      {"synchronised_bytes", stage.synchronised},
                      {"memory_bytes", stage.memory},
                      {"function_bytes", stage.given}});
  }
  return {{"iteration_seconds", prediction.iteration},
          {"iteration_dollars", prediction.iteration_dollars},
          {"start_up_seconds", prediction.start_up},
          {"training_seconds", prediction.training},
          {"dollars", prediction.dollars},
          {"storage_dollars", prediction.storage},
          {"invocations", prediction.usage.invocations},
          {"gb_seconds", prediction.usage.gb_seconds},
          {"vcpu_seconds", prediction.usage.vcpu_seconds},
          {"put", prediction.usage.put},
          {"get", prediction.usage.get},
          {"uploaded_bytes", prediction.usage.uploaded},
          {"downloaded_bytes", prediction.usage.downloaded},
          {"stages", std::move(stages)}};
}

}  // namespace funcpipe
