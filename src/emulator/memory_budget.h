// The bytes a service may keep in memory for its clients: bodies being received, and objects read for answers.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/units.h"

namespace funcpipe {

// Thread-safe. Whatever keeps a part of it shares it and may outlive the service.
class MemoryBudget : public std::enable_shared_from_this<MemoryBudget> {
 public:
  explicit MemoryBudget(Bytes capacity) : capacity_(capacity) {}

  bool take(Bytes bytes);  // false: there is no room, and nothing was taken
  void give_back(Bytes bytes) { held_ -= bytes; }
  Bytes held() const { return held_; }

  // Allocates at least one byte and gives it back with the last owner. Returns nullptr if there is no room. The budget
  // must have been made by make_shared.
  std::shared_ptr<std::byte[]> allocate(Bytes size);

 private:
  const Bytes capacity_;
  std::atomic<Bytes> held_ = 0;
};

// A part of a budget. It grows with what is kept and is given back at destruction. Without a budget there is always
// room.
class MemoryHold {
 public:
  explicit MemoryHold(std::shared_ptr<MemoryBudget> budget = nullptr) : budget_(std::move(budget)) {}
  ~MemoryHold() { release(); }
  MemoryHold(MemoryHold&& other) noexcept : budget_(std::move(other.budget_)), held_(std::exchange(other.held_, 0)) {}
  MemoryHold& operator=(MemoryHold&& other) noexcept;

  bool grow(Bytes bytes);  // false: there is no room
  void release();

 private:
  std::shared_ptr<MemoryBudget> budget_;
  Bytes held_ = 0;
};

}  // namespace funcpipe
