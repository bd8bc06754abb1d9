// funcpipe-worker runs inside a function, and opens models for funcpipe.
//
// Inside Lambda (AWS_LAMBDA_RUNTIME_API is set) it plays the workers it is invoked as. Otherwise it has verbs; one of
// them, `serve`, plays a parameter server. A verb prints one JSON object: the answer, or {"error": {"code", "message",
// "place", "hint"}} with exit code 2 if the input is wrong, else 1. Nothing else goes to standard output; what the
// model prints goes to standard error.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/compute_environment.h"
#include "base/json_complaint.h"
#include "base/process_limits.h"
#include "model/compute_threads.h"
#include "profile/input_text.h"
#include "worker/function.h"
#include "worker/lambda_runtime.h"
#include "worker/model_verbs.h"

namespace funcpipe {
namespace {

// Keeps standard output for the answer. Whatever others write to it from now on goes to standard error.
class AnswerChannel {
 public:
  AnswerChannel() : descriptor_(::dup(STDOUT_FILENO)) {
    if (descriptor_ >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  ~AnswerChannel() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  AnswerChannel(const AnswerChannel&) = delete;
  AnswerChannel& operator=(const AnswerChannel&) = delete;

  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

 private:
  int descriptor_ = -1;
};

int print(const AnswerChannel& channel, const Result<nlohmann::json>& result) {
  const auto text = [](const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  };
  if (result) return channel.write(text(*result)) ? 0 : 1;
  const Error& error = result.error();
  const nlohmann::json json{{"error",
                             {{"code", std::string(to_string(error.code))},
                              {"message", error.message},
                              {"place", error.place},
                              {"hint", error.hint}}}};
  return channel.write(text(json)) ? exit_code(error) : 1;
}

// Catches everything: an exception of a verb becomes an error in the same form.
int run_verb(const std::function<Result<nlohmann::json>()>& verb) {
  const AnswerChannel channel;
  try {
    return print(channel, verb());
  } catch (const std::bad_alloc&) {
    return print(channel,
                 fail(ErrorCode::exhausted, "no memory left for the model", {}, "use a machine with more memory"));
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      return print(channel, tl::unexpected(no_process({})));
    return print(channel, fail(ErrorCode::failed, error.what()));
  } catch (const nlohmann::json::exception& error) {
    return print(channel, fail(ErrorCode::failed,
                               "the worker program met JSON of a form it does not know: " + json_complaint(error)));
  } catch (const std::exception& error) {
    return print(channel, fail(ErrorCode::failed, error.what()));
  }
}

int run_verbs(int argc, char** argv) {
  CLI::App app("Opens models for funcpipe; inside a function, plays a worker.", "funcpipe-worker");
  app.require_subcommand(1);
  ModelChoice model;
  std::vector<std::string> inputs, choices, stages;
  std::string plan, folder, invocation;
  JobConfig::Model settings;
  TrialSizes sizes;
  const auto verb = [&](const char* name, const char* text) {
    CLI::App* command = app.add_subcommand(name, text);
    command->add_option("--model,MODEL", model.source, "zoo:NAME or a TorchScript file")->required();
    command->add_option("--output", model.output, "as model.output in a job file");
    command->add_option("--inputs,--input", inputs, "dtype:NxCxHxW of each input, or JSON")
        ->allow_extra_args(false);  // CLI11 would interpret JSON's brackets
    command->add_option("--rows", model.rows, "a file of rows of the data, to be used in place of invented ones");
    command->add_option("--seed", model.seed, "of the initial weights of a zoo model");
    return command;
  };
  CLI::App* describing = verb("describe", "Prints the model's layers, their sizes and the tensors at each cut.");
  describing->add_option("--choice", choices, "with --rows: one of several inputs to choose from, as JSON")
      ->allow_extra_args(false);
  CLI::App* trying = verb("try", "Tries the model on rows of the data in every size of batch a job will have.");
  trying->add_option("--loss", settings.loss, "as model.loss in a job file");
  trying->add_option("--class-axis", settings.class_axis, "as model.class_axis in a job file");
  trying->add_option("--training", sizes.training, "samples of a micro-batch in training")->allow_extra_args(false);
  trying->add_option("--evaluation", sizes.evaluation, "samples of a micro-batch in evaluation")
      ->allow_extra_args(false);
  trying->add_flag("--backward,!--no-backward", sizes.backward, "whether to try a backward pass");
  CLI::App* cutting = verb("cut", "Writes one stage file for each stage of a plan.");
  cutting->add_option("--plan", plan, "the plan's file")->required();
  cutting->add_option("--folder,--out", folder, "where stage-00.pt ... go")->required();
  CLI::App* assembling = verb("assemble", "Puts trained stages together: model.pt and state_dict.pt.");
  assembling->add_option("--stage,--stages", stages, "the stage files")->required();
  assembling->add_option("--folder,--out", folder, "where model.pt and state_dict.pt go")->required();
  CLI::App* environment =
      app.add_subcommand("environment", "Prints the settings that decide bits, for `env $(...)` before a comparison.");
  CLI::App* serving = app.add_subcommand("serve", "Plays a parameter server, here and not in a function.");
  serving->add_option("--invocation", invocation, "what a function would be invoked with")->required();
  CLI11_PARSE(app, argc, argv);

  if (environment->parsed()) {
    for (const auto& [name, value] : compute_environment()) fmt::print("{}={}\n", name, value);
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  set_compute_threads(1);
  return run_verb([&]() -> Result<nlohmann::json> {
    if (serving->parsed()) return serve_invocation(invocation);
    FUNCPIPE_TRY(specs, parse_inputs(inputs));
    model.inputs = std::move(specs);
    if (!choices.empty()) {
      std::vector<std::vector<TensorSpec>> possible;
      for (const std::string& choice : choices) {
        FUNCPIPE_TRY(one, parse_inputs({choice}));
        possible.push_back(std::move(one));
      }
      return describe_model_on(model, possible);
    }
    if (trying->parsed()) return try_model(model, settings, sizes);
    if (describing->parsed()) return describe_model(model);
    if (cutting->parsed()) return cut_model(model, plan, folder);
    return assemble_model(model, {stages.begin(), stages.end()}, folder);
  });
}

// Libraries read their settings while they are loaded, so a process with other settings starts itself again. FuncPipe
// sets them for the programs it starts.
void start_in_compute_environment(char** argv) {
  std::vector<std::string> own;
  for (char** variable = environ; *variable != nullptr; ++variable) own.emplace_back(*variable);
  std::vector<std::string> wanted = for_computing(own);
  if (std::set(own.begin(), own.end()) == std::set(wanted.begin(), wanted.end())) return;
  std::vector<char*> variables;
  for (std::string& variable : wanted) variables.push_back(variable.data());
  variables.push_back(nullptr);
  ::execve("/proc/self/exe", argv, variables.data());
  fmt::print(stderr, "funcpipe-worker: cannot begin anew with the environment of computations\n");
}

int run_function(const std::string& address) {
  try {
    const auto served = serve_invocations(address);
    if (!served) fmt::print(stderr, "{}\n", describe(served.error()));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  return 1;  // serving ends only on an error
}

}  // namespace
}  // namespace funcpipe

int main(int argc, char** argv) {
  funcpipe::start_in_compute_environment(argv);
  funcpipe::raise_open_file_limit();
  // Flushes what a model prints at once, because a function may be frozen or ended at any time.
  std::cout << std::unitbuf;
  const char* runtime = std::getenv("AWS_LAMBDA_RUNTIME_API");
  if (argc == 1 && runtime && *runtime) return funcpipe::run_function(runtime);
  return funcpipe::run_verbs(argc, argv);
}
