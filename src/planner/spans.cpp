#include "planner/spans.h"

#include <algorithm>

namespace funcpipe {

SpanTable::SpanTable(const Chain& chain) : layers_(chain.layers.size()), spans_(layers_ * (layers_ + 1)) {
  const int layers = chain.layer_count();
  for (int first = 0; first < layers; ++first) {
    Span span;
    for (int end = first + 1; end <= layers; ++end) {
      const ChainLayer& layer = chain.layers[end - 1];
      span.parameters += layer.parameters;
      span.trainable += layer.trainable;
      span.buffers += layer.buffers;
      span.shared_state += layer.shared_state;
      span.activations += layer.activations;
      span.working = std::max(span.working, layer.working);
      span.reads_input |= layer.reads_input;
      span.reads_target |= layer.reads_target;
      spans_[index(first, end)] = span;
    }
  }
  for (const SharedParameter& parameter : chain.shared) {
    for (int first = 0; first < layers; ++first) {
      for (int end = first + 1; end <= layers; ++end) {
        const auto inside = std::count_if(parameter.layers.begin(), parameter.layers.end(),
                                          [&](int layer) { return layer >= first && layer < end; });
        if (inside == 0) continue;
        Span& span = spans_[index(first, end)];
        span.parameters += parameter.bytes;
        span.trainable += parameter.trainable;
        if (inside < std::ssize(parameter.layers)) span.tied += parameter.trainable;
      }
    }
  }
  for (std::size_t j = 0; j < chain.options.size(); ++j) {
    std::vector<Seconds> forward{0}, backward{0}, warm_up{0};
    std::vector<int> missing{0};
    for (int i = 0; i < layers; ++i) {
      const bool there = chain.forward[j][i] < kInfinity && chain.backward[j][i] < kInfinity;
      forward.push_back(forward.back() + (there ? chain.forward[j][i] : 0));
      backward.push_back(backward.back() + (there ? chain.backward[j][i] : 0));
      warm_up.push_back(warm_up.back() + chain.warm_up[j][i]);
      missing.push_back(missing.back() + (there ? 0 : 1));
    }
    forward_.push_back(std::move(forward));
    backward_.push_back(std::move(backward));
    warm_up_.push_back(std::move(warm_up));
    missing_.push_back(std::move(missing));
  }
}

}  // namespace funcpipe
