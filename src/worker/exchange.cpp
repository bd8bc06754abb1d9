#include "worker/exchange.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/check.h"
#include "model/tensor_type.h"
#include "protocol/job_keys.h"
#include "protocol/wire.h"
#include "store/stoppable_store.h"

namespace funcpipe {
namespace {

// The most elements a layout's strides may span; more is corrupt.
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

WireTensor wire(const at::Tensor& contiguous) {
  const auto type = element_type(dtype_name(contiguous.scalar_type()));
  FUNCPIPE_CHECK(type, "tensors of type {} cannot travel", dtype_name(contiguous.scalar_type()));
  return {*type, contiguous.sizes().vec(), {static_cast<const std::byte*>(contiguous.data_ptr()), contiguous.nbytes()}};
}

// One dimension of a tensor. A list of them is in the order in which the tensor is sent.
struct Dimension {
  std::int64_t index, size, stride;
  // A dimension with stride 0 repeats one element, and only that one is sent.
  std::int64_t travelling() const { return stride == 0 && size > 0 ? 1 : size; }
};
constexpr std::size_t kDimensionNumbers = 3;

// Returns the dimensions from the widest stride to the narrowest.
std::vector<Dimension> layout_of(const at::Tensor& tensor) {
  std::vector<Dimension> layout;
  for (std::int64_t d = 0; d < tensor.dim(); ++d) layout.push_back({d, tensor.size(d), tensor.stride(d)});
  std::stable_sort(layout.begin(), layout.end(),
                   [](const Dimension& a, const Dimension& b) { return a.stride > b.stride; });
  return layout;
}

// Returns the elements as they are sent: each once, without gaps, in the order of `layout`. Copies only if necessary.
at::Tensor packed(const at::Tensor& tensor, const std::vector<Dimension>& layout) {
  std::vector<std::int64_t> order;
  order.reserve(layout.size());
  for (const Dimension& dimension : layout) order.push_back(dimension.index);
  at::Tensor result = tensor.permute(order);
  for (std::size_t d = 0; d < layout.size(); ++d)
    result = result.narrow(static_cast<std::int64_t>(d), 0, layout[d].travelling());
  return result.contiguous();
}

// Takes the dimensions of a tensor sent in `shape` from the front of `numbers`; nullopt if they contradict the shape.
std::optional<std::vector<Dimension>> take_layout(std::span<const std::int64_t>& numbers,
                                                  const std::vector<std::int64_t>& shape) {
  if (numbers.size() < kDimensionNumbers * shape.size()) return std::nullopt;
  std::vector<Dimension> layout;
  std::vector<bool> seen(shape.size(), false);
  std::int64_t elements = 1, span = 1;  // how many elements of memory they span
  for (const std::int64_t travelling : shape) {
    const Dimension dimension{numbers[0], numbers[1], numbers[2]};
    numbers = numbers.subspan(kDimensionNumbers);
    if (dimension.index < 0 || dimension.index >= std::ssize(shape) || dimension.size < 0 || dimension.stride < 0 ||
        dimension.travelling() != travelling || seen[static_cast<std::size_t>(dimension.index)])
      return std::nullopt;
    seen[static_cast<std::size_t>(dimension.index)] = true;
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(elements, std::max<std::int64_t>(dimension.size, 1), &elements) ||
        __builtin_mul_overflow(std::max<std::int64_t>(travelling - 1, 0), dimension.stride, &reach) ||
        __builtin_add_overflow(span, reach, &span) || span > kMostElements)
      return std::nullopt;
    layout.push_back(dimension);
  }
  return layout;
}

// Makes a tensor of this layout from the elements of `wire`, which are part of `object`. It uses them in place if they
// lie right (and then keeps `object` alive); otherwise it copies them.
at::Tensor laid_out(const at::Tensor& object, const WireTensor& wire, const std::vector<Dimension>& layout) {
  const auto type = dtype_from_name(std::string(to_string(wire.type)));
  FUNCPIPE_CHECK(type, "type {} of the wire", to_string(wire.type));
  const at::TensorOptions options(*type);
  std::vector<std::int64_t> sizes(layout.size()), strides(layout.size()), travelling_strides;
  bool in_place = true;
  std::int64_t packed_stride = 1;
  for (auto dimension = layout.rbegin(); dimension != layout.rend(); ++dimension) {
    const auto index = static_cast<std::size_t>(dimension->index);
    sizes[index] = dimension->size;
    strides[index] = dimension->stride;
    in_place = in_place && (dimension->travelling() == 1 || dimension->stride == packed_stride);
    packed_stride *= dimension->travelling();
  }
  if (wire.bytes.empty()) return at::empty_strided(sizes, strides, options);
  auto* const data = const_cast<std::byte*>(wire.bytes.data());
  if (in_place)
    return at::from_blob(
        data, sizes, strides, [object](void*) {}, options);
  at::Tensor result = at::empty_strided(sizes, strides, options);
  for (const Dimension& dimension : layout) travelling_strides.push_back(dimension.stride);
  result.as_strided(wire.shape, travelling_strides).copy_(at::from_blob(data, wire.shape, options));
  return result;
}

// A wait of this many seconds is long enough to spend a PUT on saying so.
constexpr Seconds kLongWait = 20;

ConstBytes bytes_of(const at::Tensor& object) {
  return {static_cast<const std::byte*>(object.data_ptr()), object.nbytes()};
}

// Allocates memory for what is downloaded. `object` then owns it.
Destination destination_of(at::Tensor& object) {
  return [&object](Bytes size) -> Result<MutableBytes> {
    object = at::empty({size}, at::kByte);  // libtorch aligns it to 64 bytes, as the format needs
    return MutableBytes(static_cast<std::byte*>(object.data_ptr()), static_cast<std::size_t>(size));
  };
}

}  // namespace

