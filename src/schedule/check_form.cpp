#include "schedule/check_form.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace funcpipe {
namespace {

bool stages_bytes(OpKind kind) {
  const Touch* const touch = touch_of(kind, Buffer::staged);
  return touch && writes(touch->access);
}

}  // namespace

Error unsound(const Program& program, int op, std::string what) {
  return {.code = ErrorCode::failed,
          .message = std::move(what),
          .place = fmt::format("program of {}, operation {} ({})", to_string(program.worker), op,
                               to_string(program.ops[static_cast<std::size_t>(op)].kind)),
          .hint = {}};
}

Result<> check_form(const Program& program) {
  const int size = static_cast<int>(program.ops.size());
  const auto wrong = [&](int op, std::string what) {
    return tl::unexpected<Error>(unsound(program, op, std::move(what)));
  };
  std::vector<int> listed(size, 0);
  for (int lane = 0; lane < kLanes; ++lane) {
    for (const int op : program.lanes[lane]) {
      if (op < 0 || op >= size) {
        return fail(ErrorCode::failed,
                    fmt::format("the {} lane lists operation {} of {}", to_string(static_cast<Lane>(lane)), op, size),
                    fmt::format("program of {}", to_string(program.worker)));
      }
      if (static_cast<int>(lane_of(program.ops[op].kind)) != lane) {
        return wrong(op, fmt::format("is on the {} lane", to_string(static_cast<Lane>(lane))));
      }
      ++listed[op];
    }
  }
  std::vector<int> additions(size, 0);  // By operation: how many reduces add the bytes that it staged.
  for (int i = 0; i < size; ++i) {
    const Op& op = program.ops[i];
    if (listed[i] != 1) return wrong(i, fmt::format("is on its lane {} times, not once", listed[i]));
    for (const Dependency& dependency : op.after) {
      if (dependency.op < 0 || dependency.op >= size || dependency.iterations_back < 0 ||
          dependency.iterations_back > 1) {
        return wrong(
            i, fmt::format("depends on operation {}, {} iterations back", dependency.op, dependency.iterations_back));
      }
    }
    const OpTraits& of = traits(op.kind);
    if (of.objects != 0 && !of.may_move(op.object.kind)) {
      return wrong(i, fmt::format("cannot move {}", to_string(op.object)));
    }
    if (of.store == StoreRequest::publish && WorkerId{op.object.stage, op.object.replica} != program.worker) {
      return wrong(i, fmt::format("publishes another worker's object {}", to_string(op.object)));
    }
    // Empty shards are not moved. The whole gradient is empty on a stage without parameters.
    const bool moves_shard = of.may_move(ObjectKind::part) || of.purpose == Purpose::sum;
    if (op.slice.first < 0 || op.slice.elements < 0 || (moves_shard && op.slice.elements == 0)) {
      return wrong(i, fmt::format("moves {} elements from {}", op.slice.elements, op.slice.first));
    }
    for (const Touch& touch : of) {
      if (touch.extent == Extent::micro_batch && op.micro_batch < 0)
        return wrong(i, fmt::format("touches the {} of no micro-batch", to_string(touch.buffer)));
      if (touch.extent != Extent::source) continue;
      if (op.source < 0 || op.source >= size || !stages_bytes(program.ops[op.source].kind)) {
        return wrong(i, fmt::format("its source {} is no fetch", op.source));
      }
      if (program.ops[op.source].slice != op.slice) {
        return wrong(i, fmt::format("adds another slice than operation {} fetched", op.source));
      }
      ++additions[op.source];
    }
    if (op.release_age < 0 || op.release_age > kMostReleaseAge) {
      return wrong(i, fmt::format("releases objects {} iterations old", op.release_age));
    }
  }
  for (int i = 0; i < size; ++i) {
    if (stages_bytes(program.ops[i].kind) && additions[i] != 1) {
      return wrong(i, fmt::format("is added {} times, not once", additions[i]));
    }
  }
  return {};
}

}  // namespace funcpipe
