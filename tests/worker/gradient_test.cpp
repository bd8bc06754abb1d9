#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>

#include "worker/flat_gradient.h"
#include "worker/loss.h"

namespace funcpipe {
namespace {

at::Tensor leaf(std::initializer_list<std::int64_t> shape, double scale) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : shape) elements *= extent;
  at::Tensor tensor = at::arange(elements, at::kFloat).sin().mul(scale).reshape(shape);
  return tensor.set_requires_grad(true);
}

at::Tensor loss_of(const std::vector<at::Tensor>& parameters, int round) {
  const at::Tensor product = parameters[0].mm(parameters[1]);
  const at::Tensor bent = product.mul(0.7 + round).tanh();
  const at::Tensor scaled = bent.mul(parameters[2]);
  return scaled.mean();
}

TEST(FlatGradient, AccumulatesTheBitsOfPlainAutograd) {
  const auto make = [] { return std::vector<at::Tensor>{leaf({3, 5}, 0.9), leaf({5, 4}, 1.1), leaf({4}, 2)}; };
  const std::vector<at::Tensor> plain = make(), viewed = make();
  FlatGradient gradient(viewed);
  EXPECT_EQ(gradient.elements(), 15 + 20 + 4);
  for (int step = 0; step < 2; ++step) {
    for (const at::Tensor& parameter : plain) parameter.mutable_grad().reset();
    for (int round = 0; round < 3; ++round) {
      loss_of(plain, round).backward();
      loss_of(viewed, round).backward();
    }
    std::int64_t first = 0;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      EXPECT_TRUE(viewed[i].grad().equal(plain[i].grad()));
      // The views still lie in the buffer, one after the other.
      EXPECT_EQ(static_cast<void*>(viewed[i].grad().data_ptr()),
                static_cast<void*>(gradient.bytes({first, plain[i].numel()}).data()));
      first += plain[i].numel();
    }
    gradient.clear();
    for (const at::Tensor& parameter : viewed) EXPECT_EQ(parameter.grad().abs().sum().item<float>(), 0);
  }
}

TEST(FlatGradient, AddsToASliceOnly) {
  const std::vector<at::Tensor> parameters{leaf({4}, 1), leaf({3}, 1)};
  FlatGradient gradient(parameters);
  const std::vector<float> term{1, 2, 3};
  gradient.add({3, 3}, std::as_bytes(std::span(term)));
  gradient.add({3, 3}, std::as_bytes(std::span(term)));
  gradient.add({7, 0}, {});
  EXPECT_EQ(parameters[0].grad().sum().item<float>(), 2);
  EXPECT_EQ(parameters[0].grad()[3].item<float>(), 2);
  EXPECT_EQ(parameters[1].grad().sum().item<float>(), 10);
}

std::vector<bool> defined(const std::vector<at::Tensor>& parameters) {
  std::vector<bool> result;
  for (const at::Tensor& parameter : parameters) result.push_back(parameter.grad().defined());
  return result;
}

// A gradient of nothing but -0 is one; the second parameter has none, the third only in the second step.
TEST(FlatGradient, WithdrawsWhatNoPassReached) {
  const std::vector<at::Tensor> parameters{leaf({2}, 1), leaf({3}, 1), leaf({1}, 1), leaf({0}, 1)};
  FlatGradient gradient(parameters);
  for (int step = 0; step < 2; ++step) {
    parameters[0].mul(-0.0).sum().backward();
    gradient.note_reached();
    parameters[step == 0 ? 0 : 2].mul(-0.0).sum().backward();
    gradient.note_reached();
    gradient.withdraw_unreached();
    EXPECT_EQ(defined(parameters), (std::vector{true, false, step == 1, false}));
    EXPECT_EQ(parameters[0].grad().abs().sum().item<float>(), 0);
    gradient.clear();
    EXPECT_EQ(defined(parameters), (std::vector{true, true, true, true}));
  }
}

// What another worker's pass reached has a gradient here too, whatever its value.
TEST(FlatGradient, KnowsWhatOthersReached) {
  const auto make = [] { return std::vector<at::Tensor>{leaf({2}, 1), leaf({2}, 1), leaf({2}, 1), leaf({2}, 1)}; };
  const std::vector<at::Tensor> mine = make(), yours = make();
  FlatGradient here(mine), there(yours);
  mine[0].mul(3).sum().backward();
  here.note_reached();
  yours[0].mul(-3).sum().backward();  // sums to 0
  yours[1].mul(-0.0).sum().backward();
  yours[2].mul(5).sum().backward();
  there.note_reached();
  // In slices that split the parameters, as shards do: a parameter is told of where it begins.
  for (const Slice& slice : {Slice{0, 3}, Slice{3, 2}, Slice{5, 3}}) {
    const MutableBytes own = here.reached(slice), other = there.reached(slice);
    ASSERT_EQ(own.size(), other.size());
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = other[i] = own[i] | other[i];
  }
  here.withdraw_unreached();
  there.withdraw_unreached();
  EXPECT_EQ(defined(mine), (std::vector{true, true, true, false}));
  EXPECT_EQ(defined(yours), defined(mine));
}

TEST(FlatGradient, TellsOfAParameterInTheSliceInWhichItBegins) {
  const std::vector<at::Tensor> parameters{leaf({4}, 1), leaf({0}, 1), leaf({3}, 1)};
  FlatGradient gradient(parameters);
  EXPECT_EQ(gradient.reached({0, 7}).size(), 3u);
  EXPECT_EQ(gradient.reached({0, 2}).size(), 1u);
  EXPECT_EQ(gradient.reached({1, 3}).size(), 0u) << "the middle of the first";
  EXPECT_EQ(gradient.reached({4, 1}).size(), 2u) << "the empty one too";
  EXPECT_EQ(gradient.reached({5, 2}).size(), 0u);
}

