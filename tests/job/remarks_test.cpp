#include "job/remarks.h"

#include <gmock/gmock.h>

#include <cstring>

#include "job/four_layers.h"
#include "job/try_model.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

JobSpec spec_of(const JobConfig& config, std::int64_t steps_per_epoch) {
  JobSpec spec;
  spec.config = config;
  spec.model = four_layers();
  spec.plan.global_batch = config.training.global_batch;
  spec.steps_per_epoch = steps_per_epoch;
  return spec;
}

template <class Number>
Column targets(const std::string& dtype, const std::vector<Number>& values) {
  const std::shared_ptr<std::byte> bytes(new std::byte[values.size() * sizeof(Number)],
                                         std::default_delete<std::byte[]>());
  std::memcpy(bytes.get(), values.data(), values.size() * sizeof(Number));
  return {{dtype, {}, false}, std::ssize(values), bytes};
}

TEST(Remarks, SayWhichRowsAreNotUsed) {
  EXPECT_THAT(remarks(spec_of(job(), 3), rows(96)), IsEmpty());
  EXPECT_THAT(remarks(spec_of(job(), 3), rows(100)),
              ElementsAre(AllOf(HasSubstr("4 of the 100 training rows"), HasSubstr("3 global batches of 32"))));
}

TEST(Remarks, SayThatBytesBecomeNumbers) {
  Datasets data = rows(96);
  data.train.input.row.dtype = "uint8";
  JobSpec spec = spec_of(job(), 3);
  EXPECT_THAT(remarks(spec, data), ElementsAre(AllOf(HasSubstr("x.npy"), HasSubstr("0.0 to 255.0"))));
  spec.model.inputs.front().dtype = "uint8";
  EXPECT_THAT(remarks(spec, data), IsEmpty());
}

TEST(Remarks, WarnOfTargetsThatASquaredErrorDoesNotGoWellWith) {
  JobConfig config = job();
  config.model.loss = "mse";
  const auto said = [&](Column target) {
    Datasets data = rows(96);
    data.train.target = std::move(target);
    return remarks(spec_of(config, 3), data);
  };
  EXPECT_THAT(said(targets<float>("float32", {-1, 2, 50})), IsEmpty());
  EXPECT_THAT(said(targets<float>("float32", {-1, 2, 50000})), ElementsAre(HasSubstr("-1 to 50000")));
  EXPECT_THAT(said(targets<double>("float64", {1, 0})), ElementsAre(HasSubstr("compared as float32")));
  EXPECT_THAT(said(targets<double>("float64", {1e5, 0})), ElementsAre(HasSubstr("float64"), HasSubstr("y.std()")));
  EXPECT_THAT(said(targets<std::uint8_t>("uint8", {0, 1})), IsEmpty());
  EXPECT_THAT(said(targets<std::uint8_t>("uint8", {0, 20})), ElementsAre(HasSubstr("y / 255")));
  config.model.loss = "cross-entropy";
  EXPECT_THAT(said(targets<std::uint8_t>("uint8", {0, 20})), IsEmpty());
}

TEST(BatchSizes, AreThoseOfAPlan) {
  EXPECT_THAT(batch_sizes(32, 8), ElementsAre(8));
  EXPECT_THAT(batch_sizes(33, 8), ElementsAre(8, 1));
  EXPECT_THAT(batch_sizes(5, 8), ElementsAre(5));
}

}  // namespace
}  // namespace funcpipe
