#include "config/job_spec.h"

#include <nlohmann/json.hpp>

#include "config/json_fields.h"
#include "config/options.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

using nlohmann::json;

json column_json(const ColumnManifest& column) {
  return {{"dtype", column.row.dtype},
          {"shape", column.row.shape},
          {"rows", column.rows},
          {"block_rows", column.block_rows},
          {"prefix", column.prefix}};
}

Result<ColumnManifest> read_column(const json& source, const std::string& place) {
  ColumnManifest column;
  Fields fields(source, place);
  fields.read("dtype", column.row.dtype)
      .read("rows", column.rows)
      .read("block_rows", column.block_rows)
      .read("prefix", column.prefix);
  const json& shape = fields.member("shape");
  FUNCPIPE_TRY_VOID(fields.done());
  if (!shape.is_array()) return fail(ErrorCode::invalid_input, "shape must be an array", place);
  for (const json& extent : shape) {
    if (!extent.is_number_integer()) return fail(ErrorCode::invalid_input, "shape must hold whole numbers", place);
    column.row.shape.push_back(extent.get<std::int64_t>());
  }
  if (column.rows < 0 || column.block_rows < 0)
    return fail(ErrorCode::invalid_input, "rows and block_rows cannot be negative", place);
  return column;
}

json dataset_json(const DatasetManifest& dataset) {
  return {{"input", column_json(dataset.input)}, {"target", column_json(dataset.target)}};
}

Result<DatasetManifest> read_dataset(const json& source, const std::string& place) {
  Fields fields(source, place);
  const json& input = fields.member("input");
  const json& target = fields.member("target");
  FUNCPIPE_TRY_VOID(fields.done());
  DatasetManifest dataset;
  FUNCPIPE_TRY(input_column, read_column(input, place + " input"));
  FUNCPIPE_TRY(target_column, read_column(target, place + " target"));
  dataset.input = std::move(input_column);
  dataset.target = std::move(target_column);
  return dataset;
}

// The members of the messages that have no parts, named once for writing and reading.
template <class Visit>
void visit_members(WorkerInvocation& invocation, const Visit& visit) {
  visit("job", invocation.job);
  visit("bucket", invocation.bucket);
  visit("prefix", invocation.prefix);
  visit("stage", invocation.worker.stage);
  visit("replica", invocation.worker.replica);
  visit("first_iteration", invocation.first_iteration);
  visit("programs", invocation.programs);
}

template <class Visit>
void visit_members(WorkerAnswer& answer, const Visit& visit) {
  visit("status", answer.status);
  visit("next_iteration", answer.next_iteration);
  visit("peak_memory", answer.peak_memory);
  visit("error", answer.error);
}

template <class Visit>
void visit_members(IterationReport& report, const Visit& visit) {
  visit("iteration", report.iteration);
  visit("loss", report.loss);
  visit("correct", report.correct);
  visit("predictions", report.predictions);
  visit("samples", report.samples);
  visit("seconds", report.seconds);
}

template <class Message>
json written(Message message) {
  json object = json::object();
  visit_members(message, [&](const char* key, const auto& value) { object[key] = value; });
  return object;
}

template <class Message>
Result<Message> read(const json& source, const std::string& place) {
  Message message;
  Fields fields(source, place);
  visit_members(message, [&](const char* key, auto& value) { fields.read(key, value); });
  FUNCPIPE_TRY_VOID(fields.done());
  return message;
}

}  // namespace

json to_json(const JobSpec& spec) {
  return {{"version", JobSpec::kVersion},
          {"id", spec.id},
          {"config", to_json(spec.config)},
          {"plan", to_json(spec.plan)},
          {"model", to_json(spec.model)},
          {"train", dataset_json(spec.train)},
          {"validation", dataset_json(spec.validation)},
          {"steps", spec.steps},
          {"steps_per_epoch", spec.steps_per_epoch},
          {"optimizer_copies", spec.state.optimizer_copies},
          {"input_cache", spec.state.input_cache},
          {"target_cache", spec.state.target_cache},
          {"numerics", spec.numerics},
          {"save_seconds", spec.hand_over.save},
          {"load_seconds", spec.hand_over.load}};
}

