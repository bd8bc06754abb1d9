// What a run writes down while it has anything in a cloud, so that whoever comes after it was killed can finish it or
// clear it away. Format: docs/formats/run-record.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"
#include "protocol/job_spec.h"

namespace funcpipe {

struct RunRecord {
  static constexpr int kVersion = 1;
  std::string id;
  std::string prefix;                        // of its objects
  std::string s3_endpoint, lambda_endpoint;  // empty: the embedded cloud in the results folder
  std::string region, bucket;
  std::vector<std::string> functions;    // that it created
  std::filesystem::path working_folder;  // that relative paths in `spec` count from
  std::optional<JobSpec> spec;           // of a training that has been published

  bool embedded() const { return s3_endpoint.empty(); }
  JobConfig::PlatformChoice cloud() const;
  // `spec`, its relative paths counted from where the job was started. Only if there is one.
  JobSpec spec_from_here() const;
};
RunRecord record_of(const JobConfig::PlatformChoice& cloud, std::string id, std::string prefix);

// FOLDER/.runs/ID of a results folder that the caller holds:
//   record.json     the RunRecord
//   reports.jsonl   reports that were read (job/report_archive.h)
//   bill.json       once the workers are done
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  static std::vector<RunFolder> all(const std::filesystem::path& runs);  // by name, which is by time; no links
  static std::vector<std::filesystem::path> others(const std::filesystem::path& runs);  // what is there beside them

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path reports() const { return path_ / "reports.jsonl"; }
  std::filesystem::path bill() const { return path_ / "bill.json"; }

  // Errors: not_found (the run was killed before it had anything), invalid_input (damaged, or not this folder's).
  Result<RunRecord> read() const;
  Result<> write(const RunRecord& record) const;
  // Removes the files a run writes there, and the folder if nothing is left in it. Without a record nothing else is
  // taken for a run's. False: there is something that is not a run's, or cannot be removed.
  bool remove() const;

 private:
  std::filesystem::path path_;
};

}  // namespace funcpipe
