#include "schedule/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "schedule/builder.h"
#include "schedule/unrolled.h"

namespace funcpipe {
namespace {

tl::unexpected<Error> unsound(const Program& program, int op, std::string what) {
  return fail(
      ErrorCode::failed, std::move(what),
      fmt::format("program of {}, operation {} ({})", to_string(program.worker), op, to_string(program.ops[op].kind)));
}

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

// Indices, lanes, fields: what a program must satisfy before it can be drawn as a graph.
Result<> check_form(const Program& program) {
  const int size = static_cast<int>(program.ops.size());
  std::vector<int> listed(size, 0);
  for (int lane = 0; lane < kLanes; ++lane) {
    for (const int op : program.lanes[lane]) {
      if (op < 0 || op >= size) {
        return fail(ErrorCode::failed,
                    fmt::format("the {} lane lists operation {} of {}", to_string(static_cast<Lane>(lane)), op, size),
                    fmt::format("program of {}", to_string(program.worker)));
      }
      if (static_cast<int>(lane_of(program.ops[op].kind)) != lane) {
        return unsound(program, op, fmt::format("is on the {} lane", to_string(static_cast<Lane>(lane))));
      }
      ++listed[op];
    }
  }
  std::vector<int> reduces(size, 0);
  for (int i = 0; i < size; ++i) {
    const Op& op = program.ops[i];
    if (listed[i] != 1) return unsound(program, i, fmt::format("is on its lane {} times, not once", listed[i]));
    for (const Dependency& dependency : op.after) {
      if (dependency.op < 0 || dependency.op >= size || dependency.iterations_back < 0 ||
          dependency.iterations_back > 1) {
        return unsound(
            program, i,
            fmt::format("depends on operation {}, {} iterations back", dependency.op, dependency.iterations_back));
      }
    }
    if ((is_producer(op.kind) || is_consumer(op.kind)) && !right_kind(op.kind, op.object.kind)) {
      return unsound(program, i, fmt::format("cannot move {}", to_string(op.object)));
    }
    if (is_producer(op.kind) &&
        (op.object.stage != program.worker.stage || op.object.replica != program.worker.replica)) {
      return unsound(program, i, fmt::format("publishes another worker's object {}", to_string(op.object)));
    }
    const bool sliced = op.kind == OpKind::reduce || op.kind == OpKind::fetch || op.kind == OpKind::fetch_into ||
                        op.kind == OpKind::publish;
    if (sliced && (op.slice.first < 0 || op.slice.elements <= 0)) {
      return unsound(program, i, fmt::format("moves {} elements from {}", op.slice.elements, op.slice.first));
    }
    if (op.kind == OpKind::reduce) {
      if (op.source < 0 || op.source >= size || program.ops[op.source].kind != OpKind::fetch) {
        return unsound(program, i, fmt::format("its source {} is no fetch", op.source));
      }
      if (program.ops[op.source].slice != op.slice) {
        return unsound(program, i, fmt::format("adds another slice than operation {} fetched", op.source));
      }
      ++reduces[op.source];
    }
    if (op.release_age < 0 || op.release_age >= kUnrolledIterations) {
      return unsound(program, i, fmt::format("releases objects {} iterations old", op.release_age));
    }
  }
  for (int i = 0; i < size; ++i) {
    if (program.ops[i].kind == OpKind::fetch && reduces[i] != 1) {
      return unsound(program, i, fmt::format("is added {} times, not once", reduces[i]));
    }
  }
  return {};
}

struct Traffic {
  std::vector<OpPlace> producers, consumers, releases;
};

Result<std::map<ObjectName, Traffic>> check_objects(const std::vector<Program>& programs) {
  std::map<ObjectName, Traffic> objects;
  for (int p = 0; p < static_cast<int>(programs.size()); ++p) {
    for (int i = 0; i < static_cast<int>(programs[p].ops.size()); ++i) {
      const Op& op = programs[p].ops[i];
      if (is_producer(op.kind)) objects[op.object].producers.push_back({p, i});
      if (is_consumer(op.kind)) objects[op.object].consumers.push_back({p, i});
      for (const ObjectName& name : op.released) objects[name].releases.push_back({p, i});
    }
  }
  const auto at = [&](OpPlace place, std::string what) {
    return unsound(programs[place.program], place.op, std::move(what));
  };
  // First what is not published once: a wrong name leaves another object unread too, which says less.
  for (const auto& [name, traffic] : objects) {
    if (traffic.producers.size() > 1) {
      return at(traffic.producers[1],
                fmt::format("publishes {}, and so does operation {} of {}", to_string(name), traffic.producers[0].op,
                            to_string(programs[traffic.producers[0].program].worker)));
    }
    if (!traffic.producers.empty()) continue;
    const bool read = !traffic.consumers.empty();
    return at(read ? traffic.consumers[0] : traffic.releases[0],
              fmt::format("{} {}, which nobody publishes", read ? "waits for" : "releases", to_string(name)));
  }
  for (const auto& [name, traffic] : objects) {
    const OpPlace producer = traffic.producers[0];
    if (traffic.consumers.empty())
      return at(producer, fmt::format("publishes {}, which nobody reads", to_string(name)));
    if (traffic.releases.empty()) {
      return at(producer, fmt::format("publishes {}, which nobody releases", to_string(name)));
    }
    if (traffic.releases.size() > 1) {
      return at(traffic.releases[1], fmt::format("releases {} a second time", to_string(name)));
    }
    // A tied parameter lies elsewhere on each stage; a shard lies in the same place on every replica.
    const Slice sent = programs[producer.program].ops[producer.op].slice;
    for (const OpPlace& consumer : traffic.consumers) {
      const Slice wanted = programs[consumer.program].ops[consumer.op].slice;
      if (wanted == sent || (name.kind == ObjectKind::tied && wanted.elements == sent.elements)) continue;
      return at(consumer,
                fmt::format("takes {} for elements {} to {}, but it holds {} to {}", to_string(name), wanted.first,
                            wanted.first + wanted.elements, sent.first, sent.first + sent.elements));
    }
  }
  return objects;
}

Result<> check_cycles(const Unrolled& graph) {
  const std::vector<int> cycle = graph.cycle();
  if (cycle.empty()) return {};
  constexpr std::size_t kShown = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(cycle.size(), kShown); ++i) text += graph.name(cycle[i]) + " -> ";
  text += cycle.size() > kShown ? fmt::format("... ({} in all) -> ", cycle.size()) : "";
  return fail(ErrorCode::failed, fmt::format("the programs wait in a circle: {}{}", text, graph.name(cycle[0])));
}

Result<> check_releases(const std::vector<Program>& programs, const std::map<ObjectName, Traffic>& objects,
                        const Unrolled& graph) {
  for (int p = 0; p < static_cast<int>(programs.size()); ++p) {
    for (int i = 0; i < static_cast<int>(programs[p].ops.size()); ++i) {
      const Op& op = programs[p].ops[i];
      if (op.released.empty()) continue;
      for (int t = op.release_age; t < kUnrolledIterations; ++t) {
        const std::vector<bool> earlier = graph.ancestors(graph.node({p, i}, t));
        for (const ObjectName& name : op.released) {
          for (const OpPlace& consumer : objects.at(name).consumers) {
            const int reader = graph.node(consumer, t - op.release_age);
            if (earlier[reader]) continue;
            return unsound(programs[p], i,
                           fmt::format("releases {} in iteration {}, perhaps before {} has read it", to_string(name), t,
                                       graph.name(reader)));
          }
        }
      }
    }
  }
  return {};
}

// Which operations of one worker are always done before another starts, over two iterations: node i is operation i of
// the first, node size + i of the second. What it has walked it remembers.
class Order {
 public:
  explicit Order(const Program& program) : programs_{program}, graph_(programs_) {}

