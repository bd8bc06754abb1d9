// What the client and a function that measures layers send each other: the payload it is invoked with, its answer, and
// the results it publishes. Each layer's result is one object, so a function that is killed loses only the layer it was
// measuring.
//
// Seconds are those of the emulated platform (dilation is divided out) on a core of the machine measured on
// (Platform::vcpu_speed is not applied).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "profile/profile.h"

namespace funcpipe {

// What is measured for a function size besides layers.
struct OptionMeasurement {
  Seconds cold_start = 0;
  // Platform seconds that pass while a busy thread gets one CPU second: 4 on a quarter of a vCPU, and at least 1.
  double seconds_per_cpu_second = 1;
  Seconds update_per_byte = 0;
  Seconds transfer_cpu_per_byte = 0, transfer_cpu_per_request = 0;  // CPU seconds
  Bytes base_memory = 0;
};

struct LayerMeasurement {
  LayerTime time;
  LayerSizes sizes;
  Seconds least = 0;  // Time of the quickest repetition, forward and backward together.
};

struct MeasureRequest {
  std::string bucket, prefix;
  std::string results;            // Results have keys below prefix/results/<results>.
  std::string optimizer = "sgd";  // sgd | momentum | adam
  int threads = 1;
  double vcpus = 1;  // vCPUs of the function by the platform's file.
  double dilation = 1;
  // true measures wall seconds, for several threads that share a CPU quota. false measures CPU seconds of the computing
  // thread, which other processes on the machine do not lengthen.
  bool by_wall = false;
  bool option = false;  // Measures the function itself, not layers.
  int micro_batch = 1;  // samples
  int first_layer = 0, end_layer = 0;
  int repeats = 5;                    // Fewest repetitions; layers of milliseconds are repeated more often.
  double seconds_per_cpu_second = 1;  // As measured before (OptionMeasurement); used if by_wall is false.
};

struct MeasureAnswer {
  std::string status;  // "done", "continue" (the lifetime is nearly over) or "exhausted" (no memory for next_layer).
  int next_layer = 0;  // First layer without a result.
  OptionMeasurement option;
  std::string error;  // describe(error) if measuring failed, else empty.
};

nlohmann::json to_json(const OptionMeasurement& option);
nlohmann::json to_json(const LayerMeasurement& layer);
nlohmann::json to_json(const MeasureRequest& request);  // {"profile": {...}}
nlohmann::json to_json(const MeasureAnswer& answer);

// Error of each: invalid_input, which names the field.
Result<OptionMeasurement> option_measurement_from_json(const nlohmann::json& json, const std::string& place);
Result<LayerMeasurement> layer_measurement_from_json(const nlohmann::json& json, const std::string& place);
Result<MeasureRequest> measure_request_from_json(const nlohmann::json& json, const std::string& place);
Result<MeasureAnswer> measure_answer_from_json(const nlohmann::json& json, const std::string& place);
// Returns whether an invocation's payload is a MeasureRequest.
bool is_measure_request(const nlohmann::json& payload);

// Keys of all objects that measuring puts into the store.
std::string measured_layer_key(const std::string& prefix, int layer);            // prefix/model/layer-0003.pt
std::string measured_model_key(const std::string& prefix, int micro_batch);      // prefix/model/micro-batch-4.json
std::string layer_result_key(const MeasureRequest& request, int layer);          // prefix/results/.../layer-0003.json
std::string transfer_test_key(const MeasureRequest& request, const char* what);  // prefix/results/.../what

}  // namespace funcpipe