Exchange::Exchange(Store& store, Clock& clock, std::string prefix, WorkerId worker, Seconds wait_limit,
                   ArrivalObserver observe)
    : store_(store),
      clock_(clock),
      prefix_(std::move(prefix)),
      worker_(worker),
      polling_{.limit = wait_limit},
      observe_(std::move(observe)) {}

Result<> Exchange::send(std::int64_t iteration, const ObjectName& name, std::span<const at::Tensor> tensors,
                        std::stop_token stop) {
  if (is_collected_ && is_collected_(iteration, name)) return {};
  std::vector<at::Tensor> travelling;  // owns what the pieces point to
  std::vector<WireTensor> wires;
  std::vector<std::int64_t> numbers;
  for (const at::Tensor& sent : tensors) {
    // A tensor that PyTorch conjugates or negates only when it is read has other bytes in memory, so do it now.
    const at::Tensor tensor = sent.detach().resolve_conj().resolve_neg();
    const std::vector<Dimension> layout = layout_of(tensor);
    for (const Dimension& dimension : layout)
      numbers.insert(numbers.end(), {dimension.index, dimension.size, dimension.stride});
    travelling.push_back(packed(tensor, layout));
    wires.push_back(wire(travelling.back()));
  }
  wires.push_back({ElementType::int64, {std::ssize(numbers)}, std::as_bytes(std::span(numbers))});
  const EncodedTensors encoded = encode_tensors(wires);
  FUNCPIPE_TRY_VOID(
      until(store_, stop)->put(object_key(prefix_, iteration, name), encoded.pieces, PutMode::create_if_absent));
  return {};
}

Result<std::vector<at::Tensor>> Exchange::receive(const Op& op, int index, std::int64_t iteration,
                                                  std::stop_token stop) {
  FUNCPIPE_TRY(object, wait_for(op, index, iteration, stop));
  return tensors_in(object, object_key(prefix_, iteration, op.object));
}

Result<std::vector<at::Tensor>> Exchange::receive_again(std::int64_t iteration, const ObjectName& name) {
  const std::string key = object_key(prefix_, iteration, name);
  at::Tensor object;
  FUNCPIPE_TRY(found, store_.get(key, destination_of(object)));
  if (!found) return fail(ErrorCode::not_found, "what was received before is no longer in the store", key);
  return tensors_in(object, key);
}

Result<std::vector<at::Tensor>> Exchange::tensors_in(const at::Tensor& object, const std::string& key) {
  FUNCPIPE_TRY(wires, decode_tensors(bytes_of(object), key));
  const auto corrupt = [&] {
    return fail(ErrorCode::corrupt, "the object does not describe its tensors' layout", key);
  };
  if (wires.empty() || wires.back().type != ElementType::int64) return corrupt();
  const ConstBytes layouts = wires.back().bytes;  // aligned, as all payloads are
  std::span<const std::int64_t> numbers(reinterpret_cast<const std::int64_t*>(layouts.data()),
                                        layouts.size() / sizeof(std::int64_t));
  wires.pop_back();
  std::vector<at::Tensor> tensors;
  for (const WireTensor& travelling : wires) {
    const auto layout = take_layout(numbers, travelling.shape);
    if (!layout) return corrupt();
    tensors.push_back(laid_out(object, travelling, *layout));
  }
  if (!numbers.empty()) return corrupt();
  return tensors;
}

