#include <gmock/gmock.h>

#include "data/dataset.h"
#include "scratch_folder.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

std::string npy_of(int rows, int width) {
  const std::string header =
      fmt::format("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, {}), }}\n", rows, width);
  std::string text("\x93NUMPY\1\0", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return text + header + std::string(static_cast<std::size_t>(rows * width), 'x');
}

class LoadDatasets : public ScratchFolder {
 protected:
  void refused(const JobConfig::Data& data, const std::string& message) {
    const auto sets = load_datasets(data);
    ASSERT_FALSE(sets) << message;
    EXPECT_EQ(sets.error().code, ErrorCode::invalid_input);
    EXPECT_THAT(sets.error().message, HasSubstr(message));
    EXPECT_FALSE(sets.error().hint.empty());
  }
};

TEST_F(LoadDatasets, PairsInputAndTarget) {
  JobConfig::Data data;
  data.train_input = file("x.npy", npy_of(4, 3));
  data.train_target = file("y.npy", npy_of(4, 1));
  const auto sets = load_datasets(data);
  ASSERT_TRUE(sets) << describe(sets.error());
  EXPECT_EQ(sets->train.input.rows, 4);
  EXPECT_EQ(sets->validation.input.rows, 0);

  data.train_target = file("y.npy", npy_of(5, 1));
  refused(data, "4 rows of input but 5 of target");
}

TEST_F(LoadDatasets, RefusesWithAWayOut) {
  JobConfig::Data data;
  refused(data, "data.train_input is not set");
  data.train_input = file("x.npy", npy_of(4, 3));
  refused(data, "data.train_target is not set");
  data.train_target = file("y.npy", npy_of(4, 1));
  data.validation_input = data.train_input;
  refused(data, "data.validation_target is not set");
  data.validation_input = file("vx.npy", npy_of(4, 2));
  data.validation_target = data.train_target;
  EXPECT_TRUE(load_datasets(data)) << "whether it fits the training data is judged after that";
  data.format = "csv";
  refused(data, "\"csv\" is not known");
  data.format = "tokens";
  refused(data, "no target file");
  data.format = "npy";
  data.validation_fraction = 0.1;
  refused(data, "tokens only");
}

}  // namespace
}  // namespace funcpipe
