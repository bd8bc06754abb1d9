// What a run records while it has anything in a cloud. If it is killed, another program can finish it or remove what it
// left. Format: docs/formats/run-record.md.
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
  std::string prefix;                        // of its objects' keys
  std::string s3_endpoint, lambda_endpoint;  // empty: the embedded cloud in the results folder
  std::string region, bucket;
  std::vector<std::string> functions;    // those it has created
  std::filesystem::path working_folder;  // relative paths in `spec` count from here
  std::optional<JobSpec> spec;           // only of a training that has been published

  bool embedded() const { return s3_endpoint.empty(); }
  JobConfig::PlatformChoice cloud() const;
  // `spec`, its relative paths counted from where the job was started. Only if there is one.
  JobSpec spec_from_here() const;
};
RunRecord record_of(const JobConfig::PlatformChoice& cloud, std::string id, std::string prefix);

// The folder FOLDER/.runs/ID in a results folder that the caller holds:
//   record.json     the RunRecord
//   reports.jsonl   reports that were read (job/report_archive.h)
//   bill.json       written once the workers are done
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  // By name, that is, by time; links are left out.
  static std::vector<RunFolder> all(const std::filesystem::path& runs);
  static std::vector<std::filesystem::path> others(const std::filesystem::path& runs);  // what else is there

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path reports() const { return path_ / "reports.jsonl"; }
  std::filesystem::path bill() const { return path_ / "bill.json"; }

  // Errors: not_found if the run was killed before it had anything; invalid_input if the record is damaged or not of
  // this folder.
  Result<RunRecord> read() const;
  Result<> write(const RunRecord& record) const;
  // Removes the files that a run writes there, and the folder if it is then empty. Without a record only
  // half-written records count as a run's. Returns false if something that is not a run's remains or cannot be removed.
  bool remove() const;

 private:
  std::filesystem::path path_;
};

}  // namespace funcpipe
