#include "schedule/program.h"

#include "base/check.h"

namespace funcpipe {

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
