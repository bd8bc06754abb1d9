#include "job/run_record.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/files.h"
#include "base/regular_file.h"
#include "protocol/job_keys.h"
#include "protocol/json_fields.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRecord = "record.json";
constexpr std::array<std::string_view, 3> kFiles{kRecord, "reports.jsonl", "bill.json"};

// Returns either the folders in `runs` or all the rest, by name. A link to a folder is neither.
std::vector<fs::path> content_of(const fs::path& runs, bool folders) {
  std::vector<fs::path> content;
  std::error_code status;
  if (!is_folder_itself(runs)) return {};
  for (fs::directory_iterator at(runs, status), end; !status && at != end; at.increment(status))
    if (is_folder_itself(at->path()) == folders) content.push_back(at->path());
  std::sort(content.begin(), content.end());
  return content;
}

// True for names such as "NAME.123.partial", which write_file uses while it writes.
bool is_half_of(std::string_view name, std::string_view whole) {
  constexpr std::string_view kEnding = ".partial";
  if (!name.starts_with(whole) || !name.ends_with(kEnding)) return false;
  name.remove_prefix(whole.size());
  if (name.size() <= kEnding.size() + 1 || name.front() != '.') return false;
  name = name.substr(1, name.size() - kEnding.size() - 1);
  return std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; });
}

Error damaged(Error error, const fs::path& folder) {
  error.code = ErrorCode::invalid_input;
  error.message = "the record of a run is damaged: " + error.message;
  error.hint = fmt::format("{}it stays; if nothing of that run can be left in a cloud, delete the folder {}",
                           error.hint.empty() ? "" : error.hint + "; ", folder.string());
  return error;
}

}  // namespace

JobConfig::PlatformChoice RunRecord::cloud() const {
  JobConfig::PlatformChoice choice;
  choice.s3_endpoint = s3_endpoint;
  choice.lambda_endpoint = lambda_endpoint;
  choice.region = region;
  choice.bucket = bucket;
  return choice;
}

JobSpec RunRecord::spec_from_here() const {
  JobSpec there = *spec;
  const auto found = [&](std::string& file) {
    if (!file.empty() && fs::path(file).is_relative()) file = (working_folder / file).string();
  };
  if (!there.config.model.source.starts_with("zoo:")) found(there.config.model.source);
  JobConfig::Data& data = there.config.data;
  for (std::string* file : {&data.train_input, &data.train_target, &data.validation_input, &data.validation_target})
    found(*file);
  if (there.config.platform.name.ends_with(".toml")) found(there.config.platform.name);
  return there;
}

RunRecord record_of(const JobConfig::PlatformChoice& cloud, std::string id, std::string prefix) {
  std::error_code ignored;
  return {.id = std::move(id),
          .prefix = std::move(prefix),
          .s3_endpoint = cloud.s3_endpoint,
          .lambda_endpoint = cloud.lambda_endpoint,
          .region = cloud.region,
          .bucket = cloud.bucket,
          .functions = {},
          .working_folder = fs::current_path(ignored),
          .spec = std::nullopt};
}

std::vector<RunFolder> RunFolder::all(const fs::path& runs) {
  const std::vector<fs::path> folders = content_of(runs, /*folders=*/true);
  return {folders.begin(), folders.end()};
}

std::vector<fs::path> RunFolder::others(const fs::path& runs) {
  return content_of(runs, /*folders=*/false);
}

namespace {

Result<RunRecord> read_record(const fs::path& file) {
  FUNCPIPE_TRY(json, read_json(file));
  RunRecord record;
  Fields fields(json, file.string());
  std::string working_folder;
  fields.version(RunRecord::kVersion, "finish or clean that run with the release of funcpipe that began it")
      .read("id", record.id)
      .read("prefix", record.prefix)
      .read("s3_endpoint", record.s3_endpoint)
      .read("lambda_endpoint", record.lambda_endpoint)
      .read("region", record.region)
      .read("bucket", record.bucket)
      .read("working_folder", working_folder);
  const nlohmann::json& functions = fields.member("functions");
  const nlohmann::json& spec = fields.member("spec");
  FUNCPIPE_TRY_VOID(fields.done());
  record.working_folder = working_folder;
  const auto wrong = [&](std::string message) {
    return fail(ErrorCode::invalid_input, std::move(message), file.string());
  };
  if (!functions.is_array()) return wrong("functions must be a list of names");
  for (const nlohmann::json& name : functions) {
    if (!name.is_string()) return wrong("functions must be names");
    record.functions.push_back(name.get<std::string>());
    if (!record.functions.back().starts_with("funcpipe-"))
      return wrong(fmt::format("the function '{}' is none of FuncPipe's", record.functions.back()));
  }
  // The record decides what is deleted, so a damaged one must not name a whole bucket or another run's keys.
  const std::string own = file.parent_path().filename();
  if (record.id != own) return wrong(fmt::format("its id is '{}', in the folder of run {}", record.id, own));
  if (record.prefix != job_prefix(own))
    return wrong(fmt::format("its prefix is '{}', that of run {} is {}", record.prefix, own, job_prefix(own)));
  if (!spec.is_null()) {
    FUNCPIPE_TRY(read, job_spec_from_json(spec, file.string()));
    record.spec = std::move(read);
  }
  return record;
}

}  // namespace

Result<RunRecord> RunFolder::read() const {
  const fs::path file = path_ / kRecord;
  auto record = read_record(file);
  if (record || record.error().code == ErrorCode::not_found) return record;
  return tl::unexpected(damaged(std::move(record).error(), path_));
}

Result<> RunFolder::write(const RunRecord& record) const {
  const nlohmann::json json = {{"version", RunRecord::kVersion},
                               {"id", record.id},
                               {"prefix", record.prefix},
                               {"s3_endpoint", record.s3_endpoint},
                               {"lambda_endpoint", record.lambda_endpoint},
                               {"region", record.region},
                               {"bucket", record.bucket},
                               {"functions", record.functions},
                               {"working_folder", record.working_folder.string()},
                               {"spec", record.spec ? to_json(*record.spec) : nlohmann::json()}};
  return write_file(path_ / kRecord, json.dump() + "\n");
}

bool RunFolder::remove() const {
  const bool recorded = is_file_itself(path_ / kRecord);
  std::error_code status;
  std::vector<fs::path> ours;
  for (fs::directory_iterator at(path_, status), end; !status && at != end; at.increment(status)) {
    const std::string name = at->path().filename();
    const bool is_ours =
        is_half_of(name, kRecord) ||
        (recorded && std::ranges::any_of(kFiles, [&](auto file) { return name == file || is_half_of(name, file); }));
    if (is_ours && name != kRecord && is_file_itself(at->path())) ours.push_back(at->path());
  }
  if (!recorded && ours.empty()) return false;
  for (const fs::path& file : ours) fs::remove(file, status);
  if (recorded) fs::remove(path_ / kRecord, status);  // done last: until then the folder counts as a run's
  const bool gone = ::rmdir(path_.c_str()) == 0;
  ::rmdir(path_.parent_path().c_str());  // succeeds only if it is empty
  return gone;
}

}  // namespace funcpipe
