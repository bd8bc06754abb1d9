// One run of a prepared job, from its publication to its results.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/parameter_server.h"
#include "catalog/platform.h"
#include "data/dataset.h"
#include "job/cloud.h"
#include "job/deploy.h"
#include "job/launch.h"
#include "job/observer.h"
#include "job/results_folder.h"
#include "job/run_record.h"
#include "job/train.h"
#include "job/watch.h"
#include "job/worker_tool.h"
#include "protocol/job_spec.h"

namespace funcpipe {

struct RunJob {
  Platform platform;
  Datasets data;  // freed once it is published
  WorkerTool worker;
  JobSpec spec;  // without the manifests of the published data
  std::optional<ParameterServer> server;
  std::map<WorkerId, std::string> programs;  // for each worker the fingerprint of its proven program
};

// Keeps a record of what it has in the cloud (job/run_record.h). Once every stage is trained, the weights stay there
// until the results are committed. Otherwise the destructor removes functions and objects from the cloud. If the cloud
// does not answer, it leaves the record for `funcpipe clean`.
class Run {
 public:
  // The objects passed by reference must outlive it.
  Run(RunJob& job, ResultsFolder& results, Cloud& cloud, TrainObserver& observer, std::stop_token stop);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Publishes data and stages and creates the functions.
  Result<> publish(const std::vector<std::filesystem::path>& stages);

  // In place of publish(): takes over a run whose client ended before its training did. What it published and its
  // workers' snapshots are in the cloud; functions are made anew.
  Result<> adopt(const RunRecord& record);

  // Starts the workers, follows them, makes the results. An error after the training has finished says how to go on.
  Result<TrainResult> train();

 private:
  Result<> create_functions();
  Result<> end_former_workers();
  Result<bool> can_go_on(Store& store) const;
  LaunchOptions launch_options();
  Result<> end_early(InvokedWorkers& workers, Error error);
  Result<> make_results(Store& store, const Watcher& watcher, const std::function<void()>& bill_so_far,
                        const TrainResult& result);
  Result<> clean_up(const std::stop_token& stop);

  RunJob& job_;
  JobSpec& spec_;
  const JobConfig& config_;
  ResultsFolder& results_;
  Cloud& cloud_;
  TrainObserver& observer_;
  const std::stop_token stop_;
  const RunFolder folder_;
  RunRecord record_;
  Deployment deployment_;
  bool recorded_ = false;
  bool trained_ = false;    // every stage's weights are in the store
  bool committed_ = false;  // the results are in place
  Bill former_bill_;        // of the clients before this one
  std::int64_t first_incarnation_ = 0;
  bool adopted_ = false;    // from a former client
  bool resumable_ = false;  // the training was broken off, and what it needs to go on stays
  int accidents_ = 0;       // workers that were lost and went on
  int still_running_ = 0;   // workers that nobody can end from here
  bool hopeless_ = false;   // the store does not answer
};

}  // namespace funcpipe
