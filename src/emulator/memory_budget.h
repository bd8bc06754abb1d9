// Bytes that a service may hold in memory for its clients' sake: bodies on their way in, objects read for answers.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/units.h"

namespace funcpipe {

// Thread-safe. Shared by whatever holds a part of it, which may outlive the service.
class MemoryBudget : public std::enable_shared_from_this<MemoryBudget> {
 public:
  explicit MemoryBudget(Bytes capacity) : capacity_(capacity) {}

  bool take(Bytes bytes);  // false: there is no room, and nothing was taken
  void give_back(Bytes bytes) { held_ -= bytes; }
  Bytes held() const { return held_; }

  // Memory that gives itself back; nullptr if there is no room. At least one byte. Needs a budget made by make_shared.
  std::shared_ptr<std::byte[]> allocate(Bytes size);

 private:
  const Bytes capacity_;
  std::atomic<Bytes> held_ = 0;
};

// A part of a budget that grows with what is held and is given back at the end. Without a budget everything fits.
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
