// Small TorchScript models that are hard to cut: each file is written once per test program.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "profile/model_description.h"

namespace funcpipe::testing {

struct TestModel {
  std::string name;
  std::string file;                // TorchScript, as saved
  std::vector<TensorSpec> inputs;  // at the micro-batch size of the description
  TensorSpec target;               // of one sample
  int classes = 10;                // targets are below it; 0: fractions (mse)
  int vocabulary = 0;              // integer inputs are below it
  bool tied = false;
};

TestModel batch_norm_model();  // convolutions and BatchNorm with running statistics
TestModel dropout_model();     // one dropout between linear layers
TestModel skip_model();        // several live tensors at most cuts, one of them without gradient
TestModel gate_model();        // cuts where a tensor's gradient is a slice, or where it has none: b is never trained
TestModel branch_model();      // b has a gradient where the micro-batch takes the branch
TestModel half_tied_model();   // b is used twice, the first time without gradient
TestModel token_model();       // integer inputs, embedding tied to the head, output [N, T, V]
TestModel regression_model();  // mse on fractions
TestModel quotient_model();    // b's output is not finite where a micro-batch is small enough
TestModel root_model();        // a finite loss, but a gradient at b's output that is not

// `rows` samples that fit the model, made from `seed`.
Dataset make_dataset(const TestModel& model, std::int64_t rows, std::uint64_t seed);

}  // namespace funcpipe::testing
