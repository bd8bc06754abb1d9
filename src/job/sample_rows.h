// Some rows of a data set, for the worker program to try a model on.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "data/dataset.h"

namespace funcpipe {

// As many as the largest micro-batch of a trial may have, as far as the job's configuration says.
inline std::int64_t rows_of_trials(const JobConfig& config) {
  return 4 * std::int64_t{std::max(config.training.micro_batch, config.validation.micro_batch)};
}

// A file of memory alone that this process's children read: nothing is left on the disk, however this process ends. It
// holds a tuple of tensors (docs/formats/tensors.md): rows of the training input and target and, if there is validation
// data, of its.
class SampleRows {
 public:
  // About `rows` of each: for whole numbers first the rows that hold the least and the greatest (so that a table too
  // small for them is found out), then the first ones of the data set. Errors: exhausted.
  static Result<SampleRows> of(const Datasets& data, std::int64_t rows);
  SampleRows(SampleRows&&) noexcept;
  SampleRows& operator=(SampleRows&&) noexcept;
  ~SampleRows();

  std::filesystem::path path() const;  // as long as this object lives

 private:
  struct File;
  explicit SampleRows(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

// Test seam: which rows of a data set `of` takes.
std::vector<std::int64_t> rows_to_try(const Dataset& data, std::int64_t rows);

}  // namespace funcpipe
