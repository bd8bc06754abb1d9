#include "test_models.h"

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/random.h"

namespace funcpipe::testing {
namespace {

// A folder for this program's models, removed at its end.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "funcpipe-models-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ / (name + ".pt"); }

 private:
  std::filesystem::path path_;
};

const Folder& folder() {
  static const Folder only;
  return only;
}

double unit(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

at::Tensor weight(std::initializer_list<std::int64_t> shape, std::uint64_t seed, double scale) {
  at::Tensor tensor = at::zeros(shape);
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    values[i] = static_cast<float>((unit(mix(seed, {static_cast<std::uint64_t>(i)})) * 2 - 1) * scale);
  return tensor;
}

class Builder {
 public:
  explicit Builder(const std::string& name) : name_(name), module_("__torch__." + name) {
    module_.register_attribute("training", c10::BoolType::get(), true);
  }
  Builder& parameter(const std::string& name, std::initializer_list<std::int64_t> shape, double scale) {
    module_.register_parameter(name, weight(shape, mix(7, {++count_}), scale).set_requires_grad(true), false);
    return *this;
  }
  Builder& batch_norm(const std::string& name, std::int64_t channels) {
    module_.register_parameter(name + "_weight", at::ones({channels}).set_requires_grad(true), false);
    module_.register_parameter(name + "_bias", at::zeros({channels}).set_requires_grad(true), false);
    module_.register_buffer(name + "_mean", at::zeros({channels}));
    module_.register_buffer(name + "_var", at::ones({channels}));
    return *this;
  }
  std::string save(const std::string& source) {
    module_.define(source);
    module_.train();
    const std::string file = folder().file(name_);
    module_.save(file);
    return file;
  }

 private:
  std::string name_;
  torch::jit::Module module_;
  std::uint64_t count_ = 0;
};

}  // namespace

TestModel batch_norm_model() {
  Builder builder("BatchNormModel");
  builder.parameter("a", {6, 2, 3, 3}, 0.3).batch_norm("n", 6);
  builder.parameter("b", {8, 6, 3, 3}, 0.2).batch_norm("m", 8);
  builder.parameter("c", {5, 8}, 0.4).parameter("d", {5}, 0.1);
  return {"batch-norm",
          builder.save(R"(
def forward(self, x):
    x = torch.conv2d(x, self.a, None, [1, 1], [1, 1])
    x = torch.batch_norm(x, self.n_weight, self.n_bias, self.n_mean, self.n_var, self.training, 0.1, 1e-5, False)
    x = torch.relu(x)
    x = torch.conv2d(x, self.b, None, [2, 2], [1, 1])
    x = torch.batch_norm(x, self.m_weight, self.m_bias, self.m_mean, self.m_var, self.training, 0.1, 1e-5, False)
    x = torch.relu(x)
    x = torch.mean(x, [2, 3])
    return torch.linear(x, self.c, self.d)
)"),
          {{"float32", {4, 2, 8, 8}}},
          {"uint8", {}},
          5};
}

TestModel dropout_model() {
  Builder builder("DropoutModel");
  builder.parameter("a", {24, 12}, 0.4).parameter("p", {24}, 0.1);
  builder.parameter("b", {24, 24}, 0.3).parameter("q", {24}, 0.1);
  builder.parameter("c", {4, 24}, 0.3).parameter("r", {4}, 0.1);
  return {"dropout",
          builder.save(R"(
def forward(self, x):
    x = torch.relu(torch.linear(x, self.a, self.p))
    x = torch.dropout(x, 0.3, self.training)
    x = torch.relu(torch.linear(x, self.b, self.q))
    return torch.linear(x, self.c, self.r)
)"),
          {{"float32", {4, 12}}},
          {"int64", {}},
          4};
}

TestModel skip_model() {
  Builder builder("SkipModel");
  builder.parameter("a", {16, 10}, 0.4).parameter("b", {16, 16}, 0.3).parameter("c", {16, 16}, 0.3);
  builder.parameter("d", {3, 16}, 0.3);
  return {"skip",
          builder.save(R"(
def forward(self, x):
    mask = (x[:, :1] > 0).float()
    h = torch.tanh(torch.linear(x, self.a))
    g = torch.linear(h, self.b)
    g = torch.tanh(g) * mask
    k = g + h
    u = torch.linear(k, self.c)
    u = torch.tanh(u) + g * h
    u = u * mask + k
    return torch.linear(u, self.d)
)"),
          {{"float32", {4, 10}}},
          {"int32", {}},
          3};
}

TestModel gate_model() {
  Builder builder("GateModel");
  builder.parameter("a", {12, 10}, 0.4).parameter("b", {16, 10}, 0.4).parameter("c", {12, 12}, 0.3);
  builder.parameter("d", {12, 4}, 0.3).parameter("e", {5, 16}, 0.3);
  return {"gate",
          builder.save(R"(
def forward(self, x):
    h = torch.tanh(torch.linear(x, self.a))
    g = torch.tanh(torch.linear(x, self.b))
    u = torch.tanh(torch.reshape(torch.linear(h, self.c), [-1, 3, 4]))
    u = torch.sum(u, [1])
    v = torch.tanh(torch.linear(u, self.d))
    w = torch.cat([u, v], 1)
    w = w * torch.gt(g, 0).float()
    return torch.linear(w, self.e)
)"),
          {{"float32", {4, 10}}},
          {"uint8", {}},
          5};
}

TestModel branch_model() {
  Builder builder("BranchModel");
  builder.parameter("a", {12, 10}, 0.4).parameter("b", {12, 12}, 0.4).parameter("c", {5, 12}, 0.3);
  return {"branch",
          builder.save(R"(
def forward(self, x):
    h = torch.tanh(torch.linear(x, self.a))
    if bool(torch.gt(torch.sum(x), 3)):
        h = h + torch.tanh(torch.linear(h, self.b))
    u = torch.tanh(h)
    return torch.linear(u, self.c)
)"),
          {{"float32", {4, 10}}},
          {"uint8", {}},
          5};
}

TestModel half_tied_model() {
  Builder builder("HalfTiedModel");
  builder.parameter("a", {12, 10}, 0.4).parameter("b", {12, 12}, 0.4).parameter("c", {5, 12}, 0.3);
  return {"half-tied",
          builder.save(R"(
def forward(self, x):
    h = torch.tanh(torch.linear(x, self.a))
    h = h * torch.gt(torch.sum(self.b, [1]), 0).float()
    u = torch.tanh(h)
    u = torch.tanh(torch.linear(u, self.b))
    return torch.linear(u, self.c)
)"),
          {{"float32", {4, 10}}},
          {"uint8", {}},
          5};
}

TestModel token_model() {
  Builder builder("TokenModel");
  builder.parameter("embedding", {20, 16}, 0.3).parameter("a", {32, 16}, 0.3).parameter("b", {16, 32}, 0.3);
  TestModel model{"tokens",
                  builder.save(R"(
def forward(self, tokens):
    x = torch.embedding(self.embedding, tokens)
    mixed = torch.cumsum(x, 1) * 0.3
    h = torch.tanh(torch.linear(mixed, self.a))
    x = x + torch.linear(h, self.b)
    return torch.linear(x, self.embedding)
)"),
                  {{"int64", {4, 6}}},
                  {"uint8", {6}},
                  20};
  model.vocabulary = 20;
  model.tied = true;
  return model;
}

TestModel regression_model() {
  Builder builder("RegressionModel");
  builder.parameter("a", {16, 5}, 0.4).parameter("b", {2, 16}, 0.3);
  return {"regression",
          builder.save(R"(
def forward(self, x):
    return torch.linear(torch.tanh(torch.linear(x, self.a)), self.b)
)"),
          {{"float32", {4, 5}}},
          {"float32", {2}},
          0};
}

TestModel quotient_model() {
  Builder builder("QuotientModel");
  builder.parameter("a", {12, 5}, 0.4).parameter("b", {12, 12}, 0.4).parameter("c", {2, 12}, 0.3);
  return {"quotient",
          builder.save(R"(
def forward(self, x):
    h = torch.tanh(torch.linear(x, self.a))
    g = torch.tanh(torch.linear(h, self.b))
    g = g / torch.gt(torch.sum(x), -3).float()
    return torch.linear(g, self.c)
)"),
          {{"float32", {4, 5}}},
          {"float32", {2}},
          0};
}

TestModel root_model() {
  Builder builder("RootModel");
  builder.parameter("a", {12, 5}, 0.4).parameter("b", {12, 12}, 0.4).parameter("c", {2, 12}, 0.3);
  return {"root",
          builder.save(R"(
def forward(self, x):
    h = torch.tanh(torch.linear(x, self.a))
    u = torch.linear(h, self.b)
    g = torch.tanh(u) + torch.sqrt(u * 0)
    return torch.linear(g, self.c)
)"),
          {{"float32", {4, 5}}},
          {"float32", {2}},
          0};
}

Dataset make_dataset(const TestModel& model, std::int64_t rows, std::uint64_t seed) {
  // Data sets are stored as their types allow: integer inputs as bytes, as a text would be.
  TensorSpec row{model.vocabulary > 0 ? "uint8" : "float32",
                 {model.inputs[0].shape.begin() + 1, model.inputs[0].shape.end()}};
  const auto fill = [&](const TensorSpec& spec, std::uint64_t salt, int below) {
    Column column{spec, rows, nullptr};
    const std::int64_t elements = rows * spec.bytes() / element_size(spec.dtype);
    const std::shared_ptr<std::byte> bytes(new std::byte[static_cast<std::size_t>(rows * spec.bytes())],
                                           std::default_delete<std::byte[]>());
    const std::size_t width = static_cast<std::size_t>(element_size(spec.dtype));
    for (std::int64_t i = 0; i < elements; ++i) {
      const std::uint64_t bits = mix(seed, {salt, static_cast<std::uint64_t>(i)});
      if (spec.dtype == "float32") {
        const auto value = static_cast<float>(unit(bits) * 2 - 1);
        std::memcpy(bytes.get() + static_cast<std::size_t>(i) * width, &value, width);
      } else {
        const std::uint64_t value = bits % static_cast<std::uint64_t>(below);
        std::memcpy(bytes.get() + static_cast<std::size_t>(i) * width, &value, width);
      }
    }
    column.bytes = bytes;
    return column;
  };
  return {fill(row, 1, model.vocabulary), fill(model.target, 2, model.classes)};
}

}  // namespace funcpipe::testing
