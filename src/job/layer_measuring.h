// Lets functions of each size measure layers and collects the results they publish.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/platform.h"
#include "functions/function_service.h"
#include "job/cloud.h"
#include "job/profile_model.h"
#include "job/profiling_progress.h"

namespace funcpipe {

class LayerMeasuring {
 public:
  static constexpr const char* kPrefix = "profile";  // of all keys it uses

  using Size = ProfilingProgress::Size;

  // `common` is what the functions share: all but name and size.
  LayerMeasuring(const ProfileSettings& settings, const Platform& platform, Cloud& cloud, FunctionSpec common,
                 ProfilingProgress& results, std::stop_token stop);
  ~LayerMeasuring();  // takes the functions out of the cloud
  LayerMeasuring(const LayerMeasuring&) = delete;
  LayerMeasuring& operator=(const LayerMeasuring&) = delete;

  // Publishes a stage file for each layer, and the model's description at each micro-batch size.
  Result<> publish(const std::vector<std::filesystem::path>& layers, const std::vector<ModelDescription>& models);

  // Measures the size itself. Returns false if a function of it cannot even hold a worker.
  Result<bool> measure_size(Size size);

  // Measures `layers`, which must ascend; known ones are skipped. measure_size() must have been called for the size,
  // with the settings' number of threads. Other numbers of threads are compared with it in CPU seconds. `watch` is told
  // each layer before it is measured.
  Result<> measure_layers(Size size, const ModelDescription& model, std::vector<int> layers,
                          const std::function<void(int layer)>& watch);

 private:
  Result<std::string> function_of(SizeChoice size);
  MeasureRequest request_for(Size size) const;
  Result<std::optional<MeasureAnswer>> invoke(Size size, const MeasureRequest& request);
  Result<int> collect(Size size, const MeasureRequest& request);
  bool is_hopeless(Size size, const ModelDescription& model, int layer) const;

  const ProfileSettings& settings_;
  const Platform& platform_;
  Cloud& cloud_;
  const FunctionSpec common_;
  ProfilingProgress& results_;
  const std::stop_token stop_;
  const std::string prefix_ = kPrefix;
  std::map<SizeChoice, std::string> functions_;  // their names by size
};

}  // namespace funcpipe
