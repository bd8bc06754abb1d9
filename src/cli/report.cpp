#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace funcpipe {

int report(const Error& error, bool json) {
  fmt::print(stderr, "funcpipe: {}\n", describe(error));
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

}  // namespace funcpipe
