#include "schedule/builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace funcpipe {
namespace {

constexpr std::size_t kReleasedTogether = 64;  // Most objects that one release deletes after they were read.

}  // namespace

ProgramBuilder::ProgramBuilder(WorkerId worker) {
  program_.worker = worker;
}

int ProgramBuilder::add(Op op) {
  const int index = static_cast<int>(program_.ops.size());
  std::vector<int>& lane = program_.lanes[static_cast<int>(lane_of(op.kind))];
  position_.push_back(lane_of(op.kind) == Lane::compute ? static_cast<int>(lane.size()) : -1);
  lane.push_back(index);
  program_.ops.push_back(std::move(op));
  touch_all(index, 0);
  const Op& added = program_.ops.back();
  if (is_consumer(added.kind) && added.retention == Retention::when_read) {
    read_.released.push_back(added.object);
    read_.after.push_back({index, 0});
    if (read_.released.size() >= kReleasedTogether) release_read();
  }
  return index;
}

void ProgramBuilder::release_read() {
  if (read_.released.empty()) return;
  read_.kind = OpKind::release;
  add(std::exchange(read_, {}));
}

void ProgramBuilder::release_published(int update) {
  Op release{.kind = OpKind::release, .release_age = 1, .after = {{update, 0}}};
  for (const Op& op : program_.ops)
    if (is_producer(op.kind) && op.retention == Retention::next_update) release.released.push_back(op.object);
  if (!release.released.empty()) add(std::move(release));
}

bool ProgramBuilder::computes(int op) const {
  return position_[static_cast<std::size_t>(op)] >= 0;
}

void ProgramBuilder::touch_all(int index, int iteration) {
  const Op& op = program_.ops[static_cast<std::size_t>(index)];
  for (const Touch& touched : traits(op.kind)) {
    const Place place = place_of(touched, op, index);
    if (iteration > 0 && !lasts(place.buffer)) continue;
    const Mark by{index, iteration};
    const auto buffer = static_cast<std::size_t>(place.buffer);
    if (touched.extent == Extent::whole || touched.extent == Extent::slice)
      touch(by, place.slice, writes(touched.access), stretches_[buffer]);
    else
      touch(by, writes(touched.access), places_[buffer << 32 | static_cast<std::uint32_t>(place.index)]);
  }
}

void ProgramBuilder::wait_for(Mark by, Mark before) {
  if (before.op < 0 || (computes(by.op) && computes(before.op))) return;
  // The second pass over the operations, as iteration 1, adds only dependencies on iteration 0.
  if (by.iteration > 0 && before.iteration > 0) return;
  program_.ops[static_cast<std::size_t>(by.op)].after.push_back({before.op, by.iteration - before.iteration});
}

void ProgramBuilder::touch(Mark by, bool write, History& history) {
  wait_for(by, history.writer);
  if (write) {
    for (const Mark& reader : history.readers) wait_for(by, reader);
    history = {by, {}};
    return;
  }
  if (computes(by.op)) std::erase_if(history.readers, [&](const Mark& reader) { return computes(reader.op); });
  history.readers.push_back(by);
}

// Splits the stretch that contains elements on both sides of the border before element `at`, if there is one.
void ProgramBuilder::split(Stretches& stretches, std::int64_t at) {
  auto after = stretches.upper_bound(at);
  if (after == stretches.begin()) return;
  const auto found = std::prev(after);
  if (found->first == at || found->second.end <= at) return;
  Stretch rest = found->second;
  found->second.end = at;
  stretches.emplace_hint(after, at, std::move(rest));
}

void ProgramBuilder::touch(Mark by, const Slice& slice, bool write, Stretches& stretches) {
  if (slice.elements <= 0) return;
  const std::int64_t end = slice.first + slice.elements;
  split(stretches, slice.first);
  split(stretches, end);
  std::int64_t reached = slice.first;
  auto stretch = stretches.lower_bound(slice.first);
  while (stretch != stretches.end() && stretch->first < end) {
    touch(by, write, stretch->second.history);
    if (write) {
      stretch = stretches.erase(stretch);
      continue;
    }
    if (stretch->first > reached) stretches.emplace(reached, Stretch{stretch->first, {{}, {by}}});
    reached = stretch->second.end;
    ++stretch;
  }
  if (write)
    stretches.emplace(slice.first, Stretch{end, {by, {}}});
  else if (reached < end)
    stretches.emplace(reached, Stretch{end, {{}, {by}}});
}

void ProgramBuilder::depend(int op, Dependency on) {
  FUNCPIPE_CHECK(op >= 0 && op < static_cast<int>(program_.ops.size()), "operation {} of {}", op, program_.ops.size());
  program_.ops[op].after.push_back(on);
}

void ProgramBuilder::keep_latest_computation(int index) {
  std::vector<Dependency>& after = program_.ops[static_cast<std::size_t>(index)].after;
  const auto earlier = [&](const Dependency& a, const Dependency& b) {
    return std::pair(-a.iterations_back, position_[a.op]) < std::pair(-b.iterations_back, position_[b.op]);
  };
  const Dependency* latest = nullptr;
  for (const Dependency& on : after)
    if (computes(on.op) && (!latest || earlier(*latest, on))) latest = &on;
  if (!latest) return;
  const Dependency kept = *latest;
  std::erase_if(after, [&](const Dependency& on) { return computes(on.op) && on != kept; });
}

Program ProgramBuilder::finish() && {
  release_read();
  const int size = static_cast<int>(program_.ops.size());
  for (int op = 0; op < size; ++op) touch_all(op, 1);
  for (int op = 0; op < size; ++op) {
    std::vector<Dependency>& after = program_.ops[static_cast<std::size_t>(op)].after;
    keep_latest_computation(op);
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
  }
  return std::move(program_);
}

}  // namespace funcpipe
