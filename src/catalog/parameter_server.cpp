#include "catalog/parameter_server.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "catalog/toml_figures.h"
#include "catalog/toml_file.h"

namespace funcpipe {
namespace {

std::vector<std::string> server_names() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(platforms_folder() / "servers", ignored))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<ParameterServer> load_parameter_server(const std::string& name) {
  const std::string file = (platforms_folder() / "servers" / (name + ".toml")).string();
  if (!std::filesystem::is_regular_file(file))
    return fail(ErrorCode::not_found, fmt::format("there is no server named \"{}\"", name), file,
                fmt::format("servers: {}", fmt::join(server_names(), ", ")));
  FUNCPIPE_TRY(content, read_file(file));
  FUNCPIPE_TRY(root, parse_toml(content, file));
  TomlFigures figures(file);
  if (root.contains("format")) figures.format(root, 1);  // earlier releases read files without it
  figures.enter(root, "server");
  ParameterServer server{.name = name};
  server.per_second = figures.number("dollars_per_hour", 0) / 3600;
  server.bandwidth = figures.number("bytes_per_second", 1);
  server.latency = figures.number("latency_seconds", 0);
  figures.leave();
  if (figures.error()) return tl::unexpected(*figures.error());
  return server;
}

Platform beside(const ParameterServer& server, Platform platform) {
  platform.latency = {
      .put = server.latency, .get = server.latency, .put_p99 = server.latency, .get_p99 = server.latency};
  platform.store = {.upload = server.bandwidth, .download = server.bandwidth};
  platform.prices.put = platform.prices.get = platform.prices.storage_gb_month = 0;
  return platform;
}

}  // namespace funcpipe
