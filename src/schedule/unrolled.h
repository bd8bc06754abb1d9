// The programs of all workers over a few iterations as one graph: what the checker walks.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schedule/program.h"

namespace funcpipe {

inline constexpr int kUnrolledIterations = 3;

bool is_producer(OpKind kind);  // publishes op.object
bool is_consumer(OpKind kind);  // downloads op.object

// Where an operation stands: index of the program, index of the operation.
struct OpPlace {
  int program = 0;
  int op = 0;
};

class Unrolled {
 public:
  // `programs` must outlive this and hold only valid indices.
  explicit Unrolled(const std::vector<Program>& programs);

  int nodes() const { return offsets_.back(); }
  int node(OpPlace place, int iteration) const;
  std::string name(int node) const;  // "stage 0 replica 1: reduce (operation 12) of iteration 1"

  // Edges into `node`. Before: what always holds, however many operations a lane keeps in flight: dependencies,
  // transfers and the order of the compute lane. In lane order: the operation before it on its upload or download lane,
  // besides.
  const std::vector<int>& before(int node) const { return before_[node]; }
  int before_in_lane(int node) const { return lane_before_[node]; }  // -1: none

  // Empty if there is none; else nodes of a cycle of both kinds of edges, in order.
  std::vector<int> cycle() const;

  // Marks every node from which `node` can be reached over `before` edges, itself included.
  std::vector<bool> ancestors(int node) const;

 private:
  const std::vector<Program>& programs_;
  std::vector<int> offsets_;  // by program, and the total
  std::vector<std::vector<int>> before_;
  std::vector<int> lane_before_;
};

}  // namespace funcpipe
