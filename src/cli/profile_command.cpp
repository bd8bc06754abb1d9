#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "base/visible.h"
#include "catalog/platform.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/number_list.h"
#include "cli/number_range.h"
#include "cli/profile_picture.h"
#include "cli/profile_report.h"
#include "cli/progress_line.h"
#include "cli/terminal.h"
#include "config/job_file.h"
#include "job/profile_model.h"
#include "job/train.h"
#include "profile/input_text.h"

namespace funcpipe {
namespace {

struct ProfileArguments {
  ProfileSettings settings;
  std::vector<std::string> inputs;
  std::string optimizer = "sgd";
  std::string memory, scale_from, micro_batches = "1,4,16";
  double vcpu_speed = 0;
  int threads = 0;
  std::string out = "profile.json", picture;
  bool json = false, overwrite = false;
};

// Shows progress in one line that is redrawn on a terminal; elsewhere it prints a line for every tenth.
class MeasuringView {
 public:
  explicit MeasuringView(const Screen& screen) : screen_(screen), line_(screen) {}

  void step(const std::string& what) {
    line_.clear();
    screen_.write(visible(what) + "\n");
  }
  void measured(int done, int all, const std::string& layer) {
    const double share = all > 0 ? static_cast<double>(done) / all : 0;
    const std::string words = visible(fmt::format("{}/{} layers, measuring {}", done, all, layer));
    line_.show(share, words);
    const int tenth = static_cast<int>(10 * share);
    if (screen_.live || tenth == tenth_) return;
    tenth_ = tenth;
    screen_.write(words + "\n");
  }

 private:
  Screen screen_;
  ProgressLine line_;
  int tenth_ = -1;
};

// The optimiser that is measured instead of this one: AdamW keeps and computes what Adam does.
std::string update_of(const std::string& optimizer) {
  return optimizer == "adamw" ? "adam" : optimizer;
}

bool is_job_file(const std::string& source) {
  return source.ends_with(".toml");
}

std::string joined(const std::vector<int>& numbers) {
  return fmt::format("{}", fmt::join(numbers, ","));
}

// Takes from a job file, if one is given instead of a model, its model with the inputs that its data give, its
// optimiser, its platform, and its micro-batch in addition to the usual ones. The command line overrides them.
Result<JobConfig> take_from_job(ProfileArguments& arguments, const CLI::App& command, std::stop_token stop) {
  FUNCPIPE_TRY(config, load_job_config(arguments.settings.model.file));
  JobConfig alone = config;  // without settings that only matter once there is a profile
  alone.parallelism = {};
  alone.parallelism.stages = 1;
  alone.platform = {};
  alone.given.clear();
  FUNCPIPE_TRY(checked, check_job(alone, stop));
  ProfileSettings& settings = arguments.settings;
  const auto is_typed = [&](const char* flag) { return command.count(flag) > 0; };
  settings.model = config.model_source();
  settings.inputs = checked.spec.model.inputs;
  if (!is_typed("--optimizer"))
    arguments.optimizer =
        config.optimizer.name == "sgd" && config.optimizer.momentum != 0 ? "momentum" : config.optimizer.name;
  JobConfig::PlatformChoice cloud = config.platform;
  if (is_typed("--platform")) cloud.name = settings.cloud.name;
  if (is_typed("--dilation")) cloud.dilation = settings.cloud.dilation;
  settings.cloud = std::move(cloud);
  if (!is_typed("--micro-batch")) {
    FUNCPIPE_TRY(sizes, parse_number_list(arguments.micro_batches, "--micro-batch"));
    if (config.given.contains("training.micro_batch")) sizes.push_back(config.training.micro_batch);
    std::erase_if(sizes, [&](int size) { return size > config.training.global_batch; });
    arguments.micro_batches = joined(sizes);
  }
  return config;
}

// Refuses to replace a file at `out` unless it is a profile of the same model and platform.
Result<> check_replaced(const std::string& out, const ModelDescription& model, const Platform& platform) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(out, ignored)) return {};
  const auto refuse = [&](std::string what) {
    return fail(ErrorCode::invalid_input, std::move(what), out,
                "write this one elsewhere with --out FILE, or replace that one with --overwrite");
  };
  const auto former = load_profile(out);
  if (!former) return refuse("the file is there and is not a profile that this program reads");
  if (former->model.fingerprint != model.fingerprint)
    return refuse(fmt::format("the profile of another model is there: {}", former->model.source));
  if (former->platform != platform.name)
    return refuse(fmt::format("the profile of this model for another platform is there: {}, not {}", former->platform,
                              platform.name));
  return {};
}

Result<ProfileSettings> settings_of(const ProfileArguments& arguments) {
  ProfileSettings settings = arguments.settings;
  settings.optimizer = update_of(arguments.optimizer);
  if (!arguments.inputs.empty()) {
    FUNCPIPE_TRY(inputs, parse_inputs(arguments.inputs));
    settings.inputs = std::move(inputs);
  }
  if (!arguments.memory.empty()) {
    FUNCPIPE_TRY(sizes, parse_size_list(arguments.memory, "--memory"));
    settings.sizes = std::move(sizes);
  }
  if (!arguments.scale_from.empty()) {
    FUNCPIPE_TRY(sizes, parse_size_list(arguments.scale_from, "--scale-from"));
    if (sizes.size() != 1) return fail(ErrorCode::invalid_input, "one size is measured, not several", "--scale-from");
    settings.scale_from = sizes.front();
  }
  FUNCPIPE_TRY(micro_batches, parse_number_list(arguments.micro_batches, "--micro-batch"));
  std::sort(micro_batches.begin(), micro_batches.end());
  micro_batches.erase(std::unique(micro_batches.begin(), micro_batches.end()), micro_batches.end());
  settings.micro_batches = std::move(micro_batches);
  settings.derived_threads = arguments.threads;
  settings.threads = std::max(1, arguments.threads);
  if (arguments.vcpu_speed > 0) settings.vcpu_speed = arguments.vcpu_speed;
  if (settings.folder.empty()) settings.folder = arguments.out + ".work";
  return settings;
}

