// Places operations in a timeline's picture: rows of workers and lanes. Transfers of one lane that overlap in time are
// put into rows below each other.
#pragma once

#include <array>
#include <unordered_map>
#include <vector>

#include "timeline/critical_path.h"
#include "timeline/played.h"

namespace funcpipe {

struct Row {
  double y = 0, height = 0;  // pixels
  double centre() const { return y + height / 2; }
};

struct WorkerRows {
  int worker = 0;  // Index of its program.
  std::array<Row, kLanes> lanes;
  std::vector<int> ops;  // The operations shown, by lane, row and time.
};

class PictureRows {
 public:
  // The first row begins at `top`.
  PictureRows(const Played& played, const CriticalPath& path, int most_workers, double top);

  const std::vector<WorkerRows>& workers() const { return workers_; }  // In the order of Played::programs.
  double bottom() const { return bottom_; }
  const Row* row_of(int op) const;  // nullptr if the operation is not shown.

 private:
  void place(const Played& played, const CriticalPath& path, WorkerRows& rows);
  double compute_height_, transfer_height_, bottom_;
  std::vector<WorkerRows> workers_;
  std::unordered_map<int, Row> rows_;  // By operation.
};

}  // namespace funcpipe
