#include "job/run_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/files.h"
#include "config/json_fields.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRecord = "record.json";

}  // namespace

JobConfig::PlatformChoice RunRecord::cloud() const {
  JobConfig::PlatformChoice choice;
  choice.s3_endpoint = s3_endpoint;
  choice.lambda_endpoint = lambda_endpoint;
  choice.region = region;
  choice.bucket = bucket;
  return choice;
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
  std::vector<fs::path> folders;
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs, status))
    if (entry.is_directory(status)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return {folders.begin(), folders.end()};
}

Result<RunRecord> RunFolder::read() const {
  const fs::path file = path_ / kRecord;
  FUNCPIPE_TRY(json, read_json(file));
  RunRecord record;
  Fields fields(json, file.string());
  std::string working_folder;
  fields.version(RunRecord::kVersion)
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
  for (const nlohmann::json& name : functions) {
    if (!name.is_string()) return fail(ErrorCode::invalid_input, "functions must be names", file.string());
    record.functions.push_back(name.get<std::string>());
  }
  // Nothing else begins like this: a damaged record must not have a whole bucket removed.
  if (record.prefix.empty() || record.prefix.front() == '/' || record.prefix.back() == '/')
    return fail(ErrorCode::invalid_input, "prefix is none", file.string());
  if (!spec.is_null()) {
    FUNCPIPE_TRY(read, job_spec_from_json(spec, file.string()));
    record.spec = std::move(read);
  }
  return record;
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

void RunFolder::remove() const {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  fs::remove(path_.parent_path(), ignored);  // only if empty
}

}  // namespace funcpipe
