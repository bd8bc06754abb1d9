#include "schedule/operation.h"

#include <fmt/format.h>

#include <initializer_list>

#include "base/check.h"

namespace funcpipe {
namespace {

constexpr std::uint8_t bit(ObjectKind kind) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
}

// Returns whether the rows are in the order of their enumerators, since a row is found by its enumerator's number.
template <class Rows>
constexpr bool in_order(const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (static_cast<std::size_t>(rows[i].kind) != i) return false;
  return true;
}

constexpr std::uint8_t kSummed = bit(ObjectKind::part) | bit(ObjectKind::merged) | bit(ObjectKind::tied);

struct Row {
  OpKind kind;
  OpTraits traits;
};

constexpr Row row(OpKind kind, OpTraits traits, std::initializer_list<Touch> touched) {
  for (const Touch& touch : touched) traits.touched[traits.touches++] = touch;
  return {kind, traits};
}

constexpr std::array kRows{
    row(OpKind::forward, {.name = "forward", .words = "forward", .lane = Lane::compute, .purpose = Purpose::forward},
        {{Buffer::parameters, Access::read, Extent::whole},
         {Buffer::state, Access::add, Extent::whole},
         {Buffer::data, Access::read_if_made, Extent::micro_batch},
         {Buffer::input, Access::read_if_made, Extent::micro_batch},
         {Buffer::activations, Access::write, Extent::micro_batch},
         {Buffer::output, Access::write, Extent::micro_batch}}),
    row(OpKind::backward,
        {.name = "backward", .words = "backward", .lane = Lane::compute, .purpose = Purpose::backward},
        {{Buffer::parameters, Access::read, Extent::whole},
         {Buffer::gradient, Access::add, Extent::slice},
         {Buffer::activations, Access::read, Extent::micro_batch},
         {Buffer::output_gradient, Access::read_if_made, Extent::micro_batch},
         {Buffer::input_gradient, Access::write, Extent::micro_batch}}),
    row(OpKind::reduce,
        {.name = "reduce",
         .words = "addition of a weight gradient's part",
         .lane = Lane::compute,
         .purpose = Purpose::sum},
        {{Buffer::gradient, Access::add, Extent::slice}, {Buffer::staged, Access::read, Extent::source}}),
    row(OpKind::update,
        {.name = "update", .words = "update of the weights", .lane = Lane::compute, .purpose = Purpose::update},
        {{Buffer::gradient, Access::add, Extent::slice},
         {Buffer::parameters, Access::add, Extent::slice},
         {Buffer::optimizer_state, Access::add, Extent::slice}}),
    row(OpKind::load,
        {.name = "load",
         .words = "download of the data",
         .lane = Lane::download,
         .store = StoreRequest::read_data,
         .purpose = Purpose::data},
        {{Buffer::data, Access::write, Extent::micro_batch}}),
    row(OpKind::receive_activation,
        {.name = "receive_activation",
         .lane = Lane::download,
         .store = StoreRequest::take,
         .purpose = Purpose::activation,
         .objects = bit(ObjectKind::activation)},
        {{Buffer::input, Access::write, Extent::micro_batch}}),
    row(OpKind::receive_gradient,
        {.name = "receive_gradient",
         .lane = Lane::download,
         .store = StoreRequest::take,
         .purpose = Purpose::gradient,
         .objects = bit(ObjectKind::gradient)},
        {{Buffer::output_gradient, Access::write, Extent::micro_batch}}),
    row(OpKind::fetch_buffers,
        {.name = "fetch_buffers",
         .lane = Lane::download,
         .store = StoreRequest::take,
         .purpose = Purpose::synchronisation,
         .objects = bit(ObjectKind::buffers)},
        {{Buffer::state, Access::write, Extent::whole}}),
    row(OpKind::fetch,
        {.name = "fetch",
         .lane = Lane::download,
         .store = StoreRequest::take,
         .purpose = Purpose::synchronisation,
         .objects = kSummed},
        {{Buffer::staged, Access::write, Extent::own}}),
    row(OpKind::fetch_into,
        {.name = "fetch_into",
         .lane = Lane::download,
         .store = StoreRequest::take,
         .purpose = Purpose::synchronisation,
         .objects = kSummed},
        {{Buffer::gradient, Access::write, Extent::slice}}),
    row(OpKind::send_activation,
        {.name = "send_activation",
         .lane = Lane::upload,
         .store = StoreRequest::publish,
         .purpose = Purpose::activation,
         .objects = bit(ObjectKind::activation)},
        {{Buffer::output, Access::read, Extent::micro_batch}}),
    row(OpKind::send_gradient,
        {.name = "send_gradient",
         .lane = Lane::upload,
         .store = StoreRequest::publish,
         .purpose = Purpose::gradient,
         .objects = bit(ObjectKind::gradient)},
        {{Buffer::input_gradient, Access::read, Extent::micro_batch}}),
    row(OpKind::publish,
        {.name = "publish",
         .lane = Lane::upload,
         .store = StoreRequest::publish,
         .purpose = Purpose::synchronisation,
         .objects = kSummed},
        {{Buffer::gradient, Access::read, Extent::slice}}),
    row(OpKind::publish_buffers,
        {.name = "publish_buffers",
         .lane = Lane::upload,
         .store = StoreRequest::publish,
         .purpose = Purpose::synchronisation,
         .objects = bit(ObjectKind::buffers)},
        {{Buffer::state, Access::read, Extent::whole}}),
    row(OpKind::report,
        {.name = "report",
         .words = "report of the loss",
         .lane = Lane::upload,
         .store = StoreRequest::report,
         .purpose = Purpose::housekeeping},
        {}),
    row(OpKind::release,
        {.name = "release",
         .words = "removal of old objects",
         .lane = Lane::upload,
         .store = StoreRequest::remove,
         .purpose = Purpose::housekeeping},
        {}),
};
static_assert(kRows.size() == kOpKinds && in_order(kRows));

struct BufferRow {
  Buffer kind;
  std::string_view name;
  bool lasts;
};
constexpr std::array kBufferRows{
    BufferRow{Buffer::gradient, "gradient", true},
    BufferRow{Buffer::parameters, "parameters", true},
    BufferRow{Buffer::optimizer_state, "optimiser state", true},
    BufferRow{Buffer::state, "state", true},
    BufferRow{Buffer::staged, "staged bytes", true},
    BufferRow{Buffer::data, "data", false},
    BufferRow{Buffer::input, "received activations", false},
    BufferRow{Buffer::activations, "kept activations", false},
    BufferRow{Buffer::output, "output", false},
    BufferRow{Buffer::output_gradient, "received gradients", false},
    BufferRow{Buffer::input_gradient, "gradients to send", false},
};
static_assert(kBufferRows.size() == kBuffers && in_order(kBufferRows));

struct ObjectRow {
  ObjectKind kind;
  std::string_view name;
  std::string_view index;  // Letters before the index in a key.
};
constexpr std::array kObjectRows{
    ObjectRow{ObjectKind::activation, "activation", "m"}, ObjectRow{ObjectKind::gradient, "gradient", "m"},
    ObjectRow{ObjectKind::part, "part", "shard"},         ObjectRow{ObjectKind::merged, "merged", "shard"},
    ObjectRow{ObjectKind::buffers, "buffers", "to-r"},    ObjectRow{ObjectKind::tied, "tied", "p"},
};
static_assert(kObjectRows.size() == kObjectKinds && in_order(kObjectRows));

}  // namespace

