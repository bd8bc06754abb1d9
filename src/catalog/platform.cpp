#include "catalog/platform.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <system_error>

#include "base/files.h"
#include "catalog/toml_figures.h"

namespace funcpipe {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kTables[] = {"memory", "vcpus", "bandwidth", "burst", "latency", "limits", "prices"};
constexpr std::string_view kTopKeys[] = {"format", "description", "enforce"};

// Linear between the points, flat beyond them.
double interpolate(const std::vector<std::pair<double, double>>& points, double x) {
  if (points.empty() || x <= points.front().first) return points.empty() ? 0 : points.front().second;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto& [x0, y0] = points[i - 1];
    const auto& [x1, y1] = points[i];
    if (x <= x1) return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
  }
  return points.back().second;
}

void read_memory_options(TomlFigures& figures, const toml::table& root, Platform& platform) {
  figures.enter(root, "memory");
  const auto sizes_mb = figures.numbers("sizes_mb", 1);
  figures.leave();

  figures.enter(root, "vcpus");
  const double mb_per_vcpu = figures.number("mb_per_vcpu", 1);
  const double most_vcpus = figures.number("most", 0.01);
  if (figures.has("speed")) platform.vcpu_speed = figures.number("speed", 0.01, 100);
  figures.leave();

  figures.enter(root, "bandwidth");
  std::vector<std::pair<double, double>> uplink, downlink;
  if (figures.has("uplink_bytes_per_second") || figures.has("downlink_bytes_per_second")) {
    uplink = figures.points("uplink_bytes_per_second");
    downlink = figures.points("downlink_bytes_per_second");
  } else {
    constexpr double kNoLimit = std::numeric_limits<double>::infinity();
    uplink = downlink = {{0, kNoLimit}};
  }
  figures.leave();

  for (const double mb : sizes_mb) {
    if (mb != static_cast<int>(mb)) figures.wrong(root.get("memory"), "memory.sizes_mb must be whole numbers");
    platform.memory_options.push_back(MemoryOption{static_cast<int>(mb), std::min(mb / mb_per_vcpu, most_vcpus),
                                                   interpolate(uplink, mb), interpolate(downlink, mb)});
  }
}

Result<Platform> read_platform(const fs::path& path) {
  FUNCPIPE_TRY(content, read_file(path));
  toml::table root;
  try {
    root = toml::parse(content, path.string());
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input, fmt::format("not a TOML file: {}", error.description()),
                fmt::format("{}:{}", path.string(), error.source().begin.line));
  }
  TomlFigures figures(path.string());
  for (const auto& [key, node] : root) {
    const auto is_key = [&, name = key.str()](std::string_view known) { return known == name; };
    if (std::any_of(std::begin(kTables), std::end(kTables), is_key)) continue;
    if (std::any_of(std::begin(kTopKeys), std::end(kTopKeys), is_key)) continue;
    figures.wrong(&node, fmt::format("unknown key {}; known are: {}, [{}]", key.str(), fmt::join(kTopKeys, ", "),
                                     fmt::join(kTables, "], [")));
  }
  if (root["format"].value<int>() != 1)
    figures.wrong(root.get("format") ? root.get("format") : &root, "expected format = 1");

  Platform platform;
  platform.name = path.stem().string();
  platform.description = figures.text(root, "description");
  const auto enforced = figures.words(root, "enforce", {"memory", "cpu", "network"});
  const auto enforce = [&](std::string_view what) {
    return std::find(enforced.begin(), enforced.end(), what) != enforced.end();
  };
  platform.limited = !enforced.empty();
  platform.limit_memory = enforce("memory");
  platform.limit_cpu = enforce("cpu");
  platform.limit_network = enforce("network");

  read_memory_options(figures, root, platform);

  if (root.contains("burst")) {
    figures.enter(root, "burst");
    platform.burst.bytes = static_cast<Bytes>(figures.number("bytes", 0, 1e15));
    platform.burst.rate = figures.number("bytes_per_second", 0);
    figures.leave();
  }

  figures.enter(root, "latency");
  platform.latency.put = figures.number("put_seconds", 0, 3600);
  platform.latency.get = figures.number("get_seconds", 0, 3600);
  figures.leave();

  figures.enter(root, "limits");
  platform.limits.lifetime = figures.number("lifetime_seconds", 0.1);
  platform.limits.concurrency = static_cast<int>(figures.number("concurrency", 1, 1e9));
  platform.limits.idle_timeout = figures.number("idle_timeout_seconds", 0.1);
  platform.limits.request_payload = static_cast<Bytes>(figures.number("request_payload_bytes", 1, 1e15));
  figures.leave();

  figures.enter(root, "prices");
  platform.prices.gb_second = figures.number("gb_second", 0);
  platform.prices.invocation = figures.number("invocation", 0);
  platform.prices.put = figures.number("put", 0);
  platform.prices.get = figures.number("get", 0);
  platform.prices.storage_gb_month = figures.number("storage_gb_month", 0);
  platform.prices.billing_step = figures.number("billing_step_seconds", 1e-6, 3600);
  figures.leave();

  if (figures.error()) return tl::unexpected<Error>(*figures.error());
  return platform;
}

}  // namespace

const MemoryOption* Platform::option(int memory_mb) const {
  const auto found = std::find_if(memory_options.begin(), memory_options.end(),
                                  [&](const MemoryOption& option) { return option.memory_mb >= memory_mb; });
  return found == memory_options.end() ? nullptr : &*found;
}

Dollars compute_price(const Prices& prices, int memory_mb, Seconds billed_seconds) {
  return prices.gb_second * (memory_mb / 1024.0) * billed_seconds;
}

Dollars storage_price(const Prices& prices, double bytes, Seconds seconds) {
  constexpr Seconds kMonth = 30 * 24 * 3600.0;
  return prices.storage_gb_month * (bytes / static_cast<double>(kGiB)) * (seconds / kMonth);
}

fs::path platforms_folder() {
  if (const char* folder = std::getenv("FUNCPIPE_PLATFORMS"); folder && *folder) return folder;
  std::error_code error;
  const auto program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    auto installed = program.parent_path().parent_path() / "share" / "funcpipe" / "platforms";
    if (fs::is_directory(installed, error)) return installed;
  }
  return fs::path(FUNCPIPE_SOURCE_DIR) / "platforms";
}

std::vector<std::string> platform_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(platforms_folder(), error))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Result<Platform> load_platform(const std::string& name) {
  std::error_code error;
  if (name.ends_with(".toml")) {
    if (fs::is_regular_file(name, error)) return read_platform(name);
    return fail(ErrorCode::not_found, fmt::format("there is no platform file {}", name), name);
  }
  const auto names = platform_names();
  if (std::find(names.begin(), names.end(), name) != names.end())
    return read_platform(platforms_folder() / (name + ".toml"));
  return fail(ErrorCode::not_found, fmt::format("there is no platform named \"{}\"", name), {},
              names.empty() ? fmt::format("no platform files in {}; set FUNCPIPE_PLATFORMS to their folder",
                                          platforms_folder().string())
                            : fmt::format("known are: {}; or give the path of a .toml file", fmt::join(names, ", ")));
}

}  // namespace funcpipe
