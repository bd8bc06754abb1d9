#include "measure/measure_layer.h"

#include <ATen/core/ivalue.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "measure/cache_sweep.h"
#include "measure/memory_ledger.h"
#include "measure/sample_tensors.h"
#include "model/border_gradient.h"
#include "model/stage.h"
#include "model/torch_error.h"

namespace funcpipe {
namespace {

constexpr int kWarmUps = 2;
constexpr Seconds kLongWarmUp = 0.5;  // seconds of one repetition after which the layer is warm
constexpr Seconds kEnough = 0.2;      // fast layers are repeated until they took so many seconds together ...
constexpr int kMostRepeats = 40;      // ... or so many times, unless more are asked for

struct Repetition {
  Seconds forward = 0, backward = 0;  // by the clock in use
  Bytes activations = 0, working = 0;
};

Seconds quantile(std::vector<Seconds> values, double share) {
  std::ranges::sort(values);
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

class Trial {
 public:
  Trial(Stage stage, const ModelDescription& model, int layer, const LayerTrial& settings, MemoryLedger& ledger)
      : stage_(std::move(stage)),
        model_(model),
        layer_(layer),
        settings_(settings),
        ledger_(ledger),
        others_(settings.others) {
    stage_.train(true);
    for (const at::Tensor& parameter : stage_.parameters()) parameter.mutable_grad() = at::zeros_like(parameter);
  }

  Seconds clock() const { return settings_.by_wall ? wall_.now() : thread_cpu_time(); }

  // Chooses the range of integer inputs: the rows of the layer's largest table with which the model accepts them.
  void choose_range() {
    bool integers = false;
    for (const int input : stage_.data_inputs())
      integers |= model_.inputs[static_cast<std::size_t>(input)].dtype.find("int") != std::string::npos;
    if (!integers) return;
    std::set<std::int64_t, std::greater<>> ranges;
    for (const at::Tensor& parameter : stage_.parameters())
      if (parameter.dim() == 2) ranges.insert(parameter.size(0));
    for (const std::int64_t range : ranges) {
      range_ = range;
      try {
        repeat(0);
        return;
      } catch (const std::bad_alloc&) {
        throw;
      } catch (const std::exception&) {
        range_ = 0;  // tries the next smaller table, at last zeros
      }
    }
  }

  Repetition repeat(int number) {
    std::vector<at::Tensor> border, data;
    others_.run();  // done before the inputs are made, which come fresh from the layer before
    if (layer_ > 0) {
      const auto& specs = model_.layers[static_cast<std::size_t>(layer_) - 1].border;
      border = sample_tensors(specs, static_cast<std::uint64_t>(number) + 1);
      for (std::size_t i = 0; i < specs.size(); ++i)
        if (specs[i].requires_grad) incoming_.emplace_back(border[i]);
    }
    const auto all = sample_tensors(model_.inputs, 1, range_);
    for (const int input : stage_.data_inputs()) data.push_back(all[static_cast<std::size_t>(input)]);

    Repetition result;
    const Bytes before = ledger_.live();
    ledger_.restart_peak();
    Seconds start = clock();
    std::vector<at::Tensor> outputs = stage_.forward(border, data, {1, number, 0});
    result.forward = clock() - start;
    result.activations = std::max<Bytes>(0, ledger_.live() - before);

    std::vector<at::Tensor> roots, gradients;
    others_.run();
    for (at::Tensor& output : outputs) {
      if (!output.requires_grad()) continue;
      gradients.push_back(at::ones_like(output));
      roots.push_back(std::move(output));
    }
    outputs.clear();
    start = clock();
    if (!roots.empty()) torch::autograd::backward(roots, gradients);
    result.backward = clock() - start;
    result.working = std::max<Bytes>(0, ledger_.peak() - before - result.activations);
    incoming_.clear();
    return result;
  }

 private:
  Stage stage_;
  const ModelDescription& model_;
  const int layer_;
  const LayerTrial& settings_;
  MemoryLedger& ledger_;
  CacheSweep others_;
  SystemClock wall_;
  std::int64_t range_ = 0;
  std::vector<BorderGradient> incoming_;
};

// `first` is the time of loading and the first pass together.
LayerMeasurement summary(const std::vector<Repetition>& repetitions, Seconds first, double scale) {
  std::vector<Seconds> forward, backward;
  LayerMeasurement result;
  for (const Repetition& repetition : repetitions) {
    const Seconds both = (repetition.forward + repetition.backward) * scale;
    result.least = forward.empty() ? both : std::min(result.least, both);
    forward.push_back(repetition.forward * scale);
    backward.push_back(repetition.backward * scale);
    result.sizes.activations = std::max(result.sizes.activations, repetition.activations);
    result.sizes.working = std::max(result.sizes.working, repetition.working);
  }
  result.time.forward = quantile(forward, 0.5);
  result.time.backward = quantile(backward, 0.5);
  result.time.forward_spread = quantile(forward, 0.75) - quantile(forward, 0.25);
  result.time.backward_spread = quantile(backward, 0.75) - quantile(backward, 0.25);
  result.time.warm_up = std::max(0.0, first * scale - result.time.forward - result.time.backward);
  return result;
}

}  // namespace

Result<LayerMeasurement> measure_layer(std::string archive, const ModelDescription& model, int layer,
                                       const LayerTrial& settings) {
  FUNCPIPE_CHECK(0 <= layer && layer < static_cast<int>(model.layers.size()), "layer {} of {}", layer,
                 model.layers.size());
  const c10::AutoGradMode with_gradients(true);
  MemoryLedger ledger;
  SystemClock wall;
  const auto now = [&] { return settings.by_wall ? wall.now() : thread_cpu_time(); };
  Seconds began = now();
  FUNCPIPE_TRY(stage, Stage::load(archive));
  const Seconds loading = now() - began;
  archive = std::string();
  const LayerDescription& described = model.layers[static_cast<std::size_t>(layer)];
  if (stage.first_layer() != layer || stage.end_layer() != layer + 1)
    return fail(ErrorCode::corrupt, fmt::format("this is the stage file of layers {} to {}, not of layer {}",
                                                stage.first_layer(), stage.end_layer() - 1, layer));
  try {
    Trial trial(std::move(stage), model, layer, settings, ledger);
    const Seconds start = wall.now();
    const auto took = [&] { return wall.now() - start; };
    began = now();
    trial.choose_range();
    Seconds first = now() - began;  // the first pass was made there if there are integers to draw
    std::vector<Repetition> repetitions;
    for (int i = 0; i < kWarmUps && (i == 0 || took() < kLongWarmUp); ++i) repetitions.push_back(trial.repeat(i));
    first += loading + repetitions.front().forward + repetitions.front().backward;
    const Repetition warm = repetitions.back();
    repetitions.clear();
    Seconds sum = 0;
    for (int i = 0; i < settings.repeats || (i < kMostRepeats && sum < kEnough); ++i) {
      if (took() * (i + 2) / (i + 1) > settings.limit) break;
      repetitions.push_back(trial.repeat(kWarmUps + i));
      sum += repetitions.back().forward + repetitions.back().backward;
    }
    if (repetitions.empty()) repetitions.push_back(warm);  // the layer takes the whole lifetime of the function
    auto result =
        summary(repetitions, first, settings.by_wall ? 1 / settings.dilation : settings.seconds_per_cpu_second);
    for (const TensorSpec& tensor : described.border) {
      result.sizes.border += tensor.bytes();
      if (tensor.requires_grad) result.sizes.border_gradient += tensor.bytes();
    }
    return result;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const c10::Error& error) {
    if (std::string_view(error.what_without_backtrace()).find("can't allocate memory") != std::string_view::npos)
      throw std::bad_alloc();
    return fail(ErrorCode::failed, "the model raised: " + first_lines(error), described.name);
  } catch (const std::exception& error) {  // TorchScript's own errors
    return fail(ErrorCode::failed, "the model raised: " + first_lines(error), described.name);
  }
}

}  // namespace funcpipe
