#include "simulator/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace funcpipe {
namespace {

constexpr std::uint64_t kLatency = 1, kBackoff = 2;  // What random numbers are drawn for.

double slowed(BytesPerSecond rate, const std::vector<Fault>& faults, WorkerId worker) {
  for (const Fault& fault : faults)
    if (fault.kind == Fault::Kind::slow_links && fault.worker == worker) rate /= fault.factor;
  return rate;
}

Burst slowed(Burst burst, const std::vector<Fault>& faults, WorkerId worker) {
  burst.rate = slowed(burst.rate, faults, worker);
  return burst;
}

}  // namespace

bool RequestRate::has(Seconds now) {
  if (unlimited()) return true;
  left_ = std::min(std::max(rate_, 1.0), left_ + (now - since_) * rate_);
  since_ = now;
  return left_ >= 1;
}

Requests::Requests(const SimulatedFleet& fleet, const PlayState& played, const SimulationOptions& options,
                   Agenda& agenda)
    : fleet_(fleet),
      played_(played),
      store_(options.store),
      polling_{.limit = options.wait_limit},
      patient_polling_{.limit = kServerPatience * options.wait_limit},
      seed_(options.seed),
      agenda_(agenda),
      down_(static_cast<std::size_t>(options.download_connections) + 1, options.store.most_down),
      up_(static_cast<std::size_t>(options.upload_connections) + 1, options.store.most_up),
      put_rate_(options.store.put_rate),
      get_rate_(options.store.get_rate),
      rate_(options.store.request_rate),
      refuses_(!put_rate_.unlimited() || !get_rate_.unlimited() || !rate_.unlimited()),
      send_rates_(static_cast<std::size_t>(fleet.size())),
      requests_(played.connections()),
      waits_(played.connections()),
      arrivals_(static_cast<std::size_t>(fleet.waits())),
      repeats_(static_cast<std::size_t>(fleet.size()), Repeats(retry_)),
      usage_(static_cast<std::size_t>(fleet.size())),
      early_(static_cast<std::size_t>(fleet.size())),
      refused_(static_cast<std::size_t>(fleet.size())) {
  if (options.waiting == Waiting::notified) waiters_.resize(static_cast<std::size_t>(fleet.operations()));
  for (int i = 0; i < fleet.size(); ++i) {
    const SimulatedFleet::Worker& worker = fleet.worker(i);
    const Burst burst = slowed(store_.burst, options.faults, worker.id);
    rates_.push_back(slowed(worker.model.downlink, options.faults, worker.id));
    down_.add(rates_.back(), burst);
    rates_.push_back(slowed(worker.model.uplink, options.faults, worker.id));
    up_.add(rates_.back(), burst);
  }
}

std::uint64_t Requests::random(std::uint32_t connection, std::uint64_t purpose) const {
  const Request& request = requests_[connection];
  return mix(seed_,
             {static_cast<std::uint64_t>(played_.worker_of(connection)) << 32 | static_cast<std::uint32_t>(request.use),
              static_cast<std::uint64_t>(request.iteration), purpose << 32 | request.asks});
}

void Requests::begin(std::uint32_t connection, const Task& task, Seconds now) {
  Request& request = requests_[connection];
  request = {.kind = task.kind,
             .times = task.times,
             .use = task.use,
             .awaited = task.awaited,
             .iteration = task.iteration,
             .bytes = task.bytes};
  if (task.kind != RequestKind::wait) return ask(connection, now);
  const FleetOp& awaited = *task.awaited;
  const bool notified = !waiters_.empty();
  waits_[connection] =
      ObjectWait(polling(played_.worker_of(connection)), now, now,
                 notified ? std::nullopt : arrivals_[static_cast<std::size_t>(awaited.wait)].first_poll());
  if (notified && !played_.is_done(awaited.producer_worker, awaited.producer_op, task.iteration))
    return waiters_[operation(awaited.producer_worker, awaited.producer_op)].push_back(connection);
  ask_at(waits_[connection].ask_at(), connection, now);
}