Result<> Exchange::publish(std::int64_t iteration, const Op& op, ConstBytes slice, ConstBytes reached,
                           std::stop_token stop) {
  if (is_collected_ && is_collected_(iteration, op.object)) return {};
  const std::array<WireTensor, 2> tensors{
      {{ElementType::float32, {op.slice.elements}, slice}, {ElementType::uint8, {std::ssize(reached)}, reached}}};
  const EncodedTensors encoded = encode_tensors(tensors);
  FUNCPIPE_TRY_VOID(
      until(store_, stop)->put(object_key(prefix_, iteration, op.object), encoded.pieces, PutMode::create_if_absent));
  return {};
}

Result<ReceivedSlice> Exchange::fetch(const Op& op, int index, std::int64_t iteration, std::stop_token stop) {
  const std::string key = object_key(prefix_, iteration, op.object);
  FUNCPIPE_TRY(object, wait_for(op, index, iteration, stop));
  FUNCPIPE_TRY(wires, decode_tensors(bytes_of(object), key));
  if (wires.size() != 2 || wires[0].type != ElementType::float32 || wires[1].type != ElementType::uint8 ||
      std::ssize(wires[0].bytes) != op.slice.elements * static_cast<std::int64_t>(sizeof(float)))
    return fail(
        ErrorCode::corrupt,
        fmt::format("a float32 slice of {} elements and what is reached of it were expected", op.slice.elements), key);
  return ReceivedSlice{std::move(object), wires[0].bytes, wires[1].bytes};
}

void Exchange::forget_former_waits() {
  const std::vector<std::string> notes{waiting_key(prefix_, worker_), waiting_key(validation_prefix(prefix_), worker_)};
  static_cast<void>(store_.remove(notes));  // one that stays is only missed in a message
}

void Exchange::keep(std::function<bool(std::int64_t iteration, const ObjectName& name)> is_collected) {
  is_collected_ = std::move(is_collected);
}

Result<> Exchange::release(std::int64_t iteration, std::span<const ObjectName> names, std::stop_token stop) {
  if (is_collected_) return {};
  std::vector<std::string> keys;
  for (const ObjectName& name : names) keys.push_back(object_key(prefix_, iteration, name));
  return until(store_, stop)->remove(keys);
}

Result<at::Tensor> Exchange::wait_for(const Op& op, int index, std::int64_t iteration, std::stop_token stop) {
  at::Tensor object;
  const AwaitedObject awaited{object_key(prefix_, iteration, op.object),
                              worker_,
                              {op.object.stage, op.object.replica},
                              std::string(to_string(op.kind)),
                              iteration};
  const Destination destination = destination_of(object);
  const Seconds began = clock_.now();
  const WaitingWorker waiting{awaited.producer, awaited.operation, iteration, false};
  bool is_long = false;
  const LongWait long_wait{.after = std::min(kLongWait, polling_.limit / 2), .tell = [&] {
                             is_long = true;
                             note_waiting(waiting);
                           }};
  const auto arrival = fetch_when_there(store_, awaited, destination, clock_, began, arrivals_.first_poll(index),
                                        polling_, stop, long_wait);
  if (is_long) waiting_ended(waiting, !arrival && arrival.error().code == ErrorCode::timeout);
  if (!arrival) return tl::unexpected(arrival.error());
  arrivals_.learn(index, *arrival);
  if (observe_) observe_(index, iteration, began + arrival->found);
  return object;
}

// Only the first of several long waits is reported: the others are for the same worker or for workers that wait for it,
// too. A failure to report it is ignored, because only a message would lack it.
void Exchange::note_waiting(const WaitingWorker& waiting) {
  const std::lock_guard lock(mutex_);
  if (long_waits_++ == 0) static_cast<void>(store_.put(waiting_key(prefix_, worker_), to_json(waiting).dump()));
}

void Exchange::waiting_ended(const WaitingWorker& waiting, bool gave_up) {
  const std::lock_guard lock(mutex_);
  const std::string key = waiting_key(prefix_, worker_);
  --long_waits_;
  if (gave_up) {
    WaitingWorker last = waiting;
    last.gave_up = true;
    static_cast<void>(store_.put(key, to_json(last).dump()));
    ++long_waits_;  // keeps the report, even when other waits end
  } else if (long_waits_ == 0) {
    static_cast<void>(store_.remove(std::span(&key, 1)));
  }
}

}  // namespace funcpipe