  bool operator()(int earlier, int later) {
    const std::vector<int>& before = graph_.before(later);
    if (std::find(before.begin(), before.end(), earlier) != before.end()) return true;
    auto found = ancestors_.find(later);
    if (found == ancestors_.end()) found = ancestors_.emplace(later, graph_.ancestors(later)).first;
    return found->second[earlier];
  }

 private:
  const std::vector<Program> programs_;
  const Unrolled graph_;
  std::map<int, std::vector<bool>> ancestors_;
};

// Of one worker: whoever needs a tensor runs after whoever makes it, and nobody touches gradient elements while another
// writes them, within an iteration and from one to the next.
Result<> check_data(const Program& program) {
  const int size = static_cast<int>(program.ops.size());
  Order ordered(program);
  std::map<std::pair<OpKind, int>, int> makers;
  for (int i = 0; i < size; ++i) {
    if (program.ops[i].micro_batch >= 0) makers.emplace(std::pair(program.ops[i].kind, program.ops[i].micro_batch), i);
  }
  const auto needs = [&](int op, OpKind maker, bool required) -> Result<> {
    const auto found = makers.find({maker, program.ops[op].micro_batch});
    if (found == makers.end()) {
      if (required) return unsound(program, op, fmt::format("has no {} before it", to_string(maker)));
      return {};
    }
    if (ordered(found->second, op)) return {};
    return unsound(program, op,
                   fmt::format("may start before operation {} ({}) is done", found->second, to_string(maker)));
  };
  std::vector<int> gradient;
  std::int64_t elements = 1;
  for (int i = 0; i < size; ++i) {
    const Op& op = program.ops[i];
    elements = std::max(elements, op.slice.first + op.slice.elements);
    if (gradient_access(op.kind) != GradientAccess::none) gradient.push_back(i);
    switch (op.kind) {
      case OpKind::forward:
        FUNCPIPE_TRY_VOID(needs(i, OpKind::load, false));
        FUNCPIPE_TRY_VOID(needs(i, OpKind::receive_activation, program.worker.stage > 0));
        break;
      case OpKind::backward:
        FUNCPIPE_TRY_VOID(needs(i, OpKind::forward, true));
        FUNCPIPE_TRY_VOID(needs(i, OpKind::receive_gradient, false));
        break;
      case OpKind::send_activation:
        FUNCPIPE_TRY_VOID(needs(i, OpKind::forward, true));
        break;
      case OpKind::send_gradient:
        FUNCPIPE_TRY_VOID(needs(i, OpKind::backward, true));
        break;
      case OpKind::reduce:
        if (!ordered(op.source, i)) return unsound(program, i, "may start before its source is done");
        if (!ordered(i, size + op.source)) {
          return unsound(program, op.source, "may overwrite what it staged in the iteration before");
        }
        break;
      default:
        break;
    }
  }
  for (const int a : gradient) {
    for (const int b : gradient) {
      if (gradient_access(program.ops[a].kind) == GradientAccess::read &&
          gradient_access(program.ops[b].kind) == GradientAccess::read) {
        continue;
      }
      if (!overlap(gradient_slice(program.ops[a], elements), gradient_slice(program.ops[b], elements))) continue;
      const bool same = a == b || ordered(a, b) || ordered(b, a);
      if (!same || !ordered(a, size + b)) {
        return unsound(program, b,
                       fmt::format("may touch the gradient together with operation {} ({}){}", a,
                                   to_string(program.ops[a].kind), same ? " of the iteration before" : ""));
      }
    }
  }
  for (int update = 0; update < size; ++update) {
    if (program.ops[update].kind != OpKind::update) continue;
    for (int i = 0; i < size; ++i) {
      const OpKind kind = program.ops[i].kind;
      const bool before = kind == OpKind::forward || gradient_access(kind) != GradientAccess::none;
      if (i != update && before && !ordered(i, update)) {
        return unsound(program, update, fmt::format("comes before operation {} ({})", i, to_string(kind)));
      }
    }
  }
  return {};
}

}  // namespace

Result<> check_programs(const std::vector<Program>& programs) {
  std::set<WorkerId> workers;
  for (const Program& program : programs) {
    if (!workers.insert(program.worker).second) {
      return fail(ErrorCode::failed, fmt::format("two programs for {}", to_string(program.worker)));
    }
    FUNCPIPE_TRY_VOID(check_form(program));
  }
  FUNCPIPE_TRY(objects, check_objects(programs));
  const Unrolled graph(programs);
  FUNCPIPE_TRY_VOID(check_cycles(graph));
  for (const Program& program : programs) FUNCPIPE_TRY_VOID(check_data(program));
  FUNCPIPE_TRY_VOID(check_releases(programs, objects, graph));
  return {};
}

}  // namespace funcpipe
