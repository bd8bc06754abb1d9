#include "protocol/job_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace funcpipe {
namespace {

// The beginnings, after the job's prefix, of keys of objects from which results are made.
constexpr std::string_view kReport = "/report/i";
constexpr std::string_view kValidationReport = "/validation/v";
constexpr std::string_view kTrace = "/trace/";
constexpr std::string_view kTrained = "/trained/stage-";
constexpr std::array kResults = {kReport, kValidationReport, kTrace, kTrained};

std::string name_of(WorkerId worker) {
  if (worker == kParameterServer) return "server";
  return fmt::format("s{}-r{}", worker.stage, worker.replica);
}

}  // namespace

std::string job_prefix(const std::string& id) {
  return "jobs/" + id;
}

std::string job_spec_key(const std::string& prefix) {
  return prefix + "/job.json";
}
std::string stage_key(const std::string& prefix, int stage) {
  return fmt::format("{}/model/stage-{:02}.pt", prefix, stage);
}
std::string stop_key(const std::string& prefix) {
  return prefix + "/stop";
}

std::string training_data_prefix(const std::string& prefix) {
  return prefix + "/data/train";
}
std::string validation_data_prefix(const std::string& prefix) {
  return prefix + "/data/validation";
}
std::string input_column_prefix(const std::string& dataset) {
  return dataset + "/input/";
}
std::string target_column_prefix(const std::string& dataset) {
  return dataset + "/target/";
}
std::string block_key(const std::string& column_prefix, std::int64_t block_index) {
  return fmt::format("{}{:08}", column_prefix, block_index);
}

std::string report_key(const std::string& prefix, std::int64_t iteration, int replica) {
  return fmt::format("{}{}{:08}-r{}.json", prefix, kReport, iteration, replica);
}
std::string validation_report_key(const std::string& prefix, std::int64_t round, int replica) {
  return fmt::format("{}{}{:08}-r{}.json", prefix, kValidationReport, round, replica);
}
std::string all_snapshots_prefix(const std::string& prefix) {
  return prefix + "/snapshot/";
}
std::string snapshots_prefix(const std::string& prefix, WorkerId worker) {
  return fmt::format("{}{}/", all_snapshots_prefix(prefix), name_of(worker));
}
std::string snapshot_key(const std::string& prefix, std::int64_t iteration, std::int64_t rounds, WorkerId worker) {
  return fmt::format("{}i{:012}-v{:012}", snapshots_prefix(prefix, worker), iteration, rounds);
}
std::optional<Progress> progress_of_snapshot(std::string_view key) {
  constexpr std::size_t kDigits = 12;
  const std::string_view name = key.substr(std::min(key.size(), key.rfind('/') + 1));
  if (name.size() != 2 * kDigits + 3 || name[0] != 'i' || name.substr(kDigits + 1, 2) != "-v") return std::nullopt;
  Progress progress;
  const auto read = [](std::string_view digits, std::int64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && value >= 0;
  };
  if (!read(name.substr(1, kDigits), progress.iteration) || !read(name.substr(kDigits + 3), progress.rounds))
    return std::nullopt;
  return progress;
}
std::string claims_prefix(const std::string& prefix) {
  return prefix + "/claim/";
}
std::string claim_key(const std::string& prefix, WorkerId worker) {
  return claims_prefix(prefix) + name_of(worker);
}
std::string ledger_key(const std::string& prefix, WorkerId worker) {
  return fmt::format("{}/ledger/{}.json", prefix, name_of(worker));
}
std::string trace_key(const std::string& prefix, WorkerId worker) {
  return fmt::format("{}{}{}.json", prefix, kTrace, name_of(worker));
}
std::string trained_key(const std::string& prefix, int stage) {
  return fmt::format("{}{}{:02}.pt", prefix, kTrained, stage);
}
std::string waiting_key(const std::string& prefix, WorkerId worker) {
  return fmt::format("{}/waiting/{}.json", prefix, name_of(worker));
}

std::string validation_prefix(const std::string& prefix) {
  return prefix + "/validation";
}

bool is_result_key(const std::string& prefix, std::string_view key) {
  if (key == job_spec_key(prefix)) return true;
  if (!key.starts_with(prefix)) return false;
  const std::string_view below = key.substr(prefix.size());
  return std::ranges::any_of(kResults, [&](std::string_view begin) { return below.starts_with(begin); });
}

}  // namespace funcpipe
