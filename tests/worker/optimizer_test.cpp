#include "worker/optimizer.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

namespace funcpipe {
namespace {

std::vector<at::Tensor> make_parameters() {
  std::vector<at::Tensor> parameters;
  for (const std::int64_t size : {7, 1, 30})
    parameters.push_back(at::arange(size, at::kFloat).cos().set_requires_grad(true));
  return parameters;
}

void set_gradients(const std::vector<at::Tensor>& parameters, int step) {
  for (const at::Tensor& parameter : parameters)
    parameter.mutable_grad() = at::arange(parameter.numel(), at::kFloat).add(step).sin();
}

bool equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!a[i].equal(b[i])) return false;
  return true;
}

JobConfig::Optimizer config_of(const std::string& name) {
  JobConfig::Optimizer config;
  config.name = name;
  config.lr = 0.03;
  config.momentum = 0.9;
  config.weight_decay = 0.01;
  config.beta1 = 0.8;
  return config;
}

std::unique_ptr<torch::optim::Optimizer> plain(const JobConfig::Optimizer& config, std::vector<at::Tensor> parameters) {
  if (config.name == "sgd")
    return std::make_unique<torch::optim::SGD>(parameters,
                                               torch::optim::SGDOptions(0.03).momentum(0.9).weight_decay(0.01));
  if (config.name == "adam")
    return std::make_unique<torch::optim::Adam>(parameters,
                                                torch::optim::AdamOptions(0.03).betas({0.8, 0.999}).weight_decay(0.01));
  return std::make_unique<torch::optim::AdamW>(parameters,
                                               torch::optim::AdamWOptions(0.03).betas({0.8, 0.999}).weight_decay(0.01));
}

class EveryOptimizer : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryOptimizer, HasTheBitsOfTorchOptim) {
  const auto config = config_of(GetParam());
  const auto ours = make_parameters(), theirs = make_parameters();
  StageOptimizer optimizer(config, ours);
  const auto reference = plain(config, theirs);
  for (int step = 0; step < 10; ++step) {
    set_gradients(ours, step);
    set_gradients(theirs, step);
    optimizer.step(0.03);
    reference->step();
    ASSERT_TRUE(equal(ours, theirs)) << "step " << step;
  }
}

TEST_P(EveryOptimizer, GoesOnFromItsSnapshot) {
  const auto config = config_of(GetParam());
  const auto ours = make_parameters(), theirs = make_parameters();
  StageOptimizer whole(config, ours);
  auto first = std::make_unique<StageOptimizer>(config, theirs);
  std::string fresh = first->save();
  for (int step = 0; step < 10; ++step) {
    if (step == 4) {
      const std::string state = first->save();
      first = std::make_unique<StageOptimizer>(config, theirs);
      ASSERT_TRUE(first->load(state));
      EXPECT_EQ(first->save(), state);
      EXPECT_FALSE(first->load(std::string_view(state).substr(1)));
      EXPECT_FALSE(first->load(std::string_view(state).substr(0, state.size() - 1)));
      EXPECT_FALSE(first->load(state + "x"));
    }
    set_gradients(ours, step);
    set_gradients(theirs, step);
    whole.step(0.01 * (step + 1));
    first->step(0.01 * (step + 1));
  }
  EXPECT_TRUE(equal(ours, theirs));
  EXPECT_TRUE(first->load(fresh));  // before the first step there is no state
}

// No decay, no momentum, no step counted; and a snapshot that knows which parameters have a state.
TEST_P(EveryOptimizer, LeavesAloneWhatHasNoGradient) {
  const auto config = config_of(GetParam());
  const auto ours = make_parameters(), theirs = make_parameters(), untouched = make_parameters();
  auto optimizer = std::make_unique<StageOptimizer>(config, ours);
  const auto reference = plain(config, theirs);
  for (int step = 0; step < 6; ++step) {
    for (const auto& parameters : {ours, theirs}) {
      set_gradients(parameters, step);
      parameters[1].mutable_grad().reset();
      if (step % 2 == 1) parameters[2].mutable_grad().reset();
    }
    if (step == 3) {
      const std::string state = optimizer->save();
      optimizer = std::make_unique<StageOptimizer>(config, ours);
      ASSERT_TRUE(optimizer->load(state));
    }
    optimizer->step(0.03);
    reference->step();
    ASSERT_TRUE(equal(ours, theirs)) << "step " << step;
  }
  EXPECT_TRUE(ours[1].equal(untouched[1]));
  EXPECT_FALSE(ours[2].equal(untouched[2]));
}

TEST_P(EveryOptimizer, StandsAStageWithoutParameters) {
  StageOptimizer optimizer(config_of(GetParam()), {});
  optimizer.step(0.1);
  EXPECT_TRUE(optimizer.load(optimizer.save()));
}

INSTANTIATE_TEST_SUITE_P(Names, EveryOptimizer, ::testing::Values("sgd", "adam", "adamw"));

// The last part of a snapshot (docs/formats/snapshot.md), byte for byte, of two parameters of which the second never
// had a gradient. Every figure is exact, so no release of libtorch may round it otherwise.
TEST(StageOptimizer, IsSavedInTheFormatOfSnapshots) {
  const auto saved = [](const std::string& name) {
    JobConfig::Optimizer config;
    config.name = name;
    config.momentum = config.beta1 = config.beta2 = 0.5;
    config.weight_decay = 0;
    const std::vector<at::Tensor> parameters{at::zeros({2}).set_requires_grad(true),
                                             at::zeros({3}).set_requires_grad(true)};
    parameters[0].mutable_grad() = at::arange(2, at::kFloat).sub(2);  // -2, -1
    StageOptimizer optimizer(config, parameters);
    optimizer.step(0.5);
    std::string hex;
    for (const unsigned char byte : optimizer.save()) hex += fmt::format("{:02x}", byte);
    return hex;
  };
  const std::string adam =
      "01"                // the first parameter has state
      "0100000000000000"  // one step
      "000080bf000000bf"  // mean: -1, -0.5
      "000000400000003f"  // mean square: 2, 0.5
      "00";               // the second has none
  EXPECT_EQ(saved("sgd"),
            "00"
            "01"
            "000000c0000080bf"
            "00");
  EXPECT_EQ(saved("adam"), "01" + adam);
  EXPECT_EQ(saved("adamw"), "02" + adam);
}

TEST(StageOptimizer, RefusesTheStateOfAnother) {
  StageOptimizer adam(config_of("adam"), make_parameters()), sgd(config_of("sgd"), make_parameters());
  const auto loaded = sgd.load(adam.save());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace funcpipe
