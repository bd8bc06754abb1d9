// A model as the framework sees it: any TorchScript module, flattened into one graph whose candidate cuts are the
// positions where only tensors live (docs/architecture.md, "Cutting a model").
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "profile/model_description.h"

namespace funcpipe {

class Model {
 public:
  // `source`: "zoo:NAME" (model/zoo.h; weights made from `seed`) or a TorchScript file as PyTorch saved it (its
  // weights). `inputs`: dtype and shape of the data inputs at micro-batch size (dimension 0 is the batch), to measure
  // what is live where; zoo models know their own shape and take dimension 0 only if `inputs` is empty.
  // Errors: invalid_input (no TorchScript, unknown zoo name with the nearest known, inputs the model rejects: with the
  // model's own message), not_found. `output`: which of the outputs of forward the model gives, a key of its
  // dictionary, a name or number of its tuple; empty: the first.
  static Result<Model> load(const std::string& source, const std::vector<TensorSpec>& inputs, std::uint64_t seed,
                            const std::string& output = {});

  // The same with rows of a data set in place of invented ones. `choices`: ways to give the data inputs, the likeliest
  // first; the first that the model takes is described (chosen()). Error if it takes none: what it says of the first.
  using Inputs = std::vector<at::Tensor>;
  static Result<Model> load_on(const std::string& source, const std::vector<Inputs>& choices, std::uint64_t seed,
                               const std::string& output = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const ModelDescription& description() const;

  // Which of the choices was taken, and what the model said of the first if it was not that.
  std::size_t chosen() const;
  const std::string& first_refusal() const;

  // Runs the uncut model once, as plain PyTorch would, its random draws from a seed of their own. Neither `data` nor
  // the model is changed: what forward may write to is a copy. With a graph, if gradients are enabled, that ends at
  // `parameters`, the trainable ones. Throws what the model throws.
  struct Run {
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> parameters;
  };
  Run run(const Inputs& data, bool training) const;

  // The name of the first layer whose output is not finite when the model is run so; empty: all are.
  std::string first_layer_gone_wrong(const Inputs& data, bool training) const;

  // The stage file (model/stage.h) of layers [first, end): that span's graph and weights alone.
  Result<std::string> stage(int first_layer, int end_layer) const;

  // Copies parameters and buffers of a stage file into the whole model.
  Result<> absorb(std::string_view stage_archive);

  // The whole model as PyTorch loads it: torch.jit.load (module) and torch.load (state dict: what the model's file says
  // is in it, model/module_file.h; where it says nothing, every parameter and buffer, as torch.jit.load gives it).
  Result<> save_module(const std::filesystem::path& path) const;
  Result<> save_state_dict(const std::filesystem::path& path) const;

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  static Result<Model> described(std::unique_ptr<State> state, const std::string& source, Result<> analysed);
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
