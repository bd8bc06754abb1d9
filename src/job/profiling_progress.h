// What a profiling run has measured so far. It is kept on disk, so an interrupted run continues from there.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <tuple>

#include "base/error.h"
#include "catalog/platform.h"
#include "profile/measurement.h"

namespace funcpipe {

class ProfilingProgress {
 public:
  // A function size as it is asked for, with a number of threads.
  struct Size {
    SizeChoice function;
    int threads = 1;
    auto operator<=>(const Size&) const = default;
  };
  using Key = std::tuple<Size, int, int>;  // size, micro-batch, layer

  // Those in `file` if they were made with the same `settings` (any text), else none. Error: a file that cannot be
  // read.
  static Result<ProfilingProgress> open(const std::filesystem::path& file, const std::string& settings);

  const OptionMeasurement* option(Size size) const;
  const LayerMeasurement* layer(const Key& key) const;
  // Returns the layer's result on some size that can hold it; nullptr if there is none.
  const LayerMeasurement* fitting(int micro_batch, int layer) const;
  std::size_t layer_count() const { return layers_.size(); }
  void add(Size size, const OptionMeasurement& option) { options_[size] = option; }
  void add(const Key& key, const LayerMeasurement& layer) { layers_[key] = layer; }
  Result<> save() const;  // writes all of the file or nothing

 private:
  std::filesystem::path file_;
  std::string settings_;
  std::map<Size, OptionMeasurement> options_;
  std::map<Key, LayerMeasurement> layers_;
};

}  // namespace funcpipe
