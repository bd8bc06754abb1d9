#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/visible.h"
#include "cli/commands.h"

namespace funcpipe {

int report(const Error& error, bool json) {
  fmt::print(stderr, "funcpipe: {}\n", visible(describe(error)));
  if (json) {
    const nlohmann::json content = {{"code", std::string(to_string(error.code))},
                                    {"message", error.message},
                                    {"place", error.place},
                                    {"hint", error.hint}};
    fmt::print("{}\n",
               nlohmann::json{{"error", content}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  return exit_code(error);
}

void remark(std::string_view text) {
  fmt::print(stderr, "{}\n", visible(text));
}

int outcome(const Result<>& done, bool json, std::string_view stopped) {
  if (done) return 0;
  if (done.error().code != ErrorCode::cancelled) return report(done.error(), json);
  fmt::print(stderr, "funcpipe: {}\n", visible(stopped));
  return exit_code(done.error());
}

}  // namespace funcpipe