// If the store never refuses, sending a GET changes nothing else, so it is handled at once and not by an event.
void Requests::ask_at(Seconds time, std::uint32_t connection, Seconds now) {
  if (time <= now || !refuses_) return ask(connection, time);
  agenda_.at(time, EventKind::ask, connection);
}

void Requests::ask(std::uint32_t connection, Seconds now) {
  Request& request = requests_[connection];
  if (++request.tries == 1) {
    request.tried = now;
    if (request.kind == RequestKind::wait) waits_[connection].asked(now);
  }
  if (!refuses_) return send(connection, now);
  const int worker = played_.worker_of(connection);
  const auto turn = send_rates_[static_cast<std::size_t>(worker)].take(now, request.tried + retry_.total);
  if (!turn) {
    if (!failure) failure = given_up(request, worker, now);
  } else if (*turn <= now) {
    send(connection, now);
  } else {
    agenda_.at(*turn, EventKind::send, connection);
  }
}

void Requests::send(std::uint32_t connection, Seconds now) {
  Request& request = requests_[connection];
  ++request.asks;
  request.sent = now;
  // S3 counts DELETEs with PUTs.
  const bool reads = request.kind == RequestKind::get || request.kind == RequestKind::wait;
  RequestRate& of_kind = reads ? get_rate_ : put_rate_;
  request.refused = !of_kind.has(now) || !rate_.has(now);
  if (!request.refused) {
    of_kind.take();
    rate_.take();
  }
  if (request.kind == RequestKind::put && !request.refused) return flow(connection, now);
  await_answer(connection, now);
}

void Requests::await_answer(std::uint32_t connection, Seconds now) {
  const Request& request = requests_[connection];
  const bool reads = request.kind == RequestKind::get || request.kind == RequestKind::wait;
  const LatencyDistribution& latency = reads ? store_.get : store_.put;
  const bool beside_store = fleet_.worker(played_.worker_of(connection)).model.rent.has_value();
  const Seconds takes = beside_store         ? 0
                        : latency.constant() ? latency.median()
                                             : latency.draw(random(connection, kLatency));
  agenda_.at(now + takes, EventKind::answered, connection);
}

void Requests::answered(std::uint32_t connection, Seconds now) {
  Request& request = requests_[connection];
  const int worker = played_.worker_of(connection);
  Usage& usage = usage_[static_cast<std::size_t>(worker)];
  switch (request.kind) {
    case RequestKind::get:
    case RequestKind::wait:
      ++usage.get;
      break;
    case RequestKind::put:
      ++usage.put;
      break;
    case RequestKind::remove:
      ++usage.remove;
      break;
  }
  if (request.refused) {
    ++refused_[static_cast<std::size_t>(worker)];
    send_rates_[static_cast<std::size_t>(worker)].refused(now, request.sent);
    return try_again(connection, now);
  }
  repeats_[static_cast<std::size_t>(worker)].succeeded();
  request.tries = 0;
  switch (request.kind) {
    case RequestKind::get:
      return flow(connection, now);
    case RequestKind::wait:
      if (!played_.is_done(request.awaited->producer_worker, request.awaited->producer_op, request.iteration))
        return not_there(connection, now);
      return flow(connection, now);
    case RequestKind::put:
      usage.uploaded += static_cast<Bytes>(request.bytes);
      return finish(connection, now);
    case RequestKind::remove:
      if (--request.times > 0) return ask(connection, now);
      return finish(connection, now);
  }
}

void Requests::try_again(std::uint32_t connection, Seconds now) {
  Request& request = requests_[connection];
  const int worker = played_.worker_of(connection);
  const auto pause = repeats_[static_cast<std::size_t>(worker)].pause_after({.count = request.tries,
                                                                             .elapsed = now - request.tried,
                                                                             .limit = retry_.total,
                                                                             .random = random(connection, kBackoff)});
  if (pause) return agenda_.at(now + *pause, EventKind::ask, connection);
  if (!failure) failure = given_up(request, worker, now);
}

