#include "catalog/platform.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <span>
#include <system_error>

#include "base/files.h"
#include "catalog/toml_figures.h"
#include "catalog/toml_file.h"

namespace funcpipe {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kTables[] = {"memory",  "vcpus", "bandwidth", "burst",
                                        "latency", "store", "limits",    "prices"};
constexpr std::string_view kTopKeys[] = {"format", "description", "enforce"};

// Interpolates linearly between the points; beyond the first and the last one the value is constant.
double interpolate(const std::vector<std::pair<double, double>>& points, double x) {
  if (points.empty() || x <= points.front().first) return points.empty() ? 0 : points.front().second;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto& [x0, y0] = points[i - 1];
    const auto& [x1, y1] = points[i];
    if (x <= x1) return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
  }
  return points.back().second;
}

// Returns the numbers of vCPUs that a function of so many MB may have, ascending.
using VcpuRule = std::function<std::vector<double>(double mb)>;

VcpuRule read_vcpu_rule(TomlFigures& figures) {
  if (!figures.has("counts")) {
    const double mb_per_vcpu = figures.number("mb_per_vcpu", 1);
    const double most = figures.number("most", 0.01);
    return [=](double mb) { return std::vector{std::min(mb / mb_per_vcpu, most)}; };
  }
  const std::vector<double> counts = figures.numbers("counts", 0.01);
  const double least = figures.number("least_gb_per_vcpu", 0), most = figures.number("most_gb_per_vcpu", least);
  return [=](double mb) {
    std::vector<double> fitting;
    for (const double vcpus : counts)
      if (const double ratio = mb / 1024 / vcpus; least <= ratio && ratio <= most) fitting.push_back(vcpus);
    return fitting;
  };
}

void read_sizes(TomlFigures& figures, const toml::table& root, Platform& platform) {
  figures.enter(root, "memory");
  const auto sizes_mb = figures.numbers("sizes_mb", 1);
  figures.leave();

  figures.enter(root, "vcpus");
  const VcpuRule vcpus_of = read_vcpu_rule(figures);
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
    const std::vector<double> counts = vcpus_of(mb);
    if (counts.empty())
      figures.wrong(root.get("vcpus"), fmt::format("none of vcpus.counts goes with the {} MB of memory.sizes_mb", mb));
    for (const double vcpus : counts)
      platform.sizes.push_back({static_cast<int>(mb), vcpus, interpolate(uplink, mb), interpolate(downlink, mb)});
  }
}

Result<Platform> read_platform(const fs::path& path) {
  FUNCPIPE_TRY(content, read_file(path));
  FUNCPIPE_TRY(root, parse_toml(content, path));
  TomlFigures figures(path.string());
  for (const auto& [key, node] : root) {
    const auto is_key = [&, name = key.str()](std::string_view known) { return known == name; };
    if (std::any_of(std::begin(kTables), std::end(kTables), is_key)) continue;
    if (std::any_of(std::begin(kTopKeys), std::end(kTopKeys), is_key)) continue;
    figures.wrong(&node, fmt::format("unknown key {}; known are: {}, [{}]", key.str(), fmt::join(kTopKeys, ", "),
                                     fmt::join(kTables, "], [")));
  }
  figures.format(root, 1);

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

  read_sizes(figures, root, platform);

  if (root.contains("burst")) {
    figures.enter(root, "burst");
    platform.burst.bytes = static_cast<Bytes>(figures.number("bytes", 0, 1e15));
    platform.burst.rate = figures.number("bytes_per_second", 0);
    figures.leave();
  }

  figures.enter(root, "latency");
  platform.latency.put = figures.number("put_seconds", 0, 3600);
  platform.latency.get = figures.number("get_seconds", 0, 3600);
  platform.latency.put_p99 = figures.optional_number("put_p99_seconds", platform.latency.put).value_or(0);
  platform.latency.get_p99 = figures.optional_number("get_p99_seconds", platform.latency.get).value_or(0);
  figures.leave();

  if (root.contains("store")) {
    figures.enter(root, "store");
    const auto limit = [&](const char* key, double& value) { value = figures.optional_number(key, 1).value_or(value); };
    limit("upload_bytes_per_second", platform.store.upload);
    limit("download_bytes_per_second", platform.store.download);
    limit("puts_per_second", platform.store.puts_per_second);
    limit("gets_per_second", platform.store.gets_per_second);
    limit("requests_per_second", platform.store.requests_per_second);
    figures.leave();
  }

  figures.enter(root, "limits");
  platform.limits.lifetime = figures.number("lifetime_seconds", 0.1);
  platform.limits.concurrency = static_cast<int>(figures.number("concurrency", 1, 1e9));
  platform.limits.idle_timeout = figures.number("idle_timeout_seconds", 0.1);
  platform.limits.request_payload = static_cast<Bytes>(figures.number("request_payload_bytes", 1, 1e15));
  figures.leave();

  figures.enter(root, "prices");
  platform.prices.gb_second = figures.number("gb_second", 0);
  platform.prices.vcpu_second = figures.optional_number("vcpu_second", 0).value_or(0);
  platform.prices.invocation = figures.number("invocation", 0);
  platform.prices.put = figures.number("put", 0);
  platform.prices.get = figures.number("get", 0);
  platform.prices.storage_gb_month = figures.number("storage_gb_month", 0);
  platform.prices.billing_step = figures.number("billing_step_seconds", 1e-6, 3600);
  figures.leave();

  if (figures.error()) return tl::unexpected<Error>(*figures.error());
  return platform;
}

