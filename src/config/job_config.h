// What a user may say in JOB.toml or on the command line. One table (config/options.h) describes every field once: its
// TOML key, flag, type, default, range, unit and meaning; the parser, --help and docs/job-file.md come from that table.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/units.h"
#include "plan/plan.h"

namespace funcpipe {

// Which function of its inputs a model is, before it is trained.
struct ModelSource {
  std::string file;    // "zoo:NAME" or a TorchScript file
  std::string output;  // JobConfig::Model::output
  std::uint64_t seed = 1;
};

struct JobConfig {
  struct Job {
    std::string name;             // default: the job file's stem
    std::string folder = "runs";  // results go to folder/name
    std::uint64_t seed = 1;
  } job;
  struct Model {
    std::string source;  // "zoo:fashion-cnn" or a TorchScript file
    std::string
        output;  // the one that is trained on: a key of a dictionary, a field or number of a tuple; empty: first
    std::string loss = "cross-entropy";  // cross-entropy | mse | model (the output is the loss)
    std::string class_axis = "auto";     // of cross-entropy: auto | second | last (config/class_axis.h)
  } model;
  struct Data {
    std::string format = "npy";                       // npy | idx | tokens
    std::string train_input, train_target;            // files; idx may be .gz
    std::string validation_input, validation_target;  // empty: no validation
    std::int64_t sequence_length = 0;   // tokens: a row is so many; input is the row, target the row shifted by one
    std::string token_dtype = "uint8";  // tokens: uint8 | uint16 | int32
    double validation_fraction = 0;     // tokens: the file's tail kept for validation
    bool shuffle = true;
    Bytes shuffle_window =
        256 * kMiB;  // rows are shuffled across so many bytes of blocks, held in memory by the worker
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
    std::int64_t warmup_steps = 0;  // linear from 0
    double min_lr_factor = 0;       // cosine ends at lr times this
  } lr_scheduler;
  struct Training {
    std::int64_t steps = 0;  // iterations; 0: by epochs
    double epochs = 1;
    int global_batch = 64;
    int micro_batch = 16;
    int threads = 1;           // intra-operation threads of a worker; changes the bits of sums
    Seconds wait_limit = 120;  // longest wait for another worker's object
    int download_connections = 4, upload_connections = 4;
    int restarts = 10;  // of each worker, after it was lost
  } training;
  struct Validation {
    double every_epochs = 1;  // 0: only at the end
    int micro_batch = 0;      // 0: four times the training micro-batch
  } validation;
  struct Metrics {
    int log_freq = 10;                  // iterations between reports
    std::int64_t trace_iterations = 0;  // of every worker, in trace.json
  } metrics;
  struct Parallelism {
    std::string plan;                    // a plan file; else stages and replicas
    std::string profile;                 // plans, where neither a plan file nor stages or replicas are given
    std::string objective = "balanced";  // of that plan (planner/objective.h)
    int stages = 2;
    int replicas = 1;
    std::string order = "gpipe";
    std::string sync = "pipelined";     // one of schedule/sync/registry.cpp
    std::string server = "c5.9xlarge";  // that of parameter-server
  } parallelism;
  struct Checkpoint {
    std::int64_t interval = 0;  // iterations between a worker's snapshots; 0: as often as pays
    Seconds period = 180;       // at most so much time between them; 0, with interval 0: a lost worker ends the job
  } checkpoint;
  struct PlatformChoice {
    std::string name = "local";   // local | aws-lambda | alibaba-fc | a .toml file
    double dilation = 1;          // slows CPU, network and latency together; seconds are divided back
    int memory_mb = 0;            // of every stage, without a plan file; 0: the smallest that fits
    double vcpus = 0;             // likewise; 0: what the platform gives with the memory
    Seconds lifetime = 0;         // of an invocation; 0: the platform's
    std::string s3_endpoint;      // empty: an embedded cloud of our own is started
    std::string lambda_endpoint;  // likewise
    std::string region = "us-east-1";
    std::string bucket = "funcpipe";
    std::string role;  // execution role of the functions; the embedded cloud needs none
  } platform;

  // The options the user set ("training.steps") and where: "job.toml:3:9" or "--training.steps". Not in job.json.
  std::map<std::string, std::string> given;
  // What of the job file does not count because of the command line (config/precedence.h), a sentence each.
  std::vector<std::string> outranked;

  ModelSource model_source() const { return {model.source, model.output, job.seed}; }
};

}  // namespace funcpipe
