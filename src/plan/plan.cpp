#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace funcpipe {

std::string_view to_string(PipelineOrder order) {
  switch (order) {
    case PipelineOrder::gpipe:
      return "gpipe";
    case PipelineOrder::one_forward_one_backward:
      return "1f1b";
  }
  return "unknown";
}

Result<PipelineOrder> parse_pipeline_order(std::string_view text) {
  for (const auto order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
    if (text == to_string(order)) return order;
  }
  return fail(ErrorCode::invalid_input, fmt::format("unknown pipeline order \"{}\"", text), {},
              "choose \"gpipe\" or \"1f1b\"");
}

std::string to_string(WorkerId worker) {
  if (worker == kParameterServer) return "the parameter server";
  return fmt::format("stage {} replica {}", worker.stage, worker.replica);
}

std::string memory_text(const Plan& plan) {
  std::string text;
  for (std::size_t k = 0, next = 0; k < plan.stages.size(); k = next) {
    const SizeChoice size = plan.stages[k].size();
    while (next < plan.stages.size() && plan.stages[next].size() == size) ++next;
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", next - k > 1 ? fmt::format("{}x", next - k) : "",
                        to_string(size));
  }
  return text;
}

std::vector<MicroBatch> Plan::micro_batches_of(int replica) const {
  FUNCPIPE_CHECK(replica >= 0 && replica < replicas, "replica {} of {}", replica, replicas);
  FUNCPIPE_CHECK(micro_batch > 0, "micro-batch of {} samples", micro_batch);
  const std::int64_t count = (static_cast<std::int64_t>(global_batch) + micro_batch - 1) / micro_batch;
  const auto begin = static_cast<int>(replica * count / replicas);
  const auto end = static_cast<int>((replica + 1) * count / replicas);
  std::vector<MicroBatch> batches;
  batches.reserve(end - begin);
  for (int index = begin; index < end; ++index) {
    const int first = index * micro_batch;
    batches.push_back({index, first, std::min(micro_batch, global_batch - first)});
  }
  return batches;
}

std::vector<WorkerId> Plan::workers() const {
  std::vector<WorkerId> all;
  all.reserve(static_cast<std::size_t>(worker_count()) + 1);
  for (int stage = 0; stage < stage_count(); ++stage)
    for (int replica = 0; replica < replicas; ++replica) all.push_back({stage, replica});
  if (has_server()) all.push_back(kParameterServer);
  return all;
}

int Plan::most_in_flight(int stage) const {
  const int share = (micro_batch_count() + replicas - 1) / replicas;
  return order == PipelineOrder::gpipe ? share : std::min(share, stage_count() - stage);
}

}  // namespace funcpipe
