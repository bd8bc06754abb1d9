// A relay on loopback between a client and a server that speak HTTP. It breaks some of what passes through it, so the
// faults lie below the client's retries, where those of real networks lie.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/crc32c.h"
#include "base/random.h"
#include "store/http_client.h"
#include "store/scripted_server.h"

namespace funcpipe {

// Each fault is a function of (seed, method, target, how often that was asked), not of the order of threads.
// Probabilities are per request. At most one fault is drawn for a request, in the order of this list.
struct WireFaults {
  std::uint64_t seed = 1;
  double refused = 0;      // the server never sees the request; the client gets one of `statuses`
  double lost_answer = 0;  // the server acts, and the connection ends before the first byte of its answer
  double torn_body = 0;    // the answer's connection ends in the middle of the body
  // One bit of the answer's body is flipped on the way, of one request at most twice in a row: what arrives damaged
  // three times is taken for damaged in the store, and ends a job.
  double damaged = 0;
  double doubled = 0;  // the server gets the request twice, and the client the second answer
  double late = 0;     // the answer comes `lateness` seconds late
  Seconds lateness = 0.05;
  std::vector<int> statuses{500, 502, 503};
  std::string only;  // only requests whose "METHOD target" has this in it may be hit
};

// Thread-safe. The server at `target` ("http://127.0.0.1:port") must outlive it.
class FaultyWire {
 public:
  enum class Fault { refused, lost_answer, torn_body, damaged, doubled, late, none };

  FaultyWire(std::string target, WireFaults faults)
      : target_(std::move(target)),
        faults_(std::move(faults)),
        client_(/*loopback=*/true),
        server_([this](const auto& request) { return relay(request); }) {
    fmt::print(stderr, "FaultyWire: repeat these faults with WireFaults{{.seed = {}}}\n", faults_.seed);
  }

  std::string url() const { return server_.url(); }
  std::int64_t count(Fault fault) const { return counts_[static_cast<std::size_t>(fault)]; }

 private:
  Fault draw(const ScriptedRequest& request, std::uint64_t& bits) {
    const std::string what = request.method + " " + request.target;
    std::uint64_t times = 0;
    {
      const std::lock_guard lock(mutex_);
      times = asked_[what]++;
    }
    bits = mix(faults_.seed, {crc32c(as_bytes(what)), times});
    if (what.find(faults_.only) == std::string::npos) return Fault::none;
    double even = static_cast<double>(bits >> 11) * 0x1p-53;
    const std::array<double, 6> odds{faults_.refused, faults_.lost_answer, faults_.torn_body,
                                     faults_.damaged, faults_.doubled,     faults_.late};
    for (std::size_t kind = 0; kind < odds.size(); ++kind) {
      if (even < odds[kind]) return static_cast<Fault>(kind);
      even -= odds[kind];
    }
    return Fault::none;
  }

  // Counts the damage in a row to answers of this request.
  bool may_damage(const ScriptedRequest& request, bool wanted) {
    const std::lock_guard lock(mutex_);
    int& in_a_row = damaged_[request.method + " " + request.target];
    const bool may = wanted && in_a_row < 2;
    in_a_row = may ? in_a_row + 1 : 0;
    return may || !wanted;
  }

  tl::expected<HttpAnswer, HttpFailure> pass_on(const ScriptedRequest& request) {
    HttpCall call{.method = request.method, .url = target_ + request.target};
    for (const auto& [name, value] : request.headers)
      if (name != "content-length" && name != "connection") call.headers.emplace_back(name, value);
    const ConstBytes body = as_bytes(request.body);
    call.body = {&body, 1};
    call.limits = {.connect = 5, .stall = 0, .overall = 0};  // an invocation takes as long as it takes
    return client_.perform(call);
  }

  ScriptedReply relay(const ScriptedRequest& request) {
    std::uint64_t bits = 0;
    const Fault fault = draw(request, bits);
    if (fault == Fault::refused) {
      ++counts_[static_cast<std::size_t>(fault)];
      return reply(faults_.statuses[bits % faults_.statuses.size()]);
    }
    auto answer = pass_on(request);
    if (fault == Fault::doubled && answer) answer = pass_on(request);
    if (!answer) return {.raw = "", .close = true};

    // Listings carry no checksum, so nobody could notice damage to them.
    const bool damageable = request.method == "GET" && answer->status == 200 && !answer->body.empty() &&
                            (fault != Fault::damaged || answer->header("x-amz-checksum-crc32c"));
    bool happens = (fault != Fault::torn_body && fault != Fault::damaged) || damageable;
    if (damageable && !may_damage(request, fault == Fault::damaged)) happens = false;
    if (happens) ++counts_[static_cast<std::size_t>(fault)];
    if (fault == Fault::lost_answer) return {.raw = "", .close = true};
    if (fault == Fault::damaged && happens) answer->body[bits % answer->body.size()] ^= 0x10;

    std::string head = fmt::format("HTTP/1.1 {} Relayed\r\n", answer->status);
    bool sized = false;
    for (const auto& [name, value] : answer->headers) {
      if (name == "connection" || name == "transfer-encoding") continue;
      sized = sized || name == "content-length";
      head += fmt::format("{}: {}\r\n", name, value);
    }
    if (!sized && answer->status != 204) head += fmt::format("Content-Length: {}\r\n", answer->body.size());
    ScriptedReply relayed{.raw = head + "\r\n" + answer->body, .wait = fault == Fault::late ? faults_.lateness : 0};
    if (fault == Fault::torn_body && damageable) {
      relayed.raw.resize(relayed.raw.size() - (answer->body.size() + 1) / 2);
      relayed.close = true;
    }
    return relayed;
  }

  const std::string target_;
  const WireFaults faults_;
  HttpClient client_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> asked_;
  std::map<std::string, int> damaged_;  // answers in a row, the last ones
  std::array<std::atomic<std::int64_t>, 7> counts_{};
  ScriptedServer server_;  // the last: its threads use what stands above
};

}  // namespace funcpipe
