#include "cli/job_arguments.h"

#include "config/job_file.h"
#include "config/options.h"

namespace funcpipe {

std::shared_ptr<JobArguments> JobArguments::add_to(CLI::App& command) {
  auto arguments = std::make_shared<JobArguments>();
  arguments->command_ = &command;
  command.add_option("JOB", arguments->file_, "The job file (docs/job-file.md)")->required()->type_name("FILE");
  command.add_option("--emulate", arguments->platform_, "Short for --platform.name: aws-lambda, alibaba-fc, ...")
      ->type_name("PLATFORM");
  command.add_option("--stages", arguments->stages_, "Short for --parallelism.stages")->type_name("K");
  command.add_option("--replicas", arguments->replicas_, "Short for --parallelism.replicas")->type_name("D");
  for (const OptionRecord& option : option_table()) {
    const std::string initial = default_text(option);
    const std::string meaning = initial.empty() ? option.meaning : fmt::format("{} [{}]", option.meaning, initial);
    command.add_option("--" + option.name(), arguments->given_[option.name()], meaning)
        ->group(fmt::format("[{}]", option.section))
        ->type_name(option.rules.unit.empty() ? "VALUE" : option.rules.unit);
  }
  command.allow_extras();  // load() reports unknown ones and names the nearest option
  return arguments;
}

Result<JobConfig> JobArguments::load() const {
  std::vector<Override> overrides;
  if (!platform_.empty()) overrides.push_back({"platform.name", platform_, "--emulate"});
  if (!stages_.empty()) overrides.push_back({"parallelism.stages", stages_, "--stages"});
  if (!replicas_.empty()) overrides.push_back({"parallelism.replicas", replicas_, "--replicas"});
  for (const auto& [name, value] : given_)
    if (command_->count("--" + name) > 0) overrides.push_back({name, value});
  for (const std::string& extra : command_->remaining()) {
    if (!extra.starts_with("--"))
      return fail(ErrorCode::invalid_input, fmt::format("unexpected argument '{}'", extra), "command line",
                  "one job file is trained at a time; options are --SECTION.KEY VALUE");
    const std::string name = extra.substr(2, extra.find('=') - 2);
    overrides.push_back({name, ""});  // an unknown name: the reader of options reports it and names the nearest
    break;
  }
  return load_job_config(file_, overrides);
}

}  // namespace funcpipe
