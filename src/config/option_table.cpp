#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "config/options.h"
#include "schedule/sync/sync_algorithm.h"

// Makes the function that returns where an option's value is. The default is the value in a new JobConfig.
#define FIELD(member) [](JobConfig& config) -> OptionField { return &config.member; }

namespace funcpipe {
namespace {

using InPlan = std::vector<OptionValue> (*)(const Plan&);

OptionRecord row(const char* section, const char* key, OptionField (*field)(JobConfig&), const char* meaning,
                 OptionRules rules = {}, InPlan in_plan = nullptr) {
  return {section, key, field, meaning, std::move(rules), in_plan};
}

std::vector<OptionValue> number(int value) {
  return {std::int64_t{value}};
}

std::vector<OptionValue> memory_of_stages(const Plan& plan) {
  std::vector<OptionValue> sizes;
  for (const StagePlan& stage : plan.stages)
    if (stage.memory_mb != 0) sizes.emplace_back(std::int64_t{stage.memory_mb});
  return sizes;
}

std::vector<OptionValue> vcpus_of_stages(const Plan& plan) {
  std::vector<OptionValue> counts;
  for (const StagePlan& stage : plan.stages)
    if (stage.vcpus != 0) counts.emplace_back(stage.vcpus);
  return counts;
}

std::vector<std::string> sync_names() {
  std::vector<std::string> names;
  for (const SyncTraits* const algorithm : sync_algorithms()) names.emplace_back(algorithm->name);
  return names;
}

constexpr double kMostInt = std::numeric_limits<int>::max();
constexpr double kMostSteps = 1e12;

std::vector<OptionRecord> job_options() {
  return {
      row("job", "name", FIELD(job.name),
          "Name of the job, in letters, digits, '-', '_' and '.'; empty: the job file's name without its ending."),
      row("job", "folder", FIELD(job.folder),
          "Results go to a folder with the job's name in this one; where those of a former run lie, to NAME-2, NAME-3, "
          "... (train --overwrite replaces them).",
          {.kind = OptionKind::path}),
      row("job", "seed", FIELD(job.seed),
          "Every random choice follows from it: first weights, order of the data, dropout.", {.least = 0}),
  };
}

std::vector<OptionRecord> model_options() {
  return {
      row("model", "source", FIELD(model.source),
          "A built-in model (zoo:fashion-cnn, zoo:char-gpt, ...) or a TorchScript file as PyTorch saved it.",
          {.kind = OptionKind::path_or_zoo}),
      row("model", "output", FIELD(model.output),
          "Which of several outputs of forward is trained on: a key of a dictionary, a field of a named tuple, or a "
          "number counted from 0; empty: the first."),
      row("model", "loss", FIELD(model.loss), "The loss; 'model': the model's output is the loss.",
          {.choices = {"cross-entropy", "mse", "model"}}),
      row("model", "class_axis", FIELD(model.class_axis),
          "cross-entropy: which axis of the output holds the classes; second: as PyTorch's cross_entropy has it, [N, "
          "C, ...]; last: as language models give it, [N, ..., C]; auto: whichever fits the targets' shape (where both "
          "do, the job is refused).",
          {.choices = {"auto", "second", "last"}}),
  };
}

std::vector<OptionRecord> data_options() {
  return {
      row("data", "format", FIELD(data.format),
          "npy: NumPy arrays; idx: the files of MNIST and its relatives; tokens: one file of numbers, for language "
          "models.",
          {.choices = {"npy", "idx", "tokens"}}),
      row("data", "train_input", FIELD(data.train_input), "File of the training inputs.", {.kind = OptionKind::path}),
      row("data", "train_target", FIELD(data.train_target), "File of the training targets; not for tokens.",
          {.kind = OptionKind::path}),
      row("data", "validation_input", FIELD(data.validation_input),
          "File of the validation inputs; empty: no validation.", {.kind = OptionKind::path}),
      row("data", "validation_target", FIELD(data.validation_target), "File of the validation targets; not for tokens.",
          {.kind = OptionKind::path}),
      row("data", "sequence_length", FIELD(data.sequence_length),
          "tokens: length of a row; its target is the row shifted by one.",
          {.unit = "tokens", .least = 0, .most = 1e9}),
      row("data", "token_dtype", FIELD(data.token_dtype), "tokens: how a token is stored in the file.",
          {.choices = {"uint8", "uint16", "int32"}}),
      row("data", "validation_fraction", FIELD(data.validation_fraction),
          "tokens: share of the file, from its end, kept for validation.", {.least = 0, .most = 0.9}),
      row("data", "shuffle", FIELD(data.shuffle), "Visit the rows in another order each epoch."),
      row("data", "shuffle_window", FIELD(data.shuffle_window),
          "Rows are shuffled across so much data, which the workers that read it hold in memory.",
          {.unit = "bytes", .least = 1024, .kind = OptionKind::size}),
  };
}

std::vector<OptionRecord> optimizer_options() {
  return {
      row("optimizer", "name", FIELD(optimizer.name), "The optimiser.", {.choices = {"sgd", "adam", "adamw"}}),
      row("optimizer", "lr", FIELD(optimizer.lr), "Learning rate.", {.least = 0, .most = 1e6}),
      row("optimizer", "momentum", FIELD(optimizer.momentum), "sgd: momentum.", {.least = 0, .most = 1}),
      row("optimizer", "weight_decay", FIELD(optimizer.weight_decay),
          "L2 penalty added to the gradient (sgd, adam) or decay taken from the weights (adamw).",
          {.least = 0, .most = 1e6}),
      row("optimizer", "beta1", FIELD(optimizer.beta1), "adam, adamw: decay of the mean gradient.",
          {.least = 0, .most = 1, .below_most = true}),
      row("optimizer", "beta2", FIELD(optimizer.beta2), "adam, adamw: decay of the mean squared gradient.",
          {.least = 0, .most = 1, .below_most = true}),
      row("optimizer", "eps", FIELD(optimizer.eps), "adam, adamw: added to the denominator.", {.least = 0, .most = 1}),
  };
}

std::vector<OptionRecord> lr_scheduler_options() {
  return {
      row("lr_scheduler", "name", FIELD(lr_scheduler.name), "Course of the learning rate after the warm-up.",
          {.choices = {"constant", "cosine"}}),
      row("lr_scheduler", "warmup_steps", FIELD(lr_scheduler.warmup_steps),
          "The rate rises linearly from 0 for so long.", {.unit = "iterations", .least = 0, .most = kMostSteps}),
      row("lr_scheduler", "min_lr_factor", FIELD(lr_scheduler.min_lr_factor), "cosine: ends at lr times this.",
          {.least = 0, .most = 1}),
  };
}

std::vector<OptionRecord> training_options() {
  return {
      row("training", "steps", FIELD(training.steps), "Length of the training; 0: as many as the epochs make.",
          {.unit = "iterations", .least = 0, .most = kMostSteps}),
      row("training", "epochs", FIELD(training.epochs), "Length of the training, if steps is 0.",
          {.unit = "passes over the data", .least = 0, .most = 1e6, .above_least = true}),
      row("training", "global_batch", FIELD(training.global_batch), "Batch of one iteration, over all replicas.",
          {.unit = "samples", .least = 1, .most = kMostInt},
          [](const Plan& plan) { return number(plan.global_batch); }),
      row("training", "micro_batch", FIELD(training.micro_batch), "What moves through the pipeline at once.",
          {.unit = "samples", .least = 1, .most = kMostInt}, [](const Plan& plan) { return number(plan.micro_batch); }),
      row("training", "threads", FIELD(training.threads),
          "Threads of one operation in a worker; another number changes the last bits of sums.",
          {.unit = "threads", .least = 1, .most = 256}),
      row("training", "wait_limit", FIELD(training.wait_limit),
          "Longest wait for another worker's object before the job fails; dilation stretches it. Unless it is set, it "
          "is "
          "longer where a lost worker takes longer to replay.",
          {.unit = "seconds", .least = 0, .most = 86400, .above_least = true}),
      row("training", "download_connections", FIELD(training.download_connections),
          "Downloads a worker has under way at once.", {.unit = "connections", .least = 1, .most = 256}),
      row("training", "upload_connections", FIELD(training.upload_connections),
          "Uploads a worker has under way at once.", {.unit = "connections", .least = 1, .most = 256}),
      row("training", "restarts", FIELD(training.restarts),
          "How often each worker is started anew after it was lost (killed, timed out, never answered) before the job "
          "fails.",
          {.unit = "times", .least = 0, .most = 1000000}),
  };
}

std::vector<OptionRecord> validation_options() {
  return {
      row("validation", "every_epochs", FIELD(validation.every_epochs), "How often; 0: only at the end.",
          {.unit = "epochs", .least = 0, .most = 1e6}),
      row("validation", "micro_batch", FIELD(validation.micro_batch), "0: four times the training micro-batch.",
          {.unit = "samples", .least = 0, .most = kMostInt}),
  };
}

std::vector<OptionRecord> metrics_options() {
  return {
      row("metrics", "log_freq", FIELD(metrics.log_freq), "Workers report the loss so often.",
          {.unit = "iterations", .least = 1, .most = kMostInt}),
      row("metrics", "trace_iterations", FIELD(metrics.trace_iterations),
          "So many iterations, from the first, are recorded operation by operation in trace.json.",
          {.unit = "iterations", .least = 0, .most = 1e6}),
  };
}

std::vector<OptionRecord> parallelism_options() {
  return {
      row("parallelism", "plan", FIELD(parallelism.plan),
          "A plan file: cuts, memory, replicas, batches, order and synchronisation, which no option set elsewhere may "
          "contradict (on the command line it outranks the job file, but for the global batch); empty: one is made "
          "with the profile or, without a profile, an even cut as below.",
          {.kind = OptionKind::path}),
      row("parallelism", "profile", FIELD(parallelism.profile),
          "What funcpipe profile wrote of the model: stages, and memory, replicas and micro-batches as far as they are "
          "not set, are planned with it. On the command line it outranks the cut and batches of the job file, but for "
          "the global batch; not used beside a plan file.",
          {.kind = OptionKind::path}),
      row("parallelism", "objective", FIELD(parallelism.objective),
          "What that plan is to be: balanced, time, cost, deadline=SECONDS, budget=DOLLARS, or ALPHA1,ALPHA2: weights "
          "of dollars and of seconds."),
      row("parallelism", "stages", FIELD(parallelism.stages), "Stages the model is cut into.",
          {.unit = "stages", .least = 1, .most = 10000}, [](const Plan& plan) { return number(plan.stage_count()); }),
      row("parallelism", "replicas", FIELD(parallelism.replicas), "Functions that share the batch of a stage.",
          {.unit = "replicas", .least = 1, .most = 10000}, [](const Plan& plan) { return number(plan.replicas); }),
      row("parallelism", "order", FIELD(parallelism.order),
          "gpipe: all forwards, then all backwards; 1f1b: in turn as soon as they can, which keeps fewer activations.",
          {.choices = {"gpipe", "1f1b"}},
          [](const Plan& plan) { return std::vector<OptionValue>{std::string(to_string(plan.order))}; }),
      row("parallelism", "sync", FIELD(parallelism.sync),
          "How the gradients of a stage's replicas are summed; parameter-server is for one stage, on the embedded "
          "cloud.",
          {.choices = sync_names()},
          [](const Plan& plan) { return std::vector<OptionValue>{std::string(to_string(plan.sync))}; }),
      row("parallelism", "server", FIELD(parallelism.server),
          "The machine of parameter-server: a file's stem in platforms/servers/.", {},
          [](const Plan& plan) { return std::vector<OptionValue>{plan.server}; }),
  };
}

std::vector<OptionRecord> checkpoint_options() {
  return {
      row("checkpoint", "interval", FIELD(checkpoint.interval),
          "Iterations between two snapshots of a worker, from which it goes on after it was lost; its newest two are "
          "kept "
          "in the store, and with them what it received since. 0: as often as pays, from what a snapshot costs.",
          {.unit = "iterations", .least = 0, .most = kMostSteps}),
      row("checkpoint", "period", FIELD(checkpoint.period),
          "Time between two snapshots of a worker, of the platform's. Unless it is set, it is the longest: they are as "
          "often as pays. 0, and interval 0 too: none is saved but to hand over, and a lost worker ends the job.",
          {.unit = "seconds", .least = 0, .most = 86400}),
  };
}

std::vector<OptionRecord> platform_options() {
  return {
      row("platform", "name", FIELD(platform.name),
          "local (as fast as this machine goes), aws-lambda, ..., or a .toml file of one's own.",
          {.kind = OptionKind::path_or_name}),
      row("platform", "dilation", FIELD(platform.dilation),
          "Slows CPU, network and latency of the embedded cloud together; reported seconds are divided back.",
          {.least = 1, .most = 1000}),
      row("platform", "memory_mb", FIELD(platform.memory_mb),
          "Memory of every function for which no plan file says it; 0: the smallest that fits.",
          {.unit = "MB", .least = 0, .most = 1e6}, memory_of_stages),
      row("platform", "vcpus", FIELD(platform.vcpus),
          "vCPUs of every function for which no plan file says them, where the platform has them chosen (alibaba-fc); "
          "0: of those that go with the memory the fewest that are a whole one.",
          {.least = 0, .most = 1e4}, vcpus_of_stages),
      row("platform", "lifetime", FIELD(platform.lifetime), "Longest single invocation; 0: the platform's.",
          {.unit = "seconds", .least = 0, .most = 86400}),
      row("platform", "s3_endpoint", FIELD(platform.s3_endpoint),
          "Address of the object store; empty: an embedded cloud is started for the job."),
      row("platform", "lambda_endpoint", FIELD(platform.lambda_endpoint),
          "Address of the function service; given together with s3_endpoint."),
      row("platform", "region", FIELD(platform.region), "Region the requests are signed for."),
      row("platform", "bucket", FIELD(platform.bucket), "Bucket the job's objects go through."),
      row("platform", "role", FIELD(platform.role), "Execution role of the functions; the embedded cloud needs none."),
  };
}

}  // namespace

const std::vector<SectionRecord>& section_table() {
  static const std::vector<SectionRecord> sections = {
      {"job", "What the job is called and where its results go."},
      {"model", "What is trained."},
      {"data", "What it is trained on."},
      {"optimizer", "How the weights move."},
      {"lr_scheduler", "How the learning rate changes over the iterations."},
      {"training", "How long and in which batches."},
      {"validation", "How often the model is tried on held-out data."},
      {"metrics", "What is reported meanwhile."},
      {"parallelism", "How the model is cut and replicated over functions."},
      {"checkpoint", "How often workers save their state."},
      {"platform", "The cloud the functions run on."},
  };
  return sections;
}

const std::vector<OptionRecord>& option_table() {
  static const std::vector<OptionRecord> options = [] {
    std::vector<OptionRecord> all;
    for (const auto section :
         {job_options, model_options, data_options, optimizer_options, lr_scheduler_options, training_options,
          validation_options, metrics_options, parallelism_options, checkpoint_options, platform_options})
      std::ranges::move(section(), std::back_inserter(all));
    return all;
  }();
  return options;
}

}  // namespace funcpipe
