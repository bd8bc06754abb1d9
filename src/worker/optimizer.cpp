#include "worker/optimizer.h"

#include <ATen/ops/empty_like.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cstring>
#include <sstream>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace funcpipe {
namespace {

enum class Rule : std::uint8_t { sgd, adam, adamw };

// torch::optim keeps its state by each parameter's address: as a pointer since libtorch 2, as text before.
using States = std::remove_cvref_t<decltype(std::declval<torch::optim::Optimizer&>().state())>;

template <class Key = States::key_type>
Key key_of(const at::Tensor& parameter) {
  if constexpr (std::is_pointer_v<Key>) {
    return parameter.unsafeGetTensorImpl();
  } else {
    std::ostringstream text;
    text << parameter.unsafeGetTensorImpl();
    return text.str();
  }
}

// Of a parameter's state: Adam's mean and mean square, and what stands before them.
constexpr std::size_t kMostTensors = 2, kMostOverhead = 16;

class Writer {
 public:
  // `size`: bytes to come at most, so that the text does not grow by copies of itself.
  explicit Writer(std::size_t size) { out_.reserve(size); }
  template <class T>
  void number(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void tensor(const at::Tensor& tensor) {
    const at::Tensor dense = tensor.contiguous();
    out_.append(static_cast<const char*>(dense.data_ptr()), dense.nbytes());
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <class T>
  bool number(T& value) {
    return bytes(&value, sizeof value);
  }
  bool tensor(at::Tensor& into, const at::Tensor& like) {
    into = at::empty_like(like, like.options().requires_grad(false), at::MemoryFormat::Contiguous);
    return bytes(into.data_ptr(), into.nbytes());
  }
  bool at_end() const { return in_.empty(); }

 private:
  bool bytes(void* to, std::size_t size) {
    if (in_.size() < size) return false;
    std::memcpy(to, in_.data(), size);
    in_.remove_prefix(size);
    return true;
  }
  std::string_view in_;
};

// Adam and AdamW keep the same state in different types.
template <class State>
void save_adam(Writer& out, const State& state) {
  out.number(static_cast<std::int64_t>(state.step()));
  out.tensor(state.exp_avg());
  out.tensor(state.exp_avg_sq());
}
template <class State>
bool load_adam(Reader& in, const at::Tensor& parameter, std::unique_ptr<torch::optim::OptimizerParamState>& slot) {
  auto state = std::make_unique<State>();
  std::int64_t step = 0;
  at::Tensor average, square;
  if (!in.number(step) || !in.tensor(average, parameter) || !in.tensor(square, parameter)) return false;
  state->step(step);
  state->exp_avg(average);
  state->exp_avg_sq(square);
  slot = std::move(state);
  return true;
}

}  // namespace

struct StageOptimizer::State {
  Rule rule;
  std::vector<at::Tensor> parameters;
  std::unique_ptr<torch::optim::Optimizer> optimizer;
};

StageOptimizer::StageOptimizer(const JobConfig::Optimizer& config, std::vector<at::Tensor> parameters)
    : state_(new State{Rule::sgd, std::move(parameters), nullptr}) {
  const std::vector<at::Tensor>& tensors = state_->parameters;
  if (config.name == "sgd") {
    state_->optimizer = std::make_unique<torch::optim::SGD>(
        tensors, torch::optim::SGDOptions(config.lr).momentum(config.momentum).weight_decay(config.weight_decay));
  } else if (config.name == "adam") {
    state_->rule = Rule::adam;
    state_->optimizer = std::make_unique<torch::optim::Adam>(tensors, torch::optim::AdamOptions(config.lr)
                                                                          .betas({config.beta1, config.beta2})
                                                                          .eps(config.eps)
                                                                          .weight_decay(config.weight_decay));
  } else {
    FUNCPIPE_CHECK(config.name == "adamw", "optimizer {}", config.name);
    state_->rule = Rule::adamw;
    state_->optimizer = std::make_unique<torch::optim::AdamW>(tensors, torch::optim::AdamWOptions(config.lr)
                                                                           .betas({config.beta1, config.beta2})
                                                                           .eps(config.eps)
                                                                           .weight_decay(config.weight_decay));
  }
}
StageOptimizer::StageOptimizer(StageOptimizer&&) noexcept = default;
StageOptimizer::~StageOptimizer() = default;

void StageOptimizer::step(double learning_rate) {
  for (auto& group : state_->optimizer->param_groups()) group.options().set_lr(learning_rate);
  state_->optimizer->step();
}

std::string StageOptimizer::save() const {
  const States& states = state_->optimizer->state();
  std::size_t size = 1;
  for (const at::Tensor& parameter : state_->parameters) size += kMostOverhead + kMostTensors * parameter.nbytes();
  Writer out(size);
  out.number(state_->rule);
  for (const at::Tensor& parameter : state_->parameters) {
    const auto found = states.find(key_of(parameter));
    out.number(static_cast<std::uint8_t>(found != states.end()));
    if (found == states.end()) continue;
    switch (state_->rule) {
      case Rule::sgd:
        out.tensor(static_cast<const torch::optim::SGDParamState&>(*found->second).momentum_buffer());
        break;
      case Rule::adam:
        save_adam(out, static_cast<const torch::optim::AdamParamState&>(*found->second));
        break;
      case Rule::adamw:
        save_adam(out, static_cast<const torch::optim::AdamWParamState&>(*found->second));
        break;
    }
  }
  return out.take();
}

Result<> StageOptimizer::load(std::string_view bytes) {
  const auto corrupt = [] { return fail(ErrorCode::corrupt, "the optimiser's state is not this stage's"); };
  Reader in(bytes);
  Rule rule{};
  if (!in.number(rule) || rule != state_->rule) return corrupt();
  States states;
  for (const at::Tensor& parameter : state_->parameters) {
    std::uint8_t present = 0;
    if (!in.number(present)) return corrupt();
    if (present == 0) continue;
    auto& slot = states[key_of(parameter)];
    switch (rule) {
      case Rule::sgd: {
        auto state = std::make_unique<torch::optim::SGDParamState>();
        at::Tensor momentum;
        if (!in.tensor(momentum, parameter)) return corrupt();
        state->momentum_buffer(momentum);
        slot = std::move(state);
        break;
      }
      case Rule::adam:
        if (!load_adam<torch::optim::AdamParamState>(in, parameter, slot)) return corrupt();
        break;
      case Rule::adamw:
        if (!load_adam<torch::optim::AdamWParamState>(in, parameter, slot)) return corrupt();
        break;
    }
  }
  if (!in.at_end()) return corrupt();
  state_->optimizer->state() = std::move(states);
  return {};
}

}  // namespace funcpipe