// A gradient's first term keeps its very bits, those of -0 too.
TEST(FlatGradient, KeepsTheSignOfZero) {
  const std::vector<at::Tensor> parameters{leaf({2}, 1)};
  FlatGradient gradient(parameters);
  parameters[0].mul(-0.0).sum().backward();
  gradient.note_reached();
  EXPECT_TRUE(std::signbit(parameters[0].grad()[0].item<float>()));
}

TEST(FlatGradient, MayBeEmpty) {
  FlatGradient gradient({});
  gradient.note_reached();
  gradient.withdraw_unreached();
  EXPECT_EQ(gradient.elements(), 0);
  EXPECT_TRUE(gradient.bytes({0, 0}).empty());
  gradient.clear();
}

JobConfig::Model by(const std::string& loss, const std::string& axis = "auto") {
  JobConfig::Model settings;
  settings.loss = loss;
  settings.class_axis = axis;
  return settings;
}

TEST(Loss, CountsPredictions) {
  const at::Tensor output = at::arange(12, at::kFloat).reshape({4, 3});  // the last class always wins
  const at::Tensor target = at::arange(4, at::kLong).remainder(3);       // 0 1 2 0
  const auto loss = compute_loss(by("cross-entropy"), {output}, target);
  ASSERT_TRUE(loss) << describe(loss.error());
  EXPECT_EQ(loss->correct, 1);
  EXPECT_EQ(loss->predictions, 4);
  EXPECT_NEAR(loss->mean.item<double>(), (2.40760596 + 1.40760596 + 0.40760596 + 2.40760596) / 4, 1e-5);
}

TEST(Loss, FlattensTokens) {
  const at::Tensor output = at::arange(24, at::kFloat).sin().reshape({2, 3, 4});
  const at::Tensor target = at::arange(6, at::kByte).remainder(4).reshape({2, 3});
  const auto tokens = compute_loss(by("cross-entropy"), {output}, target);
  const auto flat = compute_loss(by("cross-entropy"), {output.reshape({6, 4})}, target.reshape({6}));
  ASSERT_TRUE(tokens && flat);
  EXPECT_EQ(tokens->mean.item<float>(), flat->mean.item<float>());
  EXPECT_EQ(tokens->predictions, 6);
}

TEST(Loss, TakesTheClassesFromTheAxisThatFitsOrIsAskedFor) {
  const at::Tensor output = at::arange(24, at::kFloat).sin().reshape({2, 4, 3});  // four classes, three predictions
  const at::Tensor target = at::arange(6, at::kLong).remainder(4).reshape({2, 3});
  const auto second = compute_loss(by("cross-entropy"), {output}, target);
  const auto moved = compute_loss(by("cross-entropy"), {output.transpose(1, 2).contiguous()}, target);
  ASSERT_TRUE(second && moved) << describe(second.error());
  EXPECT_NEAR(second->mean.item<double>(), moved->mean.item<double>(), 1e-6);
  EXPECT_EQ(second->correct, moved->correct);
  EXPECT_EQ(second->predictions, 6);
  EXPECT_FALSE(compute_loss(by("cross-entropy", "last"), {output}, target));

  const at::Tensor square = at::arange(18, at::kFloat).sin().reshape({2, 3, 3});
  const at::Tensor classes = at::arange(6, at::kLong).remainder(3).reshape({2, 3});
  const auto by_second = compute_loss(by("cross-entropy", "second"), {square}, classes);
  const auto by_last = compute_loss(by("cross-entropy", "last"), {square.transpose(1, 2)}, classes);
  ASSERT_TRUE(by_second && by_last);
  EXPECT_NEAR(by_second->mean.item<double>(), by_last->mean.item<double>(), 1e-6);
  EXPECT_NE(by_second->mean.item<float>(),
            compute_loss(by("cross-entropy", "last"), {square}, classes)->mean.item<float>());
}

TEST(Loss, RefusesWhatDoesNotFit) {
  const at::Tensor output = at::full({4, 3}, 0.5);
  const auto code = [](const Result<LossResult>& loss) { return loss ? ErrorCode::failed : loss.error().code; };
  EXPECT_EQ(code(compute_loss(by("cross-entropy"), {output}, at::full({5}, 1, at::kLong))), ErrorCode::invalid_input);
  EXPECT_EQ(code(compute_loss(by("cross-entropy"), {output}, at::full({4}, 3, at::kLong))), ErrorCode::invalid_input);
  EXPECT_EQ(code(compute_loss(by("cross-entropy"), {output}, at::full({4}, -1, at::kLong))), ErrorCode::invalid_input);
  EXPECT_EQ(code(compute_loss(by("cross-entropy"), {output}, at::full({4}, 0.5))), ErrorCode::invalid_input);
  EXPECT_EQ(code(compute_loss(by("mse"), {output}, at::full({4, 2}, 1.0))), ErrorCode::invalid_input);
  EXPECT_EQ(code(compute_loss(by("mse"), {output}, at::full({3, 4}, 1.0))), ErrorCode::invalid_input) << "scrambled";
  EXPECT_EQ(code(compute_loss(by("mse"), {}, output)), ErrorCode::invalid_input);
  EXPECT_TRUE(compute_loss(by("mse"), {output}, at::full({4, 3}, 1, at::kByte)));
  EXPECT_TRUE(compute_loss(by("model"), {at::full({1}, 2.5)}, {}));
}

}  // namespace
}  // namespace funcpipe