// Returns all sizes that have the smallest memory of at least `memory_mb`.
std::span<const FunctionSize> sizes_with(const std::vector<FunctionSize>& sizes, int memory_mb) {
  const auto first = std::ranges::lower_bound(sizes, memory_mb, {}, &FunctionSize::memory_mb);
  if (first == sizes.end()) return {};
  return {first, std::ranges::upper_bound(first, sizes.end(), first->memory_mb, {}, &FunctionSize::memory_mb)};
}

}  // namespace

std::string to_string(SizeChoice choice) {
  return choice.vcpus > 0 ? fmt::format("{}:{:g}", choice.memory_mb, choice.vcpus) : std::to_string(choice.memory_mb);
}

std::string in_words(SizeChoice choice) {
  if (choice.vcpus <= 0) return fmt::format("{} MB", choice.memory_mb);
  return fmt::format("{} MB with {:g} vCPU{}", choice.memory_mb, choice.vcpus, choice.vcpus == 1 ? "" : "s");
}

bool same_vcpus(double a, double b) {
  return std::abs(a - b) < 0.01;
}

const FunctionSize* Platform::size(int memory_mb, double vcpus) const {
  const auto tier = sizes_with(sizes, memory_mb);
  if (tier.empty()) return nullptr;
  const auto wanted = std::ranges::find_if(
      tier, [&](double has) { return vcpus > 0 ? same_vcpus(has, vcpus) : has >= 1; }, &FunctionSize::vcpus);
  if (wanted != tier.end()) return &*wanted;
  return vcpus > 0 ? nullptr : &tier.back();
}

const FunctionSize* Platform::exact_size(int memory_mb, double vcpus) const {
  const FunctionSize* found = size(memory_mb, vcpus);
  return found && found->memory_mb == memory_mb ? found : nullptr;
}

SizeChoice Platform::choice(const FunctionSize& size) const {
  return {size.memory_mb, sizes_with(sizes, size.memory_mb).size() > 1 ? size.vcpus : 0};
}

BytesPerSecond mean_rate(const Burst& burst, BytesPerSecond baseline, double bytes) {
  if (burst.bytes <= 0 || burst.rate <= baseline) return baseline;
  const Seconds lasts = static_cast<double>(burst.bytes) / (burst.rate - baseline);
  const double ahead = burst.rate * lasts;  // Bytes that flow until the bucket is empty.
  return bytes <= ahead ? burst.rate : bytes / (lasts + (bytes - ahead) / baseline);
}

Dollars compute_price(const Prices& prices, int memory_mb, double vcpus, Seconds billed_seconds) {
  return (prices.gb_second * (memory_mb / 1024.0) + prices.vcpu_second * vcpus) * billed_seconds;
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
    if (fs::exists(name, error)) return read_platform(name);
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