const OpTraits& traits(OpKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  FUNCPIPE_CHECK(index < kRows.size(), "operation kind {}", index);
  return kRows[index].traits;
}

const Touch* touch_of(OpKind kind, Buffer buffer) {
  for (const Touch& touch : traits(kind))
    if (touch.buffer == buffer) return &touch;
  return nullptr;
}

std::string_view to_string(Lane lane) {
  constexpr std::array<std::string_view, kLanes> kNames{"compute", "download", "upload"};
  return kNames[static_cast<std::size_t>(lane)];
}

std::string_view to_string(Buffer buffer) {
  return kBufferRows[static_cast<std::size_t>(buffer)].name;
}

bool lasts(Buffer buffer) {
  return kBufferRows[static_cast<std::size_t>(buffer)].lasts;
}

bool overlap(const Slice& a, const Slice& b) {
  return a.first < b.first + b.elements && b.first < a.first + a.elements;
}

Place place_of(const Touch& touch, const Op& op, int index) {
  switch (touch.extent) {
    case Extent::whole:
      return {touch.buffer, 0, kWhole};
    case Extent::slice:
      return {touch.buffer, 0, op.slice};
    case Extent::micro_batch:
      return {touch.buffer, op.micro_batch, kWhole};
    case Extent::own:
      return {touch.buffer, index, kWhole};
    case Extent::source:
      return {touch.buffer, op.source, kWhole};
  }
  FUNCPIPE_CHECK(false, "extent {}", static_cast<int>(touch.extent));
  return {};
}

std::string to_string(const Place& place) {
  if (!lasts(place.buffer)) return fmt::format("{} of micro-batch {}", to_string(place.buffer), place.index);
  if (place.buffer == Buffer::staged) return fmt::format("{} of operation {}", to_string(place.buffer), place.index);
  return std::string(to_string(place.buffer));
}

std::string to_string(const ObjectName& name) {
  const auto& [of, kind, index] = kObjectRows[static_cast<std::size_t>(name.kind)];
  if (WorkerId{name.stage, name.replica} == kParameterServer)
    return fmt::format("{}/server/{}{}", kind, index, name.index);
  return fmt::format("{}/s{}-r{}/{}{}", kind, name.stage, name.replica, index, name.index);
}

std::string object_key(const std::string& prefix, std::int64_t iteration, const ObjectName& name) {
  return fmt::format("{}/i{:08}/{}", prefix, iteration, to_string(name));
}

}  // namespace funcpipe
