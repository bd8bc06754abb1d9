// Two-level scatter-reduce. n = a x b replicas form a grid of a rows and b columns; replica i is in row i / b and
// column i mod b. Each level is a pipelined scatter-reduce, so a worker exchanges objects with the b-1 others of its
// row and the a-1 others of its column instead of with n-1 workers. s is the size of the gradient in bytes.
//
//   1. along the row: shard c of b, of s/b bytes, is summed by the worker of column c
//   2. along the column: shard r of a of that shard, of s/n bytes, is summed by the worker of row r and is then
//   complete
//   3. back along the column: the a shards of s/n bytes are exchanged
//   4. back along the row: the b shards of s/b bytes are exchanged
//
// A worker downloads (b-1) s/b + (a-1) s/n bytes twice, which is 2 (1 - 1/n) s: as much as with one level, and the
// least for any algorithm through a store. It uploads (b-1) s/b + (a-1) s/n + s/n + s/b = (1 + 1/b) s bytes. It sends a
// + b PUTs and 2 (a + b - 2) GETs instead of n and 2 (n - 1). With more than about 16 replicas the store's limit of
// requests slows one level down. The grid is the one with the fewest requests: a is the largest divisor of n that is at
// most its square root. A prime n has one row and is summed as by the pipelined algorithm. The order of a sum depends
// on the shard and n only. A shard has one owner, so all replicas get the same bits.
#include <algorithm>

#include "schedule/sync/shards.h"

namespace funcpipe::sync {
namespace {

struct Grid {
  int rows = 1, columns = 1;
};

Grid grid_of(int replicas) {
  int rows = 1;
  for (int a = 2; a <= replicas / a; ++a)
    if (replicas % a == 0) rows = a;
  return {rows, replicas / rows};
}

void append(ProgramBuilder& builder, const SyncPart& part) {
  const Grid grid = grid_of(part.replicas);
  const int row = part.worker.replica / grid.columns, column = part.worker.replica % grid.columns;
  SyncGroup along_row{.worker = part.worker, .place = column, .slice = {0, part.elements}};
  for (int c = 0; c < grid.columns; ++c) along_row.members.push_back(row * grid.columns + c);
  SyncGroup along_column{.worker = part.worker,
                         .place = row,
                         .slice = shard(along_row.slice, grid.columns, column),
                         .first_index = grid.columns};
  for (int r = 0; r < grid.rows; ++r) along_column.members.push_back(r * grid.columns + column);

  const Scattered row_sum = append_scatter_reduce(builder, along_row, part.wait_after);
  // Others of the column may be ahead. Their parts are fetched only after those of the row are added, so that both are
  // not staged at once.
  const Scattered column_sum =
      append_scatter_reduce(builder, along_column, row_sum.summed >= 0 ? row_sum.summed : part.wait_after);
  append_gather(builder, along_column, column_sum.sent);
  append_gather(builder, along_row, row_sum.sent);
}

Seconds seconds(double bytes, int replicas, const SyncLinks& links) {
  const Grid grid = grid_of(replicas);
  Seconds all = scatter_reduce_seconds(bytes, grid.columns, links) + gather_seconds(bytes, grid.columns, links);
  if (grid.rows > 1) {
    const double of_row = bytes / grid.columns;
    all += scatter_reduce_seconds(of_row, grid.rows, links) + gather_seconds(of_row, grid.rows, links);
  }
  return all;
}

SyncTraffic traffic(double bytes, int replicas) {
  const Grid grid = grid_of(replicas);
  const double n = replicas, a = grid.rows, b = grid.columns;
  if (grid.rows == 1) return scattered_traffic(bytes, replicas);
  return {
      .up_bytes = bytes * (1 + 1 / b), .down_bytes = bytes * 2 * (n - 1) / n, .puts = a + b, .gets = 2 * (a + b - 2)};
}

double passes(int replicas) {
  const SyncTraffic moved = traffic(1, replicas);
  return moved.up_bytes + 2;
}

// The levels do not overlap, except that sums of a row may be downloaded while parts of a column are staged. Since
// a <= b, these are no more than the parts and sums of a row.
Bytes staged(Bytes bytes, int replicas) {
  const Grid grid = grid_of(replicas);
  return std::max(staged_shards(bytes, grid.columns), staged_shards(bytes / grid.columns, grid.rows));
}

}  // namespace

const SyncTraits& two_level() {
  static constexpr SyncTraits kTraits{.name = "two-level",
                                      .column = "2-lv",
                                      .passes = passes,
                                      .seconds = seconds,
                                      .traffic = traffic,
                                      .staged = staged,
                                      .append = append};
  return kTraits;
}

}  // namespace funcpipe::sync