void Requests::not_there(std::uint32_t connection, Seconds now) {
  Request& request = requests_[connection];
  const int worker = played_.worker_of(connection);
  ++early_[static_cast<std::size_t>(worker)];
  ObjectWait& wait = waits_[connection];
  if (wait.missed(polling(worker), now)) return ask_at(wait.ask_at(), connection, now);
  if (failure) return;
  const WorkerId waiting = fleet_.worker(worker).id, producer = fleet_.worker(request.awaited->producer_worker).id;
  failure = Error{.code = ErrorCode::timeout,
                  .message = fmt::format("{} waits for {} in {} of iteration {}: its object is not there after {} and "
                                         "{} GETs",
                                         to_string(waiting), to_string(producer), to_string(request.awaited->kind),
                                         request.iteration, format_seconds(wait.since_began(now)), wait.polls()),
                  .place = to_string(waiting),
                  .hint = fmt::format("if {} is merely slow, raise the wait limit", to_string(producer))};
}

void Requests::flow(std::uint32_t connection, Seconds now) {
  Request& request = requests_[connection];
  const int worker = played_.worker_of(connection);
  const bool up = uploads(request);
  if (request.bytes <= 0 || std::isinf(rate_of(worker, up))) return flowed(connection, now);
  (up ? up_ : down_).start(static_cast<std::size_t>(worker), connection, request.bytes, now, agenda_.next_order());
}

void Requests::flowed(std::uint32_t connection, Seconds now) {
  Request& request = requests_[connection];
  if (uploads(request)) return await_answer(connection, now);
  usage_[static_cast<std::size_t>(played_.worker_of(connection))].downloaded += static_cast<Bytes>(request.bytes);
  finish(connection, now);
}

void Requests::finish(std::uint32_t connection, Seconds) {
  const Request& request = requests_[connection];
  if (request.kind == RequestKind::wait) {
    arrivals_[static_cast<std::size_t>(request.awaited->wait)].learn(waits_[connection].found(),
                                                                     waits_[connection].last_missed());
  }
  done.push_back(connection);
}

bool Requests::link_event(Seconds& now) {
  Links* first = nullptr;
  Moment when;
  for (Links* links : {&down_, &up_}) {
    if (links->empty()) continue;
    const Moment next = links->next();
    if (!first || next < when) {
      first = links;
      when = next;
    }
  }
  if (!first || (!agenda_.queue().empty() && agenda_.queue().top().when < when)) return false;
  now = std::max(now, when.time);
  first->advance(agenda_.next_order(), ended_);
  for (const std::uint32_t connection : ended_) flowed(connection, now);
  ended_.clear();
  return true;
}

void Requests::published(int worker, std::int32_t op, std::int64_t iteration, Seconds now) {
  if (waiters_.empty()) return;
  std::vector<std::uint32_t>& waiters = waiters_[operation(worker, op)];
  std::erase_if(waiters, [&](std::uint32_t connection) {
    if (requests_[connection].iteration != iteration) return false;
    ask(connection, now);
    return true;
  });
}

void Requests::new_client(int worker) {
  repeats_[static_cast<std::size_t>(worker)] = Repeats(retry_);
  send_rates_[static_cast<std::size_t>(worker)] = {};
}

void Requests::forget_arrivals(int worker) {
  const SimulatedFleet::Worker& of = fleet_.worker(worker);
  std::fill_n(arrivals_.begin() + of.first_wait, of.waits, ArrivalEstimate{});
}

Error Requests::given_up(const Request& request, int worker, Seconds now) const {
  return {.code = ErrorCode::unavailable,
          .message = fmt::format("SlowDown (HTTP status 503) to a {} after {} tries in {}",
                                 uploads(request) ? "PUT" : "GET", request.tries, format_seconds(now - request.tried)),
          .place = to_string(fleet_.worker(worker).id),
          .hint =
              "all workers together ask more often than the store allows: use fewer replicas, larger "
              "micro-batches, or a synchronisation with fewer requests"};
}

}  // namespace funcpipe
