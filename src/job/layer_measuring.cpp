#include "job/layer_measuring.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "job/deploy.h"

namespace funcpipe {
namespace {

constexpr int kLayersPerCall = 8;  // for one invocation; at most so many must be measured again after a stop

// Layers that are only compared are judged by the quickest repetition: on a busy machine two threads seldom run at the
// same time, and the one that waits uses the processor.
constexpr int kComparedRepeats = 60;

bool ran_out_of_memory(const Invocation& invocation) {
  return invocation.log_tail.find("Runtime.OutOfMemory") != std::string::npos ||
         invocation.payload.find("signal: killed") != std::string::npos;
}

Bytes own_bytes(const ModelDescription& model, int layer) {
  Bytes bytes = 0;
  for (const int index : model.layers[static_cast<std::size_t>(layer)].parameters) {
    const ParameterDescription& parameter = model.parameters[static_cast<std::size_t>(index)];
    bytes += parameter.bytes() * (parameter.trainable ? 2 : 1);  // plus its gradient
  }
  return bytes;
}

}  // namespace

LayerMeasuring::LayerMeasuring(const ProfileSettings& settings, const Platform& platform, Cloud& cloud,
                               FunctionSpec common, ProfilingProgress& results, std::stop_token stop)
    : settings_(settings),
      platform_(platform),
      cloud_(cloud),
      common_(std::move(common)),
      results_(results),
      stop_(std::move(stop)) {}

LayerMeasuring::~LayerMeasuring() {
  cloud_.end_functions();
  for (const auto& [size, name] : functions_) static_cast<void>(cloud_.functions().remove(name));
  static_cast<void>(remove_objects(cloud_.store(), kPrefix));
}

Result<> LayerMeasuring::publish(const std::vector<std::filesystem::path>& layers,
                                 const std::vector<ModelDescription>& models) {
  const auto store = cloud_.store().until(stop_);
  FUNCPIPE_TRY_VOID(remove_objects(*store, kPrefix));  // left by a run that was killed
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    FUNCPIPE_TRY(archive, read_file(layers[i]));
    FUNCPIPE_TRY_VOID(store->put(measured_layer_key(prefix_, static_cast<int>(i)), archive));
    std::error_code ignored;
    std::filesystem::remove(layers[i], ignored);  // so the disk need not hold the model twice
  }
  for (const ModelDescription& model : models)
    FUNCPIPE_TRY_VOID(store->put(measured_model_key(prefix_, model.micro_batch), to_json(model).dump()));
  return {};
}

Result<bool> LayerMeasuring::measure_size(Size size) {
  if (results_.option(size)) return true;
  MeasureRequest request = request_for(size);
  request.option = true;
  FUNCPIPE_TRY(answer, invoke(size, request));
  if (!answer) return false;
  results_.add(size, answer->option);
  FUNCPIPE_TRY_VOID(results_.save());
  return true;
}

Result<> LayerMeasuring::measure_layers(Size size, const ModelDescription& model, std::vector<int> layers,
                                        const std::function<void(int layer)>& watch) {
  std::erase_if(layers, [&](int layer) { return results_.layer({size, model.micro_batch, layer}) != nullptr; });
  const auto not_fitting = [&](int layer) {
    results_.add({size, model.micro_batch, layer}, {.time = {.fits = false}, .sizes = {}, .least = 0});
  };
  bool fresh = false;  // whether the next invocation starts a new instance
  for (std::size_t next = 0; next < layers.size();) {
    if (is_hopeless(size, model, layers[next])) {
      not_fitting(layers[next++]);
      continue;
    }
    MeasureRequest request = request_for(size);
    request.micro_batch = model.micro_batch;
    request.first_layer = layers[next];
    std::size_t end = next + 1;
    while (end < layers.size() && end - next < kLayersPerCall && layers[end] == layers[end - 1] + 1) ++end;
    request.end_layer = layers[end - 1] + 1;
    watch(layers[next]);
    FUNCPIPE_TRY(answer, invoke(size, request));
    FUNCPIPE_TRY(layer, collect(size, request));
    const bool no_memory = !answer || answer->status == "exhausted";
    if (layer == request.first_layer) {
      if (!no_memory)
        return fail(ErrorCode::failed, "the function answered without a result", model.layers[layer].name);
      // Earlier layers may have left the instance with less memory. So a layer is judged only in an instance of its
      // own.
      if (fresh || answer) not_fitting(layer++);
    }
    fresh = !answer;
    FUNCPIPE_TRY_VOID(results_.save());
    next += static_cast<std::size_t>(layer - request.first_layer);
  }
  return results_.save();
}

