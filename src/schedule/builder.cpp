#include "schedule/builder.h"

#include <algorithm>
#include <iterator>
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
  const Slice slice = gradient_slice(op, gradient_elements_);
  program_.lanes[static_cast<int>(lane_of(op.kind))].push_back(index);
  program_.ops.push_back(std::move(op));
  if (access != GradientAccess::none && slice.elements > 0) touch(index, slice, access == GradientAccess::write);
  return index;
}

// No stretch reaches over the border before element `at` any more.
void ProgramBuilder::split(std::int64_t at) {
  auto after = touched_.upper_bound(at);
  if (after == touched_.begin()) return;
  const auto found = std::prev(after);
  if (found->first == at || found->second.end <= at) return;
  Stretch rest = found->second;
  found->second.end = at;
  touched_.emplace_hint(after, at, std::move(rest));
}

void ProgramBuilder::touch(int op, const Slice& slice, bool write) {
  const std::int64_t end = slice.first + slice.elements;
  split(slice.first);
  split(end);
  std::vector<Dependency>& after = program_.ops[static_cast<std::size_t>(op)].after;
  std::int64_t reached = slice.first;
  auto stretch = touched_.lower_bound(slice.first);
  while (stretch != touched_.end() && stretch->first < end) {
    if (stretch->second.writer >= 0) after.push_back({stretch->second.writer, 0});
    if (write) {
      for (const int reader : stretch->second.readers) after.push_back({reader, 0});
      stretch = touched_.erase(stretch);
      continue;
    }
    if (stretch->first > reached) touched_.emplace(reached, Stretch{stretch->first, -1, {op}});
    stretch->second.readers.push_back(op);
    reached = stretch->second.end;
    ++stretch;
  }
  if (write)
    touched_.emplace(slice.first, Stretch{end, op, {}});
  else if (reached < end)
    touched_.emplace(reached, Stretch{end, -1, {op}});
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
