// The options of a job, which a user sets in JOB.toml or on the command line. One table (config/options.h) describes
// every field: its TOML key, flag, type, default, range, unit and meaning. The parser, --help and docs/job-file.md are
// made from that table.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/units.h"
#include "plan/plan.h"

namespace funcpipe {

// What determines an untrained model: its file, its output and the seed of its weights.
struct ModelSource {
  std::string file;    // "zoo:NAME" or a TorchScript file.
  std::string output;  // JobConfig::Model::output
  std::uint64_t seed = 1;
};

struct JobConfig {
  struct Job {
    std::string name;             // If empty, the job file's stem.
    std::string folder = "runs";  // Results are put into folder/name.
    std::uint64_t seed = 1;
  } job;
  struct Model {
    std::string source;  // "zoo:fashion-cnn" or a TorchScript file
    // The output to train on: a key of a dictionary, or a field or number of a tuple; empty means the first.
    std::string output;
    std::string loss = "cross-entropy";  // cross-entropy | mse | model (the output is the loss)
    std::string class_axis = "auto";     // For cross-entropy: auto | second | last (config/class_axis.h).
  } model;
  struct Data {
    std::string format = "npy";                       // npy | idx | tokens
    std::string train_input, train_target;            // Files; idx files may be .gz.
    std::string validation_input, validation_target;  // Empty means no validation.
    // For tokens: the input is a row of this many tokens, the target the row shifted by one token.
    std::int64_t sequence_length = 0;
    std::string token_dtype = "uint8";  // For tokens: uint8 | uint16 | int32.
    double validation_fraction = 0;     // For tokens: the share at the file's end that is kept for validation.
    bool shuffle = true;
    Bytes shuffle_window = 256 * kMiB;  // Rows are shuffled within blocks of this size together, kept in memory.
  } data;
  struct Optimizer {
    std::string name = "sgd";  // sgd | adam | adamw
    double lr = 0.01;
    double momentum = 0;  // sgd
    double weight_decay = 0;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // adam, adamw
  } optimizer;
  struct LrScheduler {
    std::string name = "constant";  // constant | cosine
    std::int64_t warmup_steps = 0;  // The learning rate rises linearly from 0 during these steps.
    double min_lr_factor = 0;       // The cosine ends at lr times this.
  } lr_scheduler;
  struct Training {
    std::int64_t steps = 0;  // Iterations; 0 means as many as `epochs` make.
    double epochs = 1;
    int global_batch = 64;
    int micro_batch = 16;
    int threads = 1;           // Threads of one operation in a worker; their number changes the bits of sums.
    Seconds wait_limit = 120;  // Longest wait for another worker's object.
    int download_connections = 4, upload_connections = 4;
    int restarts = 10;  // of each worker, after it was lost
  } training;
  struct Validation {
    double every_epochs = 1;  // 0 means only at the end.
    int micro_batch = 0;      // 0 means four times the training micro-batch.
  } validation;
  struct Metrics {
    int log_freq = 10;                  // Iterations between reports.
    std::int64_t trace_iterations = 0;  // Iterations that every worker traces for trace.json.
  } metrics;
  struct Parallelism {
    std::string plan;                    // A plan file; if empty, `stages` and `replicas` count.
    std::string profile;                 // A profile with which the job is planned; it excludes `stages`.
    std::string objective = "balanced";  // Objective of that planning (planner/objective.h).
    int stages = 2;
    int replicas = 1;
    std::string order = "gpipe";
    std::string sync = "pipelined";     // Name of an algorithm in schedule/sync/registry.cpp.
    std::string server = "c5.9xlarge";  // The machine of sync = "parameter-server".
  } parallelism;
  struct Checkpoint {
    std::int64_t interval = 0;  // iterations between a worker's snapshots; 0: as often as pays
    Seconds period = 180;       // at most so much time between them; 0, with interval 0: a lost worker ends the job
  } checkpoint;
  struct PlatformChoice {
    std::string name = "local";   // A name in the platforms folder (local, aws-lambda, ...), or a .toml file.
    double dilation = 1;          // Factor by which CPU, network and latency are slowed; times are divided by it.
    int memory_mb = 0;            // Memory of stages to which the plan gives none; 0 means the smallest that fits.
    double vcpus = 0;             // vCPUs of such stages; 0 means those that the platform gives with the memory.
    Seconds lifetime = 0;         // Lifetime of an invocation; 0 means the platform's.
    std::string s3_endpoint;      // Empty starts an embedded cloud of our own.
    std::string lambda_endpoint;  // Empty starts an embedded cloud of our own.
    std::string region = "us-east-1";
    std::string bucket = "funcpipe";
    std::string role;  // Execution role of the functions; the embedded cloud needs none.
  } platform;

  // The options that the user set ("training.steps"), and where: "job.toml:3:9" or "--training.steps". Not in job.json.
  std::map<std::string, std::string> given;
  // One sentence for each option of the job file that is ignored because of another one (config/precedence.h).
  std::vector<std::string> outranked;

  ModelSource model_source() const { return {model.source, model.output, job.seed}; }
};

}  // namespace funcpipe
