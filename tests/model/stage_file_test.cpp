// The stage file's golden file. Its bytes are those of libtorch's archive, which change from release to release: it is
// read and compared field by field, and not made again byte for byte.
#include "model/stage_file.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/export.h>
#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "golden_file.h"
#include "model/model.h"
#include "model/stage.h"

namespace funcpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kGolden = "model/data/stage-v1.pt";

// The first of two layers: a weight, a frozen scale, a mean that training changes and uses, and a random draw.
Result<std::string> written_today() {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("funcpipe-stage-file-{}", ::getpid());
  std::filesystem::create_directories(folder);
  torch::jit::Module module("__torch__.Golden");
  module.register_parameter("weight", at::arange(6, at::kFloat).view({2, 3}).set_requires_grad(true), false);
  module.register_parameter("scale", at::full({2}, 0.5), false);
  module.register_parameter("head", at::ones({1, 2}).set_requires_grad(true), false);
  module.register_buffer("mean", at::full({2}, 0.25));
  module.define(R"(
def forward(self, x):
    self.mean.mul_(0.5).add_(torch.mean(x.detach(), [0])[0:2], alpha=0.5)
    h = torch.dropout(torch.linear(x, self.weight) * self.scale - self.mean, 0.5, True)
    return torch.linear(h, self.head)
)");
  module.save(folder / "golden.pt");
  FUNCPIPE_TRY(model, Model::load(folder / "golden.pt", {{"float32", {4, 3}}}, 1));
  std::filesystem::remove_all(folder);
  return model.stage(0, 1);
}

void expect_the_stage(const std::string& archive) {
  const auto file = read_stage_file(archive);
  ASSERT_TRUE(file) << describe(file.error());
  const StageManifest& manifest = file->manifest;
  EXPECT_EQ(manifest.fingerprint.size(), 16u);
  EXPECT_EQ(manifest.first_layer, 0);
  EXPECT_EQ(manifest.end_layer, 1);
  ASSERT_EQ(manifest.layers.size(), 1u);
  EXPECT_EQ(manifest.layers[0].index, 0);
  EXPECT_EQ(manifest.layers[0].method, "layer0");
  EXPECT_THAT(manifest.layers[0].data_inputs, ElementsAre(0));
  EXPECT_TRUE(manifest.layers[0].random);
  ASSERT_EQ(manifest.parameters.size(), 2u);
  const StageManifest::Tensor &weight = manifest.parameters[0], &scale = manifest.parameters[1];
  EXPECT_EQ(weight.name, "weight");
  EXPECT_EQ(weight.index, 0);
  EXPECT_TRUE(weight.trainable);
  EXPECT_FALSE(weight.changes);
  EXPECT_FALSE(weight.feeds_loss);
  EXPECT_EQ(scale.name, "scale");
  EXPECT_FALSE(scale.trainable);
  ASSERT_EQ(manifest.buffers.size(), 1u);
  const StageManifest::Tensor& mean = manifest.buffers[0];
  EXPECT_EQ(mean.name, "mean");
  EXPECT_TRUE(mean.changes);
  EXPECT_TRUE(mean.feeds_loss);
  const auto tensor = [&](const StageManifest::Tensor& of) { return file->module.attr(of.attribute).toTensor(); };
  EXPECT_TRUE(tensor(weight).equal(at::arange(6, at::kFloat).view({2, 3})));
  EXPECT_TRUE(tensor(scale).equal(at::full({2}, 0.5)));
  EXPECT_TRUE(tensor(mean).equal(at::full({2}, 0.25)));
  ASSERT_TRUE(file->module.find_method("layer0"));
}

TEST(StageFile, IsWrittenWithTheFieldsOfTheGoldenFile) {
  const auto archive = written_today();
  ASSERT_TRUE(archive) << describe(archive.error());
  make_golden(*archive, kGolden);
  expect_the_stage(*archive);
  const auto today = read_stage_file(*archive), golden = read_stage_file(golden_text(kGolden));
  ASSERT_TRUE(today && golden);
  for (const auto member : {&StageManifest::parameters, &StageManifest::buffers})
    for (std::size_t i = 0; i < (golden->manifest.*member).size(); ++i)
      EXPECT_EQ((today->manifest.*member)[i].attribute, (golden->manifest.*member)[i].attribute);
}

TEST(StageFile, ReadsTheGoldenFile) {
  const std::string golden = golden_text(kGolden);
  expect_the_stage(golden);
  auto stage = Stage::load(golden);
  ASSERT_TRUE(stage) << describe(stage.error());
  ASSERT_EQ(stage->parameters().size(), 1u) << "of the two the one that is trained";
  EXPECT_THAT(stage->parameter_indices(), ElementsAre(0));
  stage->train(true);
  const auto border = stage->forward({}, {at::ones({4, 3})}, {.seed = 1});
  ASSERT_EQ(border.size(), 1u);
  EXPECT_THAT(border[0].sizes().vec(), ElementsAre(4, 2));
  ASSERT_EQ(stage->buffers().size(), 1u);
  EXPECT_TRUE(stage->buffers()[0].equal(at::full({2}, 0.625))) << "half of 0.25 and half of 1";
}

TEST(StageFile, OfAnotherVersionOrFormatIsRefused) {
  torch::jit::Module module("__torch__.Nothing");
  const auto refusal = [&](const std::string& manifest) {
    std::string archive;
    const auto append = [&](const void* data, std::size_t size) {
      archive.append(static_cast<const char*>(data), size);
      return size;
    };
    torch::jit::ExportModule(module, append, {{"funcpipe-stage.json", manifest}});
    const auto read = read_stage_file(archive);
    return read ? Error{ErrorCode::failed, "accepted", {}, {}} : read.error();
  };
  const Error later = refusal(R"({"format": "funcpipe-stage", "version": 2})");
  EXPECT_EQ(later.code, ErrorCode::corrupt);
  EXPECT_THAT(later.message, HasSubstr("version 2, this program reads version 1"));
  EXPECT_THAT(later.hint, HasSubstr("cut the model again"));
  EXPECT_THAT(refusal(R"({"format": "something else", "version": 1})").message, HasSubstr("not a stage file"));
}

}  // namespace
}  // namespace funcpipe
