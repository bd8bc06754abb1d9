// A model as the framework sees it: any TorchScript module, flattened into one graph whose candidate cuts are the
// positions where only tensors live (docs/architecture.md, "Cutting a model").
#pragma once

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
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const ModelDescription& description() const;

  // The stage file (model/stage.h) of layers [first, end): that span's graph and weights alone.
  Result<std::string> stage(int first_layer, int end_layer) const;

  // Copies parameters and buffers of a stage file into the whole model.
  Result<> absorb(std::string_view stage_archive);

  // The whole model as PyTorch loads it: torch.jit.load (module) and torch.load (state dict).
  Result<> save_module(const std::filesystem::path& path) const;
  Result<> save_state_dict(const std::filesystem::path& path) const;

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
