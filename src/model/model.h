// A model: any TorchScript module, flattened into one graph. It may be cut at positions where all that is live can be
// sent (docs/architecture.md, "Cutting a model").
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
  // Loads and describes a model. `source` is "zoo:NAME" (model/zoo.h; weights drawn from `seed`) or a TorchScript file
  // as PyTorch saved it, with its weights. `inputs` gives type and shape of the data inputs at micro-batch size
  // (dimension 0 is the batch), to measure what is live where. For a zoo model it may be empty or give dimension 0
  // only, because such a model knows its shape. `output` names the output of forward to use: a key of its dictionary,
  // or a name or number of its tuple; empty: the first. Errors: not_found; invalid_input if the file is no TorchScript,
  // the zoo name is unknown (names the nearest), or the model rejects the inputs (with the model's own message).
  static Result<Model> load(const std::string& source, const std::vector<TensorSpec>& inputs, std::uint64_t seed,
                            const std::string& output = {});

  // The same with rows of a data set instead of invented ones. `choices` are ways to give the data inputs, the
  // likeliest first. The first that the model accepts is described (chosen()). If it accepts none, the error is that of
  // the first.
  using Inputs = std::vector<at::Tensor>;
  static Result<Model> load_on(const std::string& source, const std::vector<Inputs>& choices, std::uint64_t seed,
                               const std::string& output = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const ModelDescription& description() const;

  // Which of the choices was accepted, and what the model said of the first choice if that was refused.
  std::size_t chosen() const;
  const std::string& first_refusal() const;

  // Runs the uncut model once, as plain PyTorch would, with random draws from a fixed seed. `data` and the model are
  // not changed, because forward writes to copies. If gradients are enabled there is a graph that ends at `parameters`,
  // the trainable ones. Throws what the model throws.
  struct Run {
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> parameters;
  };
  Run run(const Inputs& data, bool training) const;

  // Runs the model likewise. Returns the first layer whose output is not finite; empty if all outputs are finite.
  std::string first_layer_gone_wrong(const Inputs& data, bool training) const;

  // Returns the stage file (model/stage.h) of layers [first, end), with only their graph and weights.
  Result<std::string> stage(int first_layer, int end_layer) const;

  // Copies the parameters and buffers of a stage file into the whole model.
  Result<> absorb(std::string_view stage_archive);

  // Write the whole model for torch.jit.load, and its state dict for torch.load. The state dict has the names that the
  // model's file lists (model/module_file.h); if it lists none, all parameters and buffers, as torch.jit.load gives
  // them.
  Result<> save_module(const std::filesystem::path& path) const;
  Result<> save_state_dict(const std::filesystem::path& path) const;

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  static Result<Model> described(std::unique_ptr<State> state, const std::string& source, Result<> analysed);
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