Result<JobSpec> job_spec_from_json(const json& source, const std::string& place) {
  JobSpec spec;
  Fields fields(source, place);
  fields.version(JobSpec::kVersion)
      .read("id", spec.id)
      .read("steps", spec.steps)
      .read("steps_per_epoch", spec.steps_per_epoch)
      .read("optimizer_copies", spec.state.optimizer_copies)
      .read("input_cache", spec.state.input_cache)
      .read("target_cache", spec.state.target_cache)
      .read("numerics", spec.numerics)
      .read("save_seconds", spec.hand_over.save)
      .read("load_seconds", spec.hand_over.load);
  const json& config = fields.member("config");
  const json& plan = fields.member("plan");
  const json& model = fields.member("model");
  const json& train = fields.member("train");
  const json& validation = fields.member("validation");
  FUNCPIPE_TRY_VOID(fields.done());
  FUNCPIPE_TRY(read_config, job_config_from_json(config, place));
  FUNCPIPE_TRY(read_plan, plan_from_json(plan, place));
  FUNCPIPE_TRY(read_model, model_description_from_json(model, place));
  FUNCPIPE_TRY(read_train, read_dataset(train, place + " train"));
  FUNCPIPE_TRY(read_validation, read_dataset(validation, place + " validation"));
  spec.config = std::move(read_config);
  spec.plan = std::move(read_plan);
  spec.model = std::move(read_model);
  spec.train = std::move(read_train);
  spec.validation = std::move(read_validation);
  return spec;
}

std::string job_spec_key(const std::string& prefix) {
  return prefix + "/job.json";
}
std::string stage_key(const std::string& prefix, int stage) {
  return fmt::format("{}/model/stage-{:02}.pt", prefix, stage);
}
std::string report_key(const std::string& prefix, std::int64_t iteration, int replica) {
  return fmt::format("{}/report/i{:08}-r{}.json", prefix, iteration, replica);
}
std::string validation_report_key(const std::string& prefix, std::int64_t round, int replica) {
  return fmt::format("{}/validation/v{:08}-r{}.json", prefix, round, replica);
}
std::string snapshot_key(const std::string& prefix, std::int64_t iteration, WorkerId worker) {
  return fmt::format("{}/snapshot/i{:08}-s{}-r{}.pt", prefix, iteration, worker.stage, worker.replica);
}
std::string trained_key(const std::string& prefix, int stage) {
  return fmt::format("{}/trained/stage-{:02}.pt", prefix, stage);
}
std::string trace_key(const std::string& prefix, WorkerId worker) {
  if (worker == kParameterServer) return prefix + "/trace/server.json";
  return fmt::format("{}/trace/s{}-r{}.json", prefix, worker.stage, worker.replica);
}

json to_json(const WorkerInvocation& invocation) {
  return written(invocation);
}
Result<WorkerInvocation> worker_invocation_from_json(const json& source) {
  return read<WorkerInvocation>(source, "invocation payload");
}

json to_json(const WorkerAnswer& answer) {
  return written(answer);
}
Result<WorkerAnswer> worker_answer_from_json(const json& source) {
  return read<WorkerAnswer>(source, "worker's answer");
}

json to_json(const std::vector<IterationReport>& reports) {
  json rows = json::array();
  for (const IterationReport& report : reports) rows.push_back(written(report));
  return rows;
}

Result<std::vector<IterationReport>> iteration_reports_from_json(const json& source) {
  const std::string place = "iteration report";
  if (!source.is_array()) return fail(ErrorCode::invalid_input, "expected an array", place);
  std::vector<IterationReport> reports;
  for (const json& row : source) {
    FUNCPIPE_TRY(report, read<IterationReport>(row, place));
    reports.push_back(report);
  }
  return reports;
}

}  // namespace funcpipe
