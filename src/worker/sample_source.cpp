#include "worker/sample_source.h"

#include <ATen/ops/empty.h>

#include <vector>

#include "model/tensor_type.h"

namespace funcpipe {
namespace {

constexpr Bytes kReadAhead = 16 * kMiB;  // room for blocks of the next window, of reads under way

}  // namespace

SampleSource::SampleSource(Store& store, const DatasetManifest& dataset, const SampleOrder& order)
    : order_column_(order_column(dataset)),
      order_(order),
      input_(store, dataset.input, (order.shuffle ? order.window : 0) + kReadAhead),
      target_(store, dataset.target, (order.shuffle ? order.window : 0) + kReadAhead) {}

Result<at::Tensor> SampleSource::input(std::int64_t iteration, const MicroBatch& batch, const std::string& dtype,
                                       std::stop_token stop) {
  return read(input_, iteration, batch, dtype, stop);
}

Result<at::Tensor> SampleSource::target(std::int64_t iteration, const MicroBatch& batch, const std::string& dtype,
                                        std::stop_token stop) {
  return read(target_, iteration, batch, dtype, stop);
}

std::shared_ptr<const EpochOrder> SampleSource::order_of(std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) {
    epoch_order_ = std::make_shared<EpochOrder>(order_column_, order_.shuffle, order_.window, order_.seed, epoch);
    epoch_ = epoch;
  }
  return epoch_order_;
}

Result<at::Tensor> SampleSource::read(ColumnReader& reader, std::int64_t iteration, const MicroBatch& batch,
                                      const std::string& dtype, std::stop_token stop) {
  const ColumnManifest& column = reader.manifest();
  const auto stored = dtype_from_name(column.row.dtype);
  if (!stored)
    return fail(ErrorCode::invalid_input, fmt::format("data of type {} cannot become a tensor", column.row.dtype),
                column.prefix);
  const auto order = order_of(iteration / order_.steps_per_epoch);
  const std::int64_t first = iteration % order_.steps_per_epoch * order_.global_batch + batch.first_sample;
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(batch.samples));
  for (int s = 0; s < batch.samples; ++s) rows.push_back(order->row(first + s));

  std::vector<std::int64_t> shape = column.row.shape;
  shape.insert(shape.begin(), batch.samples);
  at::Tensor samples = at::empty(shape, *stored);
  FUNCPIPE_TRY_VOID(reader.read(rows, {static_cast<std::byte*>(samples.data_ptr()), samples.nbytes()}, stop));
  if (dtype.empty() || dtype == column.row.dtype) return samples;
  const auto wanted = dtype_from_name(dtype);
  if (!wanted) return fail(ErrorCode::invalid_input, fmt::format("the model wants data of unknown type {}", dtype));
  return samples.to(*wanted);
}

}  // namespace funcpipe
