// A worker whose computation is a stub on plain floats: everything else is real (programs, lanes, wire, store).
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "protocol/wire.h"
#include "schedule/program.h"
#include "store/store.h"
#include "worker/arrival.h"
#include "worker/player.h"

namespace funcpipe::testing {

enum class Numbers { whole, fractional };  // whole: sums are exact, whatever their order

// What the stub computes: values that are functions of what they are for, so that any mix-up shows.
struct StubModel {
  std::uint64_t seed = 1;
  Numbers numbers = Numbers::whole;

  float number(std::initializer_list<std::uint64_t> words) const {
    const std::uint64_t bits = mix(seed, words);
    return numbers == Numbers::whole ? static_cast<float>(bits % 16) : static_cast<float>(bits >> 40) * 0x1.0p-22f;
  }
  // `what` is 1 for the activation, 2 for its gradient sent on by `stage`.
  std::vector<float> border(int what, int stage, int micro_batch, std::int64_t iteration) const {
    std::vector<float> values;
    for (std::uint64_t i = 0; i < 5; ++i) {
      values.push_back(number({static_cast<std::uint64_t>(what), static_cast<std::uint64_t>(stage),
                               static_cast<std::uint64_t>(micro_batch), static_cast<std::uint64_t>(iteration), i}));
    }
    return values;
  }
  // What one micro-batch adds to element i of a stage's gradient.
  float share(int stage, int micro_batch, std::int64_t iteration, std::int64_t i) const {
    return number({3, static_cast<std::uint64_t>(stage), static_cast<std::uint64_t>(micro_batch),
                   static_cast<std::uint64_t>(iteration), static_cast<std::uint64_t>(i)});
  }
};

class StubWorker final : public Executor {
 public:
  StubWorker(const StageShape& shape, const Program& program, Store& store, Clock& clock, const StubModel& model)
      : program_(program),
        store_(store),
        clock_(clock),
        model_(model),
        gradient(shape.gradient_elements, 0.0f),
        weights(shape.gradient_elements, 0.0f),
        staged_(program.ops.size()) {}

  Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) override {
    const int stage = program_.worker.stage;
    switch (op.kind) {
      case OpKind::load:
      case OpKind::report:
      case OpKind::forward:
        return {};
      case OpKind::backward:
        for (std::size_t i = 0; i < gradient.size(); ++i) {
          gradient[i] += model_.share(stage, op.micro_batch, iteration, static_cast<std::int64_t>(i));
        }
        return {};
      case OpKind::reduce: {
        const std::vector<float>& other = staged_[op.source];
        for (std::size_t i = 0; i < other.size(); ++i) gradient[op.slice.first + i] += other[i];
        return {};
      }
      case OpKind::update:
        for (std::size_t i = 0; i < gradient.size(); ++i) weights[i] += 0.5f * weights[i] + gradient[i];
        sums.push_back(gradient);
        gradient.assign(gradient.size(), 0.0f);
        return {};
      case OpKind::send_activation:
        return send(op, iteration, model_.border(1, stage, op.micro_batch, iteration));
      case OpKind::send_gradient:
        return send(op, iteration, model_.border(2, stage, op.micro_batch, iteration));
      case OpKind::publish_buffers:
        return send(op, iteration, model_.border(4, stage, 0, iteration));
      case OpKind::publish: {
        const auto first = gradient.begin() + op.slice.first;
        return send(op, iteration, std::span<const float>(first, first + op.slice.elements));
      }
      case OpKind::receive_activation:
        return expect(op, index, iteration, model_.border(1, stage - 1, op.micro_batch, iteration), stop);
      case OpKind::receive_gradient:
        return expect(op, index, iteration, model_.border(2, stage + 1, op.micro_batch, iteration), stop);
      case OpKind::fetch_buffers:
        return expect(op, index, iteration, model_.border(4, stage, 0, iteration), stop);
      case OpKind::fetch: {
        FUNCPIPE_TRY(values, receive(op, index, iteration, stop));
        staged_[index] = std::move(values);
        return {};
      }
      case OpKind::fetch_into: {
        FUNCPIPE_TRY(values, receive(op, index, iteration, stop));
        std::copy(values.begin(), values.end(), gradient.begin() + op.slice.first);
        return {};
      }
      case OpKind::release: {
        if (iteration < op.release_age) return {};
        std::vector<std::string> keys;
        for (const ObjectName& name : op.released) keys.push_back(object_key("job", iteration - op.release_age, name));
        return store_.remove(keys);
      }
    }
    return {};
  }

 private:
  Result<> send(const Op& op, std::int64_t iteration, std::span<const float> values) {
    const WireTensor tensor{.shape = {static_cast<std::int64_t>(values.size())}, .bytes = std::as_bytes(values)};
    const EncodedTensors encoded = encode_tensors({&tensor, 1});
    FUNCPIPE_TRY(outcome,
                 store_.put(object_key("job", iteration, op.object), encoded.pieces, PutMode::create_if_absent));
    EXPECT_EQ(outcome, PutOutcome::created) << to_string(op.object);
    return {};
  }

  Result<std::vector<float>> receive(const Op& op, int index, std::int64_t iteration, std::stop_token stop) {
    const AwaitedObject object{.key = object_key("job", iteration, op.object),
                               .waiting = program_.worker,
                               .producer = {op.object.stage, op.object.replica},
                               .operation = std::string(to_string(op.kind)),
                               .iteration = iteration};
    std::vector<std::byte> bytes;
    const auto destination = [&](Bytes size) -> Result<MutableBytes> {
      bytes.resize(size);
      return MutableBytes(bytes);
    };
    const Seconds now = clock_.now();
    FUNCPIPE_TRY(arrival, fetch_when_there(store_, object, destination, clock_, now, estimates_.first_poll(index),
                                           {.limit = 60, .shortest_pause = 0.0005}, stop));
    estimates_.learn(index, arrival);
    FUNCPIPE_TRY(tensors, decode_tensors(bytes, object.key));
    std::vector<float> values(tensors.at(0).bytes.size() / sizeof(float));
    std::memcpy(values.data(), tensors[0].bytes.data(), tensors[0].bytes.size());
    if (op.slice.elements > 0) {
      EXPECT_EQ(static_cast<std::int64_t>(values.size()), op.slice.elements);
    }
    return values;
  }

  Result<> expect(const Op& op, int index, std::int64_t iteration, const std::vector<float>& expected,
                  std::stop_token stop) {
    FUNCPIPE_TRY(values, receive(op, index, iteration, stop));
    EXPECT_EQ(values, expected) << to_string(op.object);
    return {};
  }

  const Program& program_;
  Store& store_;
  Clock& clock_;
  const StubModel model_;

 public:
  // Not guarded: the program's dependencies must keep its users apart, and ThreadSanitizer watches whether they do.
  std::vector<float> gradient;
  std::vector<float> weights;
  std::vector<std::vector<float>> sums;  // the synchronised gradient of every iteration

 private:
  std::vector<std::vector<float>> staged_;
  ArrivalEstimates estimates_;
};

}  // namespace funcpipe::testing
