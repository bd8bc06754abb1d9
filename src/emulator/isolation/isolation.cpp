#include "emulator/isolation/isolation.h"

#include <cstdlib>

#include "emulator/isolation/cgroup.h"
#include "emulator/isolation/fallback.h"

namespace funcpipe {

Result<IsolationKind> isolation_kind_from_environment() {
  const char* text = std::getenv("FUNCPIPE_ISOLATION");
  const std::string kind = text ? text : "auto";
  if (kind == "auto" || kind.empty()) return IsolationKind::automatic;
  if (kind == "cgroup") return IsolationKind::cgroup;
  if (kind == "fallback") return IsolationKind::fallback;
  return fail(ErrorCode::invalid_input, fmt::format("unknown isolation '{}'", kind), "FUNCPIPE_ISOLATION",
              "use auto, cgroup or fallback");
}

Result<std::unique_ptr<Isolation>> make_isolation(boost::asio::any_io_executor executor, IsolationKind kind) {
  std::string why = "FUNCPIPE_ISOLATION=fallback";
  if (kind != IsolationKind::fallback) {
    auto v1 = make_cgroup1_isolation();
    if (v1) return v1;
    auto v2 = make_cgroup2_isolation();
    if (v2) return v2;
    why = fmt::format("v1: {}; v2: {}", v1.error().message, v2.error().message);
    if (kind == IsolationKind::cgroup)
      return fail(ErrorCode::permission_denied, "no cgroup hierarchy may be used: " + why, "FUNCPIPE_ISOLATION",
                  "run as root, or leave FUNCPIPE_ISOLATION unset");
  }
  return make_fallback_isolation(std::move(executor), why);
}

}  // namespace funcpipe
