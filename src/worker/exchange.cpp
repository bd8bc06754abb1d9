#include "worker/exchange.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "model/tensor_type.h"
#include "worker/wire.h"

namespace funcpipe {
namespace {

WireTensor wire(const at::Tensor& contiguous) {
  const auto type = element_type(dtype_name(contiguous.scalar_type()));
  FUNCPIPE_CHECK(type, "tensors of type {} cannot travel", dtype_name(contiguous.scalar_type()));
  return {*type, contiguous.sizes().vec(), {static_cast<const std::byte*>(contiguous.data_ptr()), contiguous.nbytes()}};
}

// Dimensions from the widest stride to the narrowest.
std::vector<std::int64_t> stride_order(const at::Tensor& tensor) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(tensor.dim()));
  std::iota(order.begin(), order.end(), 0);
  if (!tensor.is_contiguous() && tensor.is_non_overlapping_and_dense())
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return tensor.stride(a) > tensor.stride(b); });
  return order;
}

// A tensor over part of `object`, which it keeps alive.
at::Tensor view(const at::Tensor& object, const WireTensor& tensor) {
  const auto type = dtype_from_name(std::string(to_string(tensor.type)));
  FUNCPIPE_CHECK(type, "type {} of the wire", to_string(tensor.type));
  if (tensor.bytes.empty()) return at::empty(tensor.shape, *type);
  return at::from_blob(
      const_cast<std::byte*>(tensor.bytes.data()), tensor.shape, [object](void*) {}, at::TensorOptions(*type));
}

ConstBytes bytes_of(const at::Tensor& object) {
  return {static_cast<const std::byte*>(object.data_ptr()), object.nbytes()};
}

}  // namespace

Exchange::Exchange(Store& store, Clock& clock, std::string prefix, WorkerId worker, Seconds wait_limit)
    : store_(store), clock_(clock), prefix_(std::move(prefix)), worker_(worker), polling_{.limit = wait_limit} {}

Result<> Exchange::send(std::int64_t iteration, const ObjectName& name, std::span<const at::Tensor> tensors) {
  std::vector<at::Tensor> laid_out;  // owns what the pieces point to
  std::vector<WireTensor> wires;
  std::vector<std::uint8_t> orders;
  for (const at::Tensor& tensor : tensors) {
    const std::vector<std::int64_t> order = stride_order(tensor);
    for (const std::int64_t dimension : order) orders.push_back(static_cast<std::uint8_t>(dimension));
    laid_out.push_back(tensor.detach().permute(order).contiguous());
    wires.push_back(wire(laid_out.back()));
  }
  wires.push_back({ElementType::uint8, {std::ssize(orders)}, std::as_bytes(std::span(orders))});
  const EncodedTensors encoded = encode_tensors(wires);
  FUNCPIPE_TRY_VOID(store_.put(object_key(prefix_, iteration, name), encoded.pieces, PutMode::create_if_absent));
  return {};
}

Result<std::vector<at::Tensor>> Exchange::receive(const Op& op, int index, std::int64_t iteration,
                                                  std::stop_token stop) {
  const std::string key = object_key(prefix_, iteration, op.object);
  FUNCPIPE_TRY(object, wait_for(op, index, iteration, stop));
  FUNCPIPE_TRY(wires, decode_tensors(bytes_of(object), key));
  const auto corrupt = [&] {
    return fail(ErrorCode::corrupt, "the object does not describe its tensors' layout", key);
  };
  if (wires.empty() || wires.back().type != ElementType::uint8) return corrupt();
  ConstBytes orders = wires.back().bytes;
  std::vector<at::Tensor> tensors;
  for (std::size_t i = 0; i + 1 < wires.size(); ++i) {
    const std::size_t dimensions = wires[i].shape.size();
    if (orders.size() < dimensions) return corrupt();
    std::vector<std::int64_t> back(dimensions, -1);  // undoes the sender's permutation
    for (std::size_t d = 0; d < dimensions; ++d) {
      const auto dimension = std::to_integer<std::size_t>(orders[d]);
      if (dimension >= dimensions || back[dimension] >= 0) return corrupt();
      back[dimension] = static_cast<std::int64_t>(d);
    }
    orders = orders.subspan(dimensions);
    at::Tensor tensor = view(object, wires[i]);
    if (!std::is_sorted(back.begin(), back.end())) tensor = tensor.permute(back);
    tensors.push_back(std::move(tensor));
  }
  if (!orders.empty()) return corrupt();
  return tensors;
}

Result<> Exchange::publish(std::int64_t iteration, const Op& op, ConstBytes slice) {
  const WireTensor tensor{ElementType::float32, {op.slice.elements}, slice};
  const EncodedTensors encoded = encode_tensors(std::span(&tensor, 1));
  FUNCPIPE_TRY_VOID(store_.put(object_key(prefix_, iteration, op.object), encoded.pieces, PutMode::create_if_absent));
  return {};
}

Result<ReceivedSlice> Exchange::fetch(const Op& op, int index, std::int64_t iteration, std::stop_token stop) {
  const std::string key = object_key(prefix_, iteration, op.object);
  FUNCPIPE_TRY(object, wait_for(op, index, iteration, stop));
  FUNCPIPE_TRY(wires, decode_tensors(bytes_of(object), key));
  if (wires.size() != 1 || wires[0].type != ElementType::float32 ||
      std::ssize(wires[0].bytes) != op.slice.elements * static_cast<std::int64_t>(sizeof(float)))
    return fail(ErrorCode::corrupt, fmt::format("one float32 slice of {} elements was expected", op.slice.elements),
                key);
  return ReceivedSlice{std::move(object), wires[0].bytes};
}

Result<> Exchange::release(std::int64_t iteration, std::span<const ObjectName> names) {
  std::vector<std::string> keys;
  for (const ObjectName& name : names) keys.push_back(object_key(prefix_, iteration, name));
  return store_.remove(keys);
}

Result<at::Tensor> Exchange::wait_for(const Op& op, int index, std::int64_t iteration, std::stop_token stop) {
  at::Tensor object;
  const AwaitedObject awaited{object_key(prefix_, iteration, op.object),
                              worker_,
                              {op.object.stage, op.object.replica},
                              std::string(to_string(op.kind)),
                              iteration};
  const Destination destination = [&](Bytes size) -> Result<MutableBytes> {
    object = at::empty({size}, at::kByte);  // libtorch aligns to 64 bytes, as the wire wants
    return MutableBytes(static_cast<std::byte*>(object.data_ptr()), static_cast<std::size_t>(size));
  };
  FUNCPIPE_TRY(arrival, fetch_when_there(store_, awaited, destination, clock_, clock_.now(),
                                         arrivals_.first_poll(index), polling_, stop));
  arrivals_.learn(index, arrival);
  return object;
}

}  // namespace funcpipe
