#include "schedule/builder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace funcpipe {

GradientAccess gradient_access(OpKind kind) {
  switch (kind) {
    case OpKind::backward:
    case OpKind::reduce:
    case OpKind::update:
    case OpKind::fetch_into:
      return GradientAccess::write;
    case OpKind::publish:
      return GradientAccess::read;
    default:
      return GradientAccess::none;
  }
}

Slice gradient_slice(const Op& op, std::int64_t gradient_elements) {
  if (op.kind == OpKind::backward || op.kind == OpKind::update) {
    return {0, std::max<std::int64_t>(gradient_elements, 1)};
  }
  return op.slice;
}

bool overlap(const Slice& a, const Slice& b) {
  return a.first < b.first + b.elements && b.first < a.first + a.elements;
}

ProgramBuilder::ProgramBuilder(WorkerId worker, std::int64_t gradient_elements)
    : gradient_elements_(gradient_elements) {
  program_.worker = worker;
}

int ProgramBuilder::add(Op op) {
  const int index = static_cast<int>(program_.ops.size());
  const GradientAccess access = gradient_access(op.kind);
  if (access != GradientAccess::none) {
    const Slice slice = gradient_slice(op, gradient_elements_);
    const bool write = access == GradientAccess::write;
    for (const Access& earlier : accesses_) {
      if ((write || earlier.write) && overlap(earlier.slice, slice)) op.after.push_back({earlier.op, 0});
    }
    if (write) {
      std::erase_if(accesses_, [&](const Access& earlier) {
        return earlier.slice.first >= slice.first &&
               earlier.slice.first + earlier.slice.elements <= slice.first + slice.elements;
      });
    }
    accesses_.push_back({index, slice, write});
  }
  program_.lanes[static_cast<int>(lane_of(op.kind))].push_back(index);
  program_.ops.push_back(std::move(op));
  return index;
}

void ProgramBuilder::depend(int op, Dependency on) {
  FUNCPIPE_CHECK(op >= 0 && op < static_cast<int>(program_.ops.size()), "operation {} of {}", op, program_.ops.size());
  program_.ops[op].after.push_back(on);
}

Program ProgramBuilder::finish() && {
  for (Op& op : program_.ops) {
    std::sort(op.after.begin(), op.after.end());
    op.after.erase(std::unique(op.after.begin(), op.after.end()), op.after.end());
  }
  return std::move(program_);
}

}  // namespace funcpipe
