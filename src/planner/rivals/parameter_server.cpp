#include "planner/rivals/parameter_server.h"

#include <fmt/format.h>

#include <filesystem>

#include "catalog/platform.h"
#include "catalog/toml_figures.h"

namespace funcpipe {

Result<ParameterServer> load_parameter_server(const std::string& name) {
  const std::string file = (platforms_folder() / "servers" / (name + ".toml")).string();
  if (!std::filesystem::is_regular_file(file))
    return fail(ErrorCode::not_found, fmt::format("there is no server named \"{}\"", name), file);
  toml::table root;
  try {
    root = toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input, std::string(error.description()),
                fmt::format("{}:{}", file, error.source().begin.line));
  }
  TomlFigures figures(file);
  figures.enter(root, "server");
  ParameterServer server;
  server.per_second = figures.number("dollars_per_hour", 0) / 3600;
  server.bandwidth = figures.number("bytes_per_second", 1);
  figures.leave();
  if (figures.error()) return tl::unexpected(*figures.error());
  return server;
}

}  // namespace funcpipe