Result<> run(ProfileArguments arguments, const CLI::App& command, std::stop_token stop) {
  const std::string job = is_job_file(arguments.settings.model.file) ? arguments.settings.model.file : "";
  int batch = 64;
  if (!job.empty()) {
    FUNCPIPE_TRY(config, take_from_job(arguments, command, stop));
    batch = config.training.global_batch;
  }
  FUNCPIPE_TRY(settings, settings_of(arguments));
  Result<Profile> profile = fail(ErrorCode::failed, "not started");
  {
    MeasuringView view(standard_error_screen());
    const ProfileProgress progress{
        .may_measure = [&](const ModelDescription& model, const Platform& platform) -> Result<> {
          if (arguments.overwrite) return {};
          return check_replaced(arguments.out, model, platform);
        },
        .step = [&](const std::string& what) { view.step(what); },
        .measured = [&](int done, int all, const std::string& layer) { view.measured(done, all, layer); }};
    profile = profile_model(settings, progress, stop);
  }
  if (!profile) {
    if (profile.error().code == ErrorCode::not_found) profile.error().code = ErrorCode::invalid_input;
    return tl::unexpected(std::move(profile).error());
  }
  FUNCPIPE_TRY_VOID(save_profile(*profile, arguments.out));
  if (!arguments.picture.empty()) FUNCPIPE_TRY_VOID(write_file(arguments.picture, profile_picture(*profile)));
  if (arguments.json) {
    fmt::print("{}\n", to_json(*profile).dump());
    return {};
  }
  fmt::print("{}\nProfile: {}{}\nNext: funcpipe plan {} --batch {}\n",
             profile_report(*profile, columns_of(STDOUT_FILENO)), arguments.out,
             arguments.picture.empty() ? "" : "\nPicture: " + arguments.picture, arguments.out, batch);
  if (!job.empty()) fmt::print("or plan and train: funcpipe train {} --parallelism.profile {}\n", job, arguments.out);
  return {};
}

}  // namespace

Command add_profile(CLI::App& app) {
  CLI::App* command = app.add_subcommand("profile", "Measure a model's layers on each function size");
  const auto arguments = std::make_shared<ProfileArguments>();  // shared by the parser and the command
  ProfileArguments& a = *arguments;
  command
      ->add_option("MODEL", a.settings.model.file,
                   "zoo:NAME, a TorchScript file, or a job file, whose data says what the model's inputs look like")
      ->required();
  command->add_option("--platform", a.settings.cloud.name, "aws-lambda, ..., or a .toml file")->capture_default_str();
  command->add_option("--memory", a.memory, "Function sizes in MB, or MB:vCPUs: 1769,3008 [all of the platform's]")
      ->type_name("LIST");
  command->add_option("--micro-batch", a.micro_batches, "Samples to measure with: 1,4")
      ->capture_default_str()
      ->type_name("LIST");
  command
      ->add_option("--input", a.inputs,
                   "Type and shape of each input: float32:1x3x224x224 [a zoo model's own, those of a job file's data]")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--scale-from", a.scale_from,
          "Measure this size alone, derive the others by their vCPUs [those of two vCPUs and more are derived from "
          "the largest smaller one, where the platform limits CPUs]")
      ->type_name("MB");
  command->add_option("--optimizer", a.optimizer, "Whose update is timed: sgd, momentum (sgd with it), adam or adamw")
      ->check(CLI::IsMember({"sgd", "momentum", "adam", "adamw"}))
      ->capture_default_str();
  command->add_option("--threads", a.threads, "Of one operation, on every size [1; on derived sizes one per vCPU]")
      ->check(CLI::Range(1, 256));
  command->add_option("--repeat", a.settings.repeats, "Repetitions of a layer, at the least")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--dilation", a.settings.cloud.dilation, "Slow the emulated cloud down by this factor")
      ->check(number_from(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--vcpu-speed", a.vcpu_speed,
                   "Speed of a platform's vCPU relative to a core of this machine [the platform file's]; 1 to "
                   "predict the emulator")
      ->check(number_above_zero());
  command->add_option("--seed", a.settings.model.seed, "Of a zoo model's weights")->capture_default_str();
  command->add_option("--out", a.out, "Write the profile here")->capture_default_str()->type_name("FILE");
  command->add_flag("--overwrite", a.overwrite,
                    "Replace the file that is there, even if it is the profile of another model or platform");
  command->add_option("--picture", a.picture, "Draw where time and memory go here (SVG)")->type_name("FILE");
  command->add_flag("--json", a.json, "Print the profile as JSON");
  return [arguments, command] {
    Interrupt interrupt("its results so far are kept");
    return outcome(run(*arguments, *command, interrupt.token()), arguments->json,
                   "stopped; the same command goes on from here");
  };
}

}  // namespace funcpipe
