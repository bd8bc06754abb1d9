#include "simulator/faults.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/nearest.h"

namespace funcpipe {
namespace {

constexpr std::string_view kForms =
    "faults are straggler=STAGE.REPLICAxFACTOR, slow-compute=..., slow-links=... and kill=STAGE.REPLICA@SECONDS, "
    "separated by commas";

// Removes a number from the front of `text`; false if there is none.
template <class Number>
bool take(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char sign) {
  if (text.empty() || text.front() != sign) return false;
  text.remove_prefix(1);
  return true;
}

Result<> parse_fault(std::string_view text, const std::string& place, std::vector<Fault>& faults) {
  const auto refuse = [&](std::string what, std::string hint = std::string(kForms)) {
    return fail(ErrorCode::invalid_input, std::move(what), place, std::move(hint));
  };
  const std::string whole(text);
  const std::string name(text.substr(0, text.find('=')));
  const std::vector<std::string> known{"straggler", "slow-compute", "slow-links", "kill"};
  if (name != known[0] && name != known[1] && name != known[2] && name != known[3]) {
    const std::string meant = nearest(name, known);
    return refuse(fmt::format("there is no fault '{}'", name),
                  meant.empty() ? std::string(kForms) : fmt::format("did you mean '{}'? {}", meant, kForms));
  }
  text.remove_prefix(name.size());
  Fault fault;
  double figure = 0;
  const bool kill = name == "kill";
  // Stage and replica are read as whole numbers, since "1.0" would otherwise be read as one number.
  const bool read = take(text, '=') && take(text, fault.worker.stage) && take(text, '.') &&
                    take(text, fault.worker.replica) && take(text, kill ? '@' : 'x') && take(text, figure) &&
                    text.empty() && fault.worker.stage >= 0 && fault.worker.replica >= 0 && std::isfinite(figure);
  if (!read) return refuse(fmt::format("'{}' cannot be read as a fault", whole));
  if (kill && figure < 0) return refuse(fmt::format("'{}': a kill is at a time from 0", whole));
  if (!kill && figure <= 0) return refuse(fmt::format("'{}': a factor is above 0", whole));
  if (kill) {
    fault.at = figure;
    faults.push_back(fault);
    return {};
  }
  fault.factor = figure;
  for (const Fault::Kind kind : {Fault::Kind::slow_compute, Fault::Kind::slow_links}) {
    fault.kind = kind;
    if (name == "straggler" || name == (kind == Fault::Kind::slow_compute ? "slow-compute" : "slow-links"))
      faults.push_back(fault);
  }
  return {};
}

}  // namespace

Result<std::vector<Fault>> parse_faults(const std::string& text, const std::string& place) {
  std::vector<Fault> faults;
  std::string_view rest = text;
  while (!text.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    FUNCPIPE_TRY_VOID(parse_fault(rest.substr(0, comma), place, faults));
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  return faults;
}

}  // namespace funcpipe
