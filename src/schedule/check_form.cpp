#include "schedule/check_form.h"

#include <utility>
#include <vector>

namespace funcpipe {
namespace {

// The kind of object an operation moves.
bool right_kind(OpKind op, ObjectKind object) {
  switch (op) {
    case OpKind::send_activation:
    case OpKind::receive_activation:
      return object == ObjectKind::activation;
    case OpKind::send_gradient:
    case OpKind::receive_gradient:
      return object == ObjectKind::gradient;
    case OpKind::publish_buffers:
    case OpKind::fetch_buffers:
      return object == ObjectKind::buffers;
    default:
      return object == ObjectKind::part || object == ObjectKind::merged || object == ObjectKind::tied;
  }
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
  std::vector<int> reduces(size, 0);
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
    if ((is_producer(op.kind) || is_consumer(op.kind)) && !right_kind(op.kind, op.object.kind)) {
      return wrong(i, fmt::format("cannot move {}", to_string(op.object)));
    }
    if (is_producer(op.kind) &&
        (op.object.stage != program.worker.stage || op.object.replica != program.worker.replica)) {
      return wrong(i, fmt::format("publishes another worker's object {}", to_string(op.object)));
    }
    const bool sliced = op.kind == OpKind::reduce || op.kind == OpKind::fetch || op.kind == OpKind::fetch_into ||
                        op.kind == OpKind::publish;
    if (sliced && (op.slice.first < 0 || op.slice.elements <= 0)) {
      return wrong(i, fmt::format("moves {} elements from {}", op.slice.elements, op.slice.first));
    }
    if (op.kind == OpKind::reduce) {
      if (op.source < 0 || op.source >= size || program.ops[op.source].kind != OpKind::fetch) {
        return wrong(i, fmt::format("its source {} is no fetch", op.source));
      }
      if (program.ops[op.source].slice != op.slice) {
        return wrong(i, fmt::format("adds another slice than operation {} fetched", op.source));
      }
      ++reduces[op.source];
    }
    if (op.release_age < 0 || op.release_age > kMostReleaseAge) {
      return wrong(i, fmt::format("releases objects {} iterations old", op.release_age));
    }
  }
  for (int i = 0; i < size; ++i) {
    if (program.ops[i].kind == OpKind::fetch && reduces[i] != 1) {
      return wrong(i, fmt::format("is added {} times, not once", reduces[i]));
    }
  }
  return {};
}

}  // namespace funcpipe
