// Where everything of a timeline's picture lies: rows of workers and lanes, and a row of its own for each of several
// transfers that a lane had under way at once.
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
  int worker = 0;  // index of its program
  std::array<Row, kLanes> lanes;
  std::vector<int> ops;  // that were active in the time shown, by lane and row, in order of time within
};

class PictureRows {
 public:
  // The first row begins at `top`.
  PictureRows(const Played& played, const CriticalPath& path, int most_workers, double top);

  const std::vector<WorkerRows>& workers() const { return workers_; }  // in the order of Played::programs
  double bottom() const { return bottom_; }
  const Row* row_of(int op) const;  // nullptr: it is not shown

 private:
  void place(const Played& played, const CriticalPath& path, WorkerRows& rows);
  double compute_height_, transfer_height_, bottom_;
  std::vector<WorkerRows> workers_;
  std::unordered_map<int, Row> rows_;  // by operation
};

}  // namespace funcpipe
