#include "profile/measurement.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_complaint.h"

namespace funcpipe {
namespace {

using nlohmann::json;

// Reads a message and turns an exception of the JSON library into an error. The client and the function are of the same
// build, so a message that does not parse is damaged.
template <class T, class Read>
Result<T> parsed(const json& value, const std::string& place, Read read) {
  try {
    T result;
    read(value, result);
    return result;
  } catch (const json::exception& error) {
    return fail(ErrorCode::invalid_input, fmt::format("no measurement: {}", json_complaint(error)), place);
  }
}

void read_option(const json& value, OptionMeasurement& option) {
  option.cold_start = value.at("cold_start");
  option.seconds_per_cpu_second = value.at("seconds_per_cpu_second");
  option.update_per_byte = value.at("update_per_byte");
  option.transfer_cpu_per_byte = value.at("transfer_cpu_per_byte");
  option.transfer_cpu_per_request = value.at("transfer_cpu_per_request");
  option.base_memory = value.at("base_memory");
}

}  // namespace

json to_json(const OptionMeasurement& option) {
  return {{"cold_start", option.cold_start},
          {"seconds_per_cpu_second", option.seconds_per_cpu_second},
          {"update_per_byte", option.update_per_byte},
          {"transfer_cpu_per_byte", option.transfer_cpu_per_byte},
          {"transfer_cpu_per_request", option.transfer_cpu_per_request},
          {"base_memory", option.base_memory}};
}

json to_json(const LayerMeasurement& layer) {
  return {{"fits", layer.time.fits},
          {"least", layer.least},
          {"forward", layer.time.forward},
          {"backward", layer.time.backward},
          {"forward_spread", layer.time.forward_spread},
          {"backward_spread", layer.time.backward_spread},
          {"warm_up", layer.time.warm_up},
          {"activations", layer.sizes.activations},
          {"working", layer.sizes.working},
          {"border", layer.sizes.border},
          {"border_gradient", layer.sizes.border_gradient}};
}

json to_json(const MeasureRequest& request) {
  return {{"profile",
           {{"bucket", request.bucket},
            {"prefix", request.prefix},
            {"results", request.results},
            {"optimizer", request.optimizer},
            {"threads", request.threads},
            {"vcpus", request.vcpus},
            {"dilation", request.dilation},
            {"by_wall", request.by_wall},
            {"option", request.option},
            {"micro_batch", request.micro_batch},
            {"first_layer", request.first_layer},
            {"end_layer", request.end_layer},
            {"repeats", request.repeats},
            {"seconds_per_cpu_second", request.seconds_per_cpu_second}}}};
}

json to_json(const MeasureAnswer& answer) {
  return {{"status", answer.status},
          {"next_layer", answer.next_layer},
          {"option", to_json(answer.option)},
          {"error", answer.error}};
}

Result<OptionMeasurement> option_measurement_from_json(const json& value, const std::string& place) {
  return parsed<OptionMeasurement>(value, place, read_option);
}

Result<LayerMeasurement> layer_measurement_from_json(const json& value, const std::string& place) {
  return parsed<LayerMeasurement>(value, place, [](const json& from, LayerMeasurement& layer) {
    layer.time = {from.at("fits"),           from.at("forward"),         from.at("backward"),
                  from.at("forward_spread"), from.at("backward_spread"), from.at("warm_up")};
    layer.sizes = {from.at("activations"), from.at("working"), from.at("border"), from.at("border_gradient")};
    layer.least = from.at("least");
  });
}

Result<MeasureRequest> measure_request_from_json(const json& value, const std::string& place) {
  return parsed<MeasureRequest>(value, place, [](const json& payload, MeasureRequest& request) {
    const json& from = payload.at("profile");
    request.bucket = from.at("bucket");
    request.prefix = from.at("prefix");
    request.results = from.at("results");
    request.optimizer = from.at("optimizer");
    request.threads = from.at("threads");
    request.vcpus = from.at("vcpus");
    request.dilation = from.at("dilation");
    request.by_wall = from.at("by_wall");
    request.option = from.at("option");
    request.micro_batch = from.at("micro_batch");
    request.first_layer = from.at("first_layer");
    request.end_layer = from.at("end_layer");
    request.repeats = from.at("repeats");
    request.seconds_per_cpu_second = from.at("seconds_per_cpu_second");
  });
}

Result<MeasureAnswer> measure_answer_from_json(const json& value, const std::string& place) {
  return parsed<MeasureAnswer>(value, place, [](const json& from, MeasureAnswer& answer) {
    answer.status = from.at("status");
    answer.next_layer = from.at("next_layer");
    read_option(from.at("option"), answer.option);
    answer.error = from.at("error");
  });
}

bool is_measure_request(const json& payload) {
  return payload.is_object() && payload.contains("profile");
}

std::string measured_layer_key(const std::string& prefix, int layer) {
  return fmt::format("{}/model/layer-{:04}.pt", prefix, layer);
}
std::string measured_model_key(const std::string& prefix, int micro_batch) {
  return fmt::format("{}/model/micro-batch-{}.json", prefix, micro_batch);
}
std::string layer_result_key(const MeasureRequest& request, int layer) {
  return fmt::format("{}/results/{}/micro-batch-{}/layer-{:04}.json", request.prefix, request.results,
                     request.micro_batch, layer);
}
std::string transfer_test_key(const MeasureRequest& request, const char* what) {
  return fmt::format("{}/results/{}/{}", request.prefix, request.results, what);
}

}  // namespace funcpipe
