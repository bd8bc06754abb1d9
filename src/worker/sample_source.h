// Reads the samples of a micro-batch from the store, row by row, as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "data/dataset.h"
#include "plan/plan.h"
#include "protocol/data_manifest.h"

namespace funcpipe {

struct SampleOrder {
  bool shuffle = false;
  Bytes window = 256 * kMiB;  // bytes of a column within which rows are shuffled, and which are kept in memory
  std::uint64_t seed = 0;
  std::int64_t steps_per_epoch = 1;  // the epoch of an iteration is iteration / steps_per_epoch
  int global_batch = 0;
};

// Thread-safe. Sample s of iteration i is row EpochOrder(epoch).row((i mod steps_per_epoch) * global_batch + s).
class SampleSource {
 public:
  SampleSource(Store& store, const DatasetManifest& dataset, const SampleOrder& order);

  // Return a tensor of shape [samples, row shape...] and type `dtype` (PyTorch's short name; empty: as stored).
  // Conversion keeps the values: bytes 0 to 255 become 0.0 to 255.0.
  Result<at::Tensor> input(std::int64_t iteration, const MicroBatch& batch, const std::string& dtype,
                           std::stop_token stop);
  Result<at::Tensor> target(std::int64_t iteration, const MicroBatch& batch, const std::string& dtype,
                            std::stop_token stop);

 private:
  Result<at::Tensor> read(ColumnReader& reader, std::int64_t iteration, const MicroBatch& batch,
                          const std::string& dtype, std::stop_token stop);
  std::shared_ptr<const EpochOrder> order_of(std::int64_t epoch);

  const ColumnManifest order_column_;
  const SampleOrder order_;
  ColumnReader input_, target_;
  std::mutex mutex_;  // guards epoch_ and epoch_order_, which is shared with reads under way
  std::int64_t epoch_ = -1;
  std::shared_ptr<const EpochOrder> epoch_order_;
};

}  // namespace funcpipe
