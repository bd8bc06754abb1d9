// The operations of all workers as flat arrays: what the checker walks. A program is not needed any more once it is
// added. Operations are numbered through, worker after worker.
//
// All edges lead to the same iteration or to the next one. So a cycle lies in one iteration, and what is true of one is
// true of all.
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
  // `program`: well formed (schedule/check_form.h); `order`: its own.
  void add(const Program& program, const LocalOrder& order);

  // Once all are added: who publishes, reads and releases what. Error: failed: an object that is not published once,
  // not read, not released once, that others read than its publisher names, or that is read as other elements than it
  // holds.
  Result<> link();

  int size() const { return static_cast<int>(kinds_.size()); }
  int workers() const { return static_cast<int>(workers_.size()); }
  int worker_of(int op) const;
  std::string name(int op) const;  // "stage 0 replica 1: publish part/s0-r1/shard3 (operation 12)"

  // Operations of a cycle of dependencies, transfers and the order of all lanes, in order; empty: there is none.
  std::vector<int> cycle();

  struct Release {
    int op = 0, age = 0;
    std::vector<int> objects;
  };
  const std::vector<Release>& releases() const { return releases_; }
  std::span<const int> consumers(int object) const;

  // Calls each(worker, position) for what the worker of `release` has certainly received before it in its iteration:
  // who sent it, and the last operation of the sender's compute lane that was then certainly done.
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
  // Whether `consumer` of `age` iterations ago was certainly done when its worker's compute lane had come to
  // `position`.
  bool done_by(int consumer, int age, int position) const {
    return first_after_[consumer] - age * workers_[static_cast<std::size_t>(worker_of(consumer))].computing <= position;
  }
  // Whether `earlier` of `age` iterations ago is always done before `later`, on the same worker: at one look.
  bool seen_by(int earlier, int later, int age) const;
  // What is always done before `later`, of up to `age` iterations ago, found by walking back: takes as long as the
  // operations of `age` + 1 iterations are many, once for all questions.
  class Past {
   public:
    Past(const OperationGraph& graph, int later, int age);
    bool holds(int earlier) const { return seen_.contains(earlier); }  // of `age` iterations ago

   private:
    std::unordered_set<int> seen_;
  };

  Error too_early(const Release& release, int consumer) const;

  std::int64_t steps() const { return steps_; }

 private:
  struct Worker {
    WorkerId id;
    int first = 0, size = 0;
    int computing = 0;  // operations of the compute lane
    int last_compute = -1;
  };
  enum class Role : std::uint8_t { producer, consumer, release };
  struct Use {
    ObjectName name;
    Slice slice;
    int op = 0;  // of a release: index in releases_
    Role role = Role::producer;
    std::int64_t first_reader = 0;  // of a producer: in readers_, where the next producer's begin
    std::int32_t readers = 0;
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
  std::vector<int> object_of_;    // -1: moves none
  std::vector<int> lane_before_;  // the operation before it on its lane, of the same iteration; -1: it is the first
  std::vector<int> first_after_, last_before_;  // as LocalOrder
  std::vector<std::int64_t> first_edge_{0};     // of its dependencies in edges_; the next one's is the end
  std::vector<Edge> edges_;
  std::vector<Use> uses_;          // until linked
  std::vector<WorkerId> readers_;  // that publishers name; until linked
  std::vector<Object> objects_;
  std::vector<int> consumers_;
  std::vector<Release> releases_;
  mutable std::int64_t steps_ = 0;
};

}  // namespace funcpipe
