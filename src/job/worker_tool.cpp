#include "job/worker_tool.h"

#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/compute_environment.h"
#include "base/files.h"
#include "job/child_process.h"
#include "protocol/json_fields.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

ErrorCode code_named(const std::string& name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::failed); ++code)
    if (to_string(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  return ErrorCode::failed;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Returns the last lines that a program wrote before it died.
std::string last_words(const ChildOutput& output) {
  constexpr std::size_t kMost = 2000;
  const std::string& said = output.err.empty() ? output.out : output.err;
  return said.size() > kMost ? "..." + said.substr(said.size() - kMost) : said;
}

// Says for people what the program was doing.
std::string_view in_words(const std::string& verb) {
  if (verb == "describe") return "reading the model";
  if (verb == "try") return "trying the model on rows of the data";
  if (verb == "cut") return "cutting the model into stages";
  if (verb == "assemble") return "putting the trained model together";
  return "summing gradients as the parameter server";
}

std::string how_it_ended(const std::string& verb, const ChildOutput& output) {
  std::string text =
      output.exit_code > 128
          ? fmt::format("the worker program was ended by signal {} ({}) while {}", output.exit_code - 128,
                        ::strsignal(output.exit_code - 128), in_words(verb))
          : fmt::format("the worker program gave no answer (exit code {}) while {}", output.exit_code, in_words(verb));
  const std::string said = last_words(output);
  return said.empty() ? text : text + "; it said: " + said;
}

// Returns the JSON that a verb prints. {"error": {"code", "message", "place", "hint"}} becomes an Error again.
Result<json> call(const fs::path& program, const std::vector<std::string>& arguments, std::stop_token stop,
                  std::map<std::string, std::string> environment = {}) {
  environment.insert(compute_environment().begin(), compute_environment().end());
  FUNCPIPE_TRY(output, run_child(program, arguments, stop, environment, decides_bits));
  const json answer = json::parse(output.out, nullptr, false);
  if (answer.is_object() && answer.contains("error") && answer["error"].is_object()) {
    const json& error = answer["error"];
    return fail(code_named(text_of(error, "code")), text_of(error, "message"), text_of(error, "place"),
                text_of(error, "hint"));
  }
  if (output.exit_code == 0 && !answer.is_discarded()) return answer;
  return fail(ErrorCode::failed, how_it_ended(arguments.front(), output), program.string(),
              output.exit_code == 128 + SIGKILL
                  ? "its machine may have run out of memory: the kernel log (dmesg) tells"
                  : "this should not happen: please report it, with the model if you can");
}

}  // namespace

// Returns the arguments that all verbs share. An input is written as "float32:16x1x28x28".
std::vector<std::string> WorkerTool::arguments_of(const char* verb, const ModelSource& model,
                                                  const std::vector<TensorSpec>& inputs) const {
  std::vector<std::string> arguments{verb, "--model", model.file, "--seed", std::to_string(model.seed)};
  if (!model.output.empty()) arguments.insert(arguments.end(), {"--output", model.output});
  for (const TensorSpec& input : inputs) {
    arguments.push_back("--inputs");
    arguments.push_back(fmt::format("{}:{}", input.dtype, fmt::join(input.shape, "x")));
  }
  if (rows_) arguments.insert(arguments.end(), {"--rows", rows_->path().string()});
  return arguments;
}

Result<WorkerTool> WorkerTool::find() {
  std::error_code status;
  fs::path program;
  if (const char* named = std::getenv("FUNCPIPE_WORKER"); named && *named)
    program = fs::absolute(named, status);
  else
    program = fs::read_symlink("/proc/self/exe", status).parent_path() / "funcpipe-worker";
  if (::access(program.c_str(), X_OK) != 0)
    return fail(ErrorCode::not_found, "there is no worker program", program.string(),
                "build it with ./dev build, or name it in the environment variable FUNCPIPE_WORKER");
  return WorkerTool(program);
}

Result<ModelDescription> WorkerTool::describe(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                              std::stop_token stop) const {
  FUNCPIPE_TRY(answer, call(program_, arguments_of("describe", model, inputs), stop));
  return model_description_from_json(answer, program_.string() + " describe");
}

Result<DescribedModel> WorkerTool::describe_first(const ModelSource& model,
                                                  const std::vector<std::vector<TensorSpec>>& choices,
                                                  std::stop_token stop) const {
  std::vector<std::string> arguments = arguments_of("describe", model, {});
  for (const std::vector<TensorSpec>& inputs : choices) {
    json choice = json::array();
    for (const TensorSpec& input : inputs) choice.push_back({{"dtype", input.dtype}, {"shape", input.shape}});
    arguments.insert(arguments.end(), {"--choice", choice.dump()});
  }
  FUNCPIPE_TRY(answer, call(program_, arguments, stop));
  const std::string place = program_.string() + " describe";
  DescribedModel described;
  Fields fields(answer, place);
  fields.read("choice", described.choice).read("refusal", described.refusal).read("numerics", described.numerics);
  const json& found = fields.member("model");
  FUNCPIPE_TRY_VOID(fields.done());
  FUNCPIPE_TRY(description, model_description_from_json(found, place));
  described.model = std::move(description);
  return described;
}

Result<TrialResult> WorkerTool::try_model(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                          const JobConfig::Model& settings, const TrialRequest& request,
                                          std::stop_token stop) const {
  std::vector<std::string> arguments = arguments_of("try", model, inputs);
  arguments.insert(arguments.end(), {"--loss", settings.loss, "--class-axis", settings.class_axis});
  for (const int samples : request.training) arguments.insert(arguments.end(), {"--training", std::to_string(samples)});
  for (const int samples : request.evaluation)
    arguments.insert(arguments.end(), {"--evaluation", std::to_string(samples)});
  arguments.emplace_back(request.backward ? "--backward" : "--no-backward");
  FUNCPIPE_TRY(answer, call(program_, arguments, stop));
  const std::string place = program_.string() + " try";
  TrialResult result;
  Fields fields(answer, place);
  fields.read("loss_text", result.loss_text).read("layer", result.layer).read("gradient", result.gradient);
  const json& failure = fields.member("failure");
  FUNCPIPE_TRY_VOID(fields.done());
  if (failure.is_null()) return result;
  Fields parts(failure, place);
  TrialFailure& found = result.failure.emplace();
  parts.read("training", found.training)
      .read("samples", found.samples)
      .read("message", found.message)
      .read("smallest", found.smallest);
  FUNCPIPE_TRY_VOID(parts.done());
  return result;
}

Result<std::vector<fs::path>> WorkerTool::cut(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                              const Plan& plan, const fs::path& folder, std::stop_token stop) const {
  const fs::path plan_file = folder / "plan.json";
  FUNCPIPE_TRY_VOID(write_file(plan_file, to_json(plan).dump()));
  std::vector<std::string> arguments = arguments_of("cut", model, inputs);
  arguments.insert(arguments.end(), {"--plan", plan_file.string(), "--folder", folder.string()});
  FUNCPIPE_TRY(answer, call(program_, arguments, stop));
  static_cast<void>(answer);
  std::vector<fs::path> stages;
  stages.reserve(plan.stages.size());
  for (int k = 0; k < plan.stage_count(); ++k) stages.push_back(folder / fmt::format("stage-{:02}.pt", k));
  return stages;
}

Result<> WorkerTool::assemble(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                              const std::vector<fs::path>& stages, const fs::path& folder, std::stop_token stop) const {
  std::vector<std::string> arguments = arguments_of("assemble", model, inputs);
  arguments.insert(arguments.end(), {"--folder", folder.string()});
  for (const fs::path& stage : stages) arguments.insert(arguments.end(), {"--stage", stage.string()});
  FUNCPIPE_TRY(answer, call(program_, arguments, stop));
  static_cast<void>(answer);
  return {};
}

Result<WorkerAnswer> WorkerTool::serve(const WorkerInvocation& invocation,
                                       const std::map<std::string, std::string>& environment,
                                       std::stop_token stop) const {
  FUNCPIPE_TRY(answer, call(program_, {"serve", "--invocation", to_json(invocation).dump()}, stop, environment));
  return worker_answer_from_json(answer);
}

}  // namespace funcpipe
