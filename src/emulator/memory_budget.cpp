#include "emulator/memory_budget.h"

#include <algorithm>

namespace funcpipe {

bool MemoryBudget::take(Bytes bytes) {
  Bytes before = held_;
  while (before + bytes <= capacity_)
    if (held_.compare_exchange_weak(before, before + bytes)) return true;
  return false;
}

std::shared_ptr<std::byte[]> MemoryBudget::allocate(Bytes size) {
  size = std::max<Bytes>(size, 1);
  if (!take(size)) return nullptr;
  auto memory = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(size));
  return {memory.release(), [budget = shared_from_this(), size](const std::byte* held) {
            delete[] held;
            budget->give_back(size);
          }};
}

MemoryHold& MemoryHold::operator=(MemoryHold&& other) noexcept {
  if (this == &other) return *this;
  release();
  budget_ = std::move(other.budget_);
  held_ = std::exchange(other.held_, 0);
  return *this;
}

bool MemoryHold::grow(Bytes bytes) {
  if (budget_ && !budget_->take(bytes)) return false;
  held_ += bytes;
  return true;
}

void MemoryHold::release() {
  if (budget_) budget_->give_back(held_);
  held_ = 0;
}

}  // namespace funcpipe