// Takes all results from the store, whatever became of the function. Returns the first layer without one.
Result<int> LayerMeasuring::collect(Size size, const MeasureRequest& request) {
  int layer = request.first_layer;
  for (; layer < request.end_layer; ++layer) {
    const std::string key = layer_result_key(request, layer);
    FUNCPIPE_TRY(text, cloud_.store().until(stop_)->get_text(key));
    if (!text) break;
    FUNCPIPE_TRY(json, parse_json(*text, key));
    FUNCPIPE_TRY(measured, layer_measurement_from_json(json, key));
    results_.add({size, request.micro_batch, layer}, measured);
  }
  return layer;
}

// True if the layer needs more memory, as measured on a larger function, than this one has. Then it is not tried.
bool LayerMeasuring::is_hopeless(Size size, const ModelDescription& model, int layer) const {
  const LayerMeasurement* known = results_.fitting(model.micro_batch, layer);
  return known &&
         own_bytes(model, layer) + known->sizes.activations + known->sizes.working > size.function.memory_mb * kMiB;
}

Result<std::string> LayerMeasuring::function_of(SizeChoice size) {
  if (const auto found = functions_.find(size); found != functions_.end()) return found->second;
  FunctionSpec function = common_;
  function.name = fmt::format("funcpipe-profile-{}", to_string(size));
  std::ranges::replace_if(
      function.name, [](char c) { return c == '.' || c == ':'; }, '-');
  function.memory_mb = size.memory_mb;
  function.vcpus = size.vcpus;
  if (cloud_.embedded()) {  // only a run that was killed can have left functions there
    FUNCPIPE_TRY(left_over, cloud_.functions().exists(function.name, stop_));
    if (left_over) FUNCPIPE_TRY_VOID(cloud_.functions().remove(function.name, stop_));
  }
  FUNCPIPE_TRY_VOID(cloud_.functions().create(function, stop_));
  functions_.emplace(size, function.name);
  return function.name;
}

MeasureRequest LayerMeasuring::request_for(Size size) const {
  MeasureRequest request;
  request.bucket = settings_.cloud.bucket;
  request.prefix = prefix_;
  request.results = fmt::format("{}mb-{}threads", to_string(size.function), size.threads);
  request.optimizer = settings_.optimizer;
  request.threads = size.threads;
  request.vcpus = platform_.size(size.function.memory_mb, size.function.vcpus)->vcpus;
  request.dilation = settings_.cloud.dilation;
  request.by_wall = size.threads > 1 && size.threads == settings_.threads;
  request.repeats = size.threads == settings_.threads ? settings_.repeats : kComparedRepeats;
  if (const OptionMeasurement* option = results_.option({size.function, settings_.threads}))
    request.seconds_per_cpu_second = option->seconds_per_cpu_second;
  return request;
}

// Returns nullopt if the function ran out of memory.
Result<std::optional<MeasureAnswer>> LayerMeasuring::invoke(Size size, const MeasureRequest& request) {
  FUNCPIPE_TRY(name, function_of(size.function));
  FUNCPIPE_TRY(invocation, cloud_.functions().invoke(name, to_json(request).dump(), stop_));
  if (invocation.function_error) {
    if (ran_out_of_memory(invocation)) return std::optional<MeasureAnswer>();
    return fail(ErrorCode::failed, *invocation.function_error + ": " + invocation.payload, name,
                "the end of its log: " + invocation.log_tail);
  }
  FUNCPIPE_TRY(json, parse_json(invocation.payload, name));
  FUNCPIPE_TRY(answer, measure_answer_from_json(json, name));
  if (!answer.error.empty()) return fail(ErrorCode::failed, answer.error, name);
  return std::optional<MeasureAnswer>(std::move(answer));
}

}  // namespace funcpipe
