// A profile of two layers, one of which does not fit the small option at the larger micro-batch.
#pragma once

#include "profile/profile.h"

namespace funcpipe {

inline Profile example_profile() {
  Profile profile;
  profile.model.source = "zoo:example";
  profile.model.fingerprint = "0123456789abcdef";
  profile.model.micro_batch = 1;
  profile.model.inputs = {{"float32", {1, 3}, false}};
  profile.model.outputs = {{"float32", {1, 10}, true}};
  profile.model.parameters = {{"a.weight", {8, 3}, "float32", true},
                              {"a.scale", {8}, "float32", false},
                              {"b.weight", {10, 8}, "float32", true}};
  profile.model.layers = {{"a", {0, 1}, 16, 32, {{"float32", {1, 8}, true}}, {0}, false},
                          {"b", {0, 2}, 0, 40, {}, {}, true}};
  profile.platform = "aws-lambda";
  profile.machine = "a test";
  profile.date = "2026-11-23";
  profile.optimizer = "momentum";
  profile.vcpu_speed = 0.5;
  profile.parallel_efficiency = 0.8;
  profile.base_memory = 150 * kMiB;
  profile.options = {{1024, 0.5, 1, Origin::measured, 2, 4e-10, 2e-10, 1e-4},
                     {3538, 2, 1, Origin::measured, 1, 2e-10, 2e-10, 1e-4}};
  profile.micro_batches = {
      {1,
       {{32, 100, 32, 32}, {40, 200, 0, 0}},
       {{{true, 0.2, 0.4, 0.01, 0.02}, {true, 2, 4, 0.1, 0.2}}, {{true, 0.1, 0.2, 0.005, 0.01}, {true, 1, 2, 0, 0}}}},
      {4,
       {{128, 400, 128, 128}, {160, 500, 0, 0}},
       {{{true, 0.5, 1, 0.01, 0.02}, {false}}, {{true, 0.25, 0.5, 0.005, 0.01}, {true, 2.5, 5, 0, 0}}}}};
  return profile;
}

}  // namespace funcpipe
