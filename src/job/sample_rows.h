// Takes some rows of a data set with which the worker program tries a model.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "data/dataset.h"

namespace funcpipe {

// As many rows as the largest micro-batch of a trial may need, as far as the job's configuration says.
inline std::int64_t rows_of_trials(const JobConfig& config) {
  return 4 * std::int64_t{std::max(config.training.micro_batch, config.validation.micro_batch)};
}

// A file in memory only that this process's children can read. Nothing is left on the disk, however this process ends.
// It is a tuple of tensors (docs/formats/tensors.md): rows of the training input and target and, if there is validation
// data, of its input and target.
class SampleRows {
 public:
  // Takes about `rows` rows of each data set. For whole numbers, first those with the least and the greatest number,
  // which show whether a table is too small; then the first ones of the data set. Errors: exhausted.
  static Result<SampleRows> of(const Datasets& data, std::int64_t rows);
  SampleRows(SampleRows&&) noexcept;
  SampleRows& operator=(SampleRows&&) noexcept;
  ~SampleRows();

  std::filesystem::path path() const;  // valid as long as this object lives

 private:
  struct File;
  explicit SampleRows(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

// For tests: the rows that of() takes.
std::vector<std::int64_t> rows_to_try(const Dataset& data, std::int64_t rows);

}  // namespace funcpipe
