#include "schedule/program.h"

#include <fmt/format.h>

#include "base/check.h"

namespace funcpipe {

Lane lane_of(OpKind kind) {
  switch (kind) {
    case OpKind::forward:
    case OpKind::backward:
    case OpKind::reduce:
    case OpKind::update:
      return Lane::compute;
    case OpKind::load:
    case OpKind::receive_activation:
    case OpKind::receive_gradient:
    case OpKind::fetch_buffers:
    case OpKind::fetch:
    case OpKind::fetch_into:
      return Lane::download;
    case OpKind::send_activation:
    case OpKind::send_gradient:
    case OpKind::publish:
    case OpKind::publish_buffers:
    case OpKind::report:
    case OpKind::release:
      return Lane::upload;
  }
  FUNCPIPE_CHECK(false, "operation kind {}", static_cast<int>(kind));
  return Lane::compute;
}

bool is_producer(OpKind kind) {
  return kind == OpKind::send_activation || kind == OpKind::send_gradient || kind == OpKind::publish ||
         kind == OpKind::publish_buffers;
}

bool is_consumer(OpKind kind) {
  return kind == OpKind::receive_activation || kind == OpKind::receive_gradient || kind == OpKind::fetch_buffers ||
         kind == OpKind::fetch || kind == OpKind::fetch_into;
}

std::string_view to_string(OpKind kind) {
  switch (kind) {
    case OpKind::forward:
      return "forward";
    case OpKind::backward:
      return "backward";
    case OpKind::reduce:
      return "reduce";
    case OpKind::update:
      return "update";
    case OpKind::load:
      return "load";
    case OpKind::receive_activation:
      return "receive_activation";
    case OpKind::receive_gradient:
      return "receive_gradient";
    case OpKind::fetch_buffers:
      return "fetch_buffers";
    case OpKind::fetch:
      return "fetch";
    case OpKind::fetch_into:
      return "fetch_into";
    case OpKind::send_activation:
      return "send_activation";
    case OpKind::send_gradient:
      return "send_gradient";
    case OpKind::publish:
      return "publish";
    case OpKind::publish_buffers:
      return "publish_buffers";
    case OpKind::report:
      return "report";
    case OpKind::release:
      return "release";
  }
  return "unknown";
}

std::string_view to_string(Lane lane) {
  switch (lane) {
    case Lane::compute:
      return "compute";
    case Lane::download:
      return "download";
    case Lane::upload:
      return "upload";
  }
  return "unknown";
}

std::string to_string(const ObjectName& name) {
  const auto text = [&](std::string_view kind, std::string_view index) {
    if (WorkerId{name.stage, name.replica} == kParameterServer)
      return fmt::format("{}/server/{}{}", kind, index, name.index);
    return fmt::format("{}/s{}-r{}/{}{}", kind, name.stage, name.replica, index, name.index);
  };
  switch (name.kind) {
    case ObjectKind::activation:
      return text("activation", "m");
    case ObjectKind::gradient:
      return text("gradient", "m");
    case ObjectKind::part:
      return text("part", "shard");
    case ObjectKind::merged:
      return text("merged", "shard");
    case ObjectKind::buffers:
      return text("buffers", "to-r");
    case ObjectKind::tied:
      return text("tied", "p");
  }
  return text("unknown", "");
}

std::string object_key(const std::string& prefix, std::int64_t iteration, const ObjectName& name) {
  return fmt::format("{}/i{:08}/{}", prefix, iteration, to_string(name));
}

StageShape stage_shape(const Plan& plan, const ModelDescription& model, int stage) {
  FUNCPIPE_CHECK(stage >= 0 && stage < plan.stage_count(), "stage {} of {}", stage, plan.stage_count());
  std::vector<std::vector<int>> users(model.parameters.size());
  for (int k = 0; k < plan.stage_count(); ++k) {
    for (const int index : model.parameters_of(plan.stages[k].first_layer, plan.stages[k].end_layer)) {
      users[index].push_back(k);
    }
  }
  StageShape shape;
  shape.reads_data = false;
  const StagePlan& span = plan.stages[stage];
  for (const int index : model.parameters_of(span.first_layer, span.end_layer)) {
    const ParameterDescription& parameter = model.parameters[index];
    if (!parameter.trainable) continue;
    const Slice slice{shape.gradient_elements, parameter.elements()};
    if (users[index].size() > 1) shape.tied.push_back({index, slice, users[index]});
    shape.gradient_elements += slice.elements;
  }
  for (int i = span.first_layer; i < span.end_layer; ++i) {
    if (model.layers[i].buffer_bytes > 0 || model.layers[i].shared_state_bytes > 0) shape.has_buffers = true;
    if (model.layers[i].shared_state_bytes > 0) shape.shares_state = true;
    if (!model.layers[i].data_inputs.empty()) shape.reads_data = true;
  }
  return shape;
}

}  // namespace funcpipe
