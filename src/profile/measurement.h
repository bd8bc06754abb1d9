// What passes between the client and a function that measures layers: the payload it is invoked with, its answer, and
// the results it publishes, one object a layer, so that a function that is killed loses only the layer it was at.
//
// Seconds are the platform's, for a core of the machine measured on: dilation is divided out, Platform::vcpu_speed not.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "profile/profile.h"

namespace funcpipe {

// What is measured of a function size besides layers.
struct OptionMeasurement {
  Seconds cold_start = 0;
  // Platform seconds that pass while a busy thread gets one CPU second: 4 on a quarter of a vCPU, never less than 1.
  double seconds_per_cpu_second = 1;
  Seconds update_per_byte = 0;
  Seconds transfer_cpu_per_byte = 0, transfer_cpu_per_request = 0;  // CPU seconds
  Bytes base_memory = 0;
};

struct LayerMeasurement {
  LayerTime time;
  LayerSizes sizes;
  Seconds least = 0;  // forward and backward together, of the quickest repetition
};

struct MeasureRequest {
  std::string bucket, prefix;
  std::string results;            // results go below prefix/results/<this>
  std::string optimizer = "sgd";  // sgd | momentum | adam
  int threads = 1;
  double vcpus = 1;  // of the function, as the platform says
  double dilation = 1;
  // Several threads under a quota: seconds are wall seconds. Else they are CPU seconds of the thread that computes,
  // which other processes on the machine do not lengthen.
  bool by_wall = false;
  bool option = false;  // measure the function itself, not layers
  int micro_batch = 1;
  int first_layer = 0, end_layer = 0;
  int repeats = 5;                    // at the least; layers of milliseconds are repeated more often
  double seconds_per_cpu_second = 1;  // as measured before, for by_wall = false
};

struct MeasureAnswer {
  std::string status;  // "done" | "continue" (the lifetime nears its end) | "exhausted" (no memory for next_layer)
  int next_layer = 0;
  OptionMeasurement option;
  std::string error;  // describe(error) when measuring failed
};

nlohmann::json to_json(const OptionMeasurement& option);
nlohmann::json to_json(const LayerMeasurement& layer);
nlohmann::json to_json(const MeasureRequest& request);  // {"profile": {...}}
nlohmann::json to_json(const MeasureAnswer& answer);

// Errors: invalid_input with the field.
Result<OptionMeasurement> option_measurement_from_json(const nlohmann::json& json, const std::string& place);
Result<LayerMeasurement> layer_measurement_from_json(const nlohmann::json& json, const std::string& place);
Result<MeasureRequest> measure_request_from_json(const nlohmann::json& json, const std::string& place);
Result<MeasureAnswer> measure_answer_from_json(const nlohmann::json& json, const std::string& place);
bool is_measure_request(const nlohmann::json& payload);  // and no other invocation

// Keys under the prefix; nobody else makes up names.
std::string measured_layer_key(const std::string& prefix, int layer);            // prefix/model/layer-0003.pt
std::string measured_model_key(const std::string& prefix, int micro_batch);      // prefix/model/micro-batch-4.json
std::string layer_result_key(const MeasureRequest& request, int layer);          // prefix/results/.../layer-0003.json
std::string transfer_test_key(const MeasureRequest& request, const char* what);  // prefix/results/.../what

}  // namespace funcpipe
