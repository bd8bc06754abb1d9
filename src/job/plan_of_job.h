// Where a job's plan comes from: a plan file, the planner, or an even cut.
#pragma once

#include <stop_token>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "catalog/platform.h"
#include "config/job_config.h"
#include "data/dataset.h"
#include "plan/plan.h"

namespace funcpipe {

enum class PlanSource {
  file,      // parallelism.plan names it
  profile,   // parallelism.profile is set and parallelism.stages is not: the planner makes the plan
  even_cut,  // everything else: layers are cut so that the stages' bytes are about even
};
PlanSource plan_source(const JobConfig& config);

struct PlanOfJob {
  Plan plan;
  std::string summary = {};  // for the user, in words; empty: there is nothing to say
  Seconds iteration = 0;     // as the planner predicts it; 0: no planner made the plan
  std::string remark = {};   // a sentence, if the profile is of another platform than the job's
};

// The plan of a job that trains on `data`. A stage whose memory the source does not say gets what the job asks for,
// or the smallest size that holds it. The plan is checked against model and platform.
// Errors: invalid_input: the file cannot be read or contradicts what the user set; no plan fits; what plan_by_profile
// (job/plan_by_profile.h) or length_of (job/resolve.h) refuses. cancelled: `stop` while plans are searched.
Result<PlanOfJob> plan_of_job(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                              const Datasets& data, std::stop_token stop = {});

}  // namespace funcpipe
