// The operations of all workers as flat arrays, which the checker walks. A program may be deleted once it is added.
// Operations are numbered over all workers, in the order in which these are added.
//
// Every edge leads to the same iteration or to the next one. So a cycle lies within one iteration, and all iterations
// are alike.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "schedule/local_order.h"
#include "schedule/program.h"

namespace funcpipe {

class OperationGraph {
 public:
  // Adds a program that is well formed (schedule/check_form.h), with its own order.
  void add(const Program& program, const LocalOrder& order);

  // Finds out who publishes, reads and releases each object, once all programs are added. Error: failed for an object
  // that is not published exactly once, is not read, is not released exactly once, has other readers than its publisher
  // names, or is read as other elements than it holds.
  Result<> link();

  int size() const { return static_cast<int>(kinds_.size()); }
  int workers() const { return static_cast<int>(workers_.size()); }
  int worker_of(int op) const;
  std::string name(int op) const;  // "stage 0 replica 1: publish part/s0-r1/shard3 (operation 12)"

  // Returns the operations of a cycle of dependencies, transfers and lane orders, in order; empty if there is none.
  std::vector<int> cycle();

  struct Release {
    int op = 0, age = 0;
    std::vector<int> objects;
  };
  const std::vector<Release>& releases() const { return releases_; }
  std::span<const int> consumers(int object) const;

  // Calls each(worker, position) for every object that the worker of `release` has certainly received before it in the
  // same iteration. `worker` is the sender, and `position` the last one of its compute lane that was certainly done
  // when it sent the object.
  template <class Each>
  void each_received_before(int release, const Each& each) const {
    const Worker& own = workers_[static_cast<std::size_t>(worker_of(release))];
    for (int consumer = own.first; consumer < own.first + own.size; ++consumer) {
      ++steps_;
      if (!is_consumer(kinds_[consumer]) || !(first_after_[consumer] <= last_before_[release])) continue;
      const int producer = objects_[object_of_[consumer]].producer;
      each(worker_of(producer), last_before_[producer]);
    }
  }
  // Returns whether `consumer` of `age` iterations ago was certainly done when its worker's compute lane had reached
  // `position`.
  bool done_by(int consumer, int age, int position) const {
    return first_after_[consumer] - age * workers_[static_cast<std::size_t>(worker_of(consumer))].computing <= position;
  }
  // Returns whether a quick test proves that `earlier` of `age` iterations ago is always done before `later`. Both are
  // of the same worker. false leaves it open.
  bool seen_by(int earlier, int later, int age) const;
  // The operations of `age` iterations ago that are always done before `later`. The constructor finds them by a walk
  // back, which takes time in proportion to the operations of `age` + 1 iterations.
  class Past {
   public:
    Past(const OperationGraph& graph, int later, int age);
    bool holds(int earlier) const { return seen_.contains(earlier); }

   private:
    std::unordered_set<int> seen_;
  };

  Error too_early(const Release& release, int consumer) const;

  std::int64_t steps() const { return steps_; }

 private:
  struct Worker {
    WorkerId id;
    int first = 0, size = 0;
    int computing = 0;  // Number of operations on its compute lane.
    int last_compute = -1;
  };
  enum class Role : std::uint8_t { producer, consumer, release };
  struct Use {
    ObjectName name;
    Slice slice;
    int op = 0;  // For a release: index in releases_.
    Role role = Role::producer;
    std::int64_t first_reader = 0;  // For a producer: index in readers_ of the first reader that it names.
    std::int32_t readers = 0;       // For a producer: number of readers that it names.
  };
  struct Object {
    ObjectName name;
    int producer = -1, first_consumer = 0, end_consumer = 0;
  };
  struct Edge {
    std::uint32_t op : 31;
    std::uint32_t back : 1;
  };

  tl::unexpected<Error> wrong(int op, std::string what) const;
  std::string place_of(int op) const;
  Result<> check_uses(std::span<const Use> uses) const;

  std::vector<Worker> workers_;
  std::vector<OpKind> kinds_;
  std::vector<int> object_of_;    // By operation: the object it moves, -1 for none.
  std::vector<int> lane_before_;  // By operation: the one before it on its lane, -1 for the first of the iteration.
  std::vector<int> first_after_, last_before_;  // As in LocalOrder.
  std::vector<std::int64_t> first_edge_{0};     // By operation: its first dependency in edges_; one more at the end.
  std::vector<Edge> edges_;
  std::vector<Use> uses_;          // Cleared by link().
  std::vector<WorkerId> readers_;  // Readers that producers name; cleared by link().
  std::vector<Object> objects_;
  std::vector<int> consumers_;
  std::vector<Release> releases_;
  mutable std::int64_t steps_ = 0;
};

}  // namespace funcpipe
