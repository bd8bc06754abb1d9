#include "plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "golden_file.h"
#include "schedule/memory.h"
#include "schedule/model.h"
#include "schedule/plan_file.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using testing::chain;
using testing::cloud;
using ::testing::HasSubstr;

constexpr const char* kGolden = "schedule/data/plan-v1.json";

json golden() {
  return json::parse(golden_text(kGolden));
}

TEST(PlanFile, IsWrittenAsTheGoldenFile) {
  Plan plan;
  plan.model = "zoo:fashion-cnn";
  plan.fingerprint = "5d41402a";
  plan.stages = {{.first_layer = 0, .end_layer = 3, .memory_mb = 1024}, {.first_layer = 3, .end_layer = 7}};
  plan.stages[0].vcpus = 0.5;
  plan.stages[0].threads = 2;
  plan.stages[0].peak_bytes = 123456789;
  plan.replicas = 2;
  plan.global_batch = 64;
  plan.micro_batch = 16;
  plan.order = PipelineOrder::one_forward_one_backward;
  plan.sync = SyncAlgorithm::three_phase;
  expect_golden(to_json(plan).dump(2) + "\n", kGolden);
}

TEST(PlanFile, ReadsTheGoldenFile) {
  const auto plan = plan_from_json(golden(), "plan-v1.json");
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->model, "zoo:fashion-cnn");
  EXPECT_EQ(plan->fingerprint, "5d41402a");
  ASSERT_EQ(plan->stages.size(), 2u);
  EXPECT_EQ(plan->stages[0].memory_mb, 1024);
  EXPECT_EQ(plan->stages[1].first_layer, 3);
  EXPECT_EQ(plan->stages[1].end_layer, 7);
  EXPECT_EQ(plan->stages[1].memory_mb, 0);
  EXPECT_EQ(plan->replicas, 2);
  EXPECT_EQ(plan->stages[0].first_layer, 0);
  EXPECT_EQ(plan->stages[0].end_layer, 3);
  EXPECT_EQ(plan->stages[0].vcpus, 0.5);
  EXPECT_EQ(plan->stages[0].threads, 2);
  EXPECT_EQ(plan->stages[0].peak_bytes, 123456789);
  EXPECT_EQ(plan->global_batch, 64);
  EXPECT_EQ(plan->micro_batch, 16);
  EXPECT_EQ(plan->order, PipelineOrder::one_forward_one_backward);
  EXPECT_EQ(plan->sync, SyncAlgorithm::three_phase);
  EXPECT_EQ(plan->server, "");
}

TEST(PlanFile, OfAParameterServerIsWrittenAsTheGoldenFile) {
  Plan plan;
  plan.model = "zoo:fashion-cnn";
  plan.stages = {{.first_layer = 0, .end_layer = 7}};
  plan.replicas = 4;
  plan.global_batch = 64;
  plan.micro_batch = 16;
  plan.sync = SyncAlgorithm::parameter_server;
  plan.server = "c5.9xlarge";
  constexpr const char* kServer = "schedule/data/plan-with-server-v1.json";
  expect_golden(to_json(plan).dump(2) + "\n", kServer);
  const auto read = plan_from_json(json::parse(golden_text(kServer)), kServer);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->sync, SyncAlgorithm::parameter_server);
  EXPECT_EQ(read->server, "c5.9xlarge");
}

TEST(PlanFile, LeavesOutWhatHasADefault) {
  const auto plan = plan_from_json(json::parse(R"({"version": 1, "model": "m", "global_batch": 8, "micro_batch": 2,
                                                   "stages": [{"first_layer": 0, "end_layer": 1}]})"),
                                   "p");
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->replicas, 1);
  EXPECT_EQ(plan->sync, SyncAlgorithm::pipelined);
  EXPECT_EQ(plan->order, PipelineOrder::gpipe);
}

std::string refusal(const json& value) {
  const auto plan = plan_from_json(value, "my.json");
  if (plan) return "accepted";
  EXPECT_EQ(plan.error().code, ErrorCode::invalid_input);
  return describe(plan.error());
}

TEST(PlanFile, RefusesWhatItDoesNotKnow) {
  json value = golden();
  value["replica"] = 2;
  EXPECT_THAT(refusal(value), AllOf(HasSubstr("my.json"), HasSubstr("\"replica\""), HasSubstr("\"replicas\"")));
  value = golden();
  value["stages"][1]["memory"] = 2;
  EXPECT_THAT(refusal(value), AllOf(HasSubstr("stage 1"), HasSubstr("nearest known key is \"memory_mb\"")));
  value = golden();
  value["sync"] = "ring";
  EXPECT_THAT(refusal(value), AllOf(HasSubstr("\"ring\""), HasSubstr("three-phase")));
  value = golden();
  value["order"] = "zigzag";
  EXPECT_THAT(refusal(value), HasSubstr("gpipe"));
  value = golden();
  value["version"] = 2;
  EXPECT_THAT(refusal(value), AllOf(HasSubstr("version 2"), HasSubstr("version 1"), HasSubstr("write the plan again")));
}

TEST(PlanFile, RefusesWrongTypesAndRanges) {
  for (const char* key : {"version", "model", "stages", "global_batch", "micro_batch"}) {
    json value = golden();
    value.erase(key);
    EXPECT_THAT(refusal(value), HasSubstr(key)) << key;
  }
  for (const json& wrong : {json("2"), json(0), json(-1), json(1.5), json(4294967296), json(18446744073709551615u),
                            json(nullptr), json::array()}) {
    for (const char* key : {"replicas", "global_batch", "micro_batch"}) {
      json value = golden();
      value[key] = wrong;
      EXPECT_THAT(refusal(value), HasSubstr(key)) << wrong;
    }
  }
  json value = golden();
  value["stages"] = json::array();
  EXPECT_THAT(refusal(value), HasSubstr("at least one stage"));
  value["stages"] = {1};
  EXPECT_THAT(refusal(value), HasSubstr("expected an object"));
  value = golden();
  value["model"] = 3;
  EXPECT_THAT(refusal(value), HasSubstr("must be a text"));
  EXPECT_THAT(refusal(json::array()), HasSubstr("expected an object"));
}

TEST(Plan, SharesMicroBatchesUnevenlyWithoutGaps) {
  for (const int replicas : {1, 2, 3, 5, 8}) {
    for (const int global_batch : {8, 9, 31, 64, 100}) {
      const Plan plan{.stages = {{}}, .replicas = replicas, .global_batch = global_batch, .micro_batch = 1};
      for (const int micro_batch : {1, 3, 4}) {
        Plan sized = plan;
        sized.micro_batch = micro_batch;
        int index = 0, sample = 0;
        for (int r = 0; r < replicas; ++r) {
          const auto batches = sized.micro_batches_of(r);
          if (sized.micro_batch_count() >= replicas) {
            EXPECT_FALSE(batches.empty());
          }
          for (const MicroBatch& batch : batches) {
            EXPECT_EQ(batch.index, index++);
            EXPECT_EQ(batch.first_sample, sample);
            EXPECT_GE(batch.samples, 1);
            EXPECT_LE(batch.samples, micro_batch);
            sample += batch.samples;
          }
        }
        EXPECT_EQ(index, sized.micro_batch_count());
        EXPECT_EQ(sample, global_batch);
      }
    }
  }
}

double largest_stage(const Plan& plan, const std::vector<double>& costs) {
  double largest = 0;
  for (const StagePlan& stage : plan.stages) {
    double sum = 0;
    for (int i = stage.first_layer; i < stage.end_layer; ++i) sum += costs[i];
    largest = std::max(largest, sum);
  }
  return largest;
}

// The least possible largest cost of layers [first, end) in `stages`, by trying every partition.
double least(const std::vector<double>& costs, int first, int stages) {
  const int layers = static_cast<int>(costs.size());
  if (stages == 1) {
    double sum = 0;
    for (int i = first; i < layers; ++i) sum += costs[i];
    return sum;
  }
  double best = 1e300, sum = 0;
  for (int end = first + 1; end <= layers - stages + 1; ++end) {
    sum += costs[end - 1];
    best = std::min(best, std::max(sum, least(costs, end, stages - 1)));
  }
  return best;
}

TEST(EvenPlan, MakesTheLargestStageAsSmallAsAnyPartition) {
  const ModelDescription model = chain(std::vector<std::int64_t>(9, 1));
  std::uint64_t state = 1;
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> costs;
    for (int i = 0; i < 9; ++i) costs.push_back(static_cast<double>((state = state * 6364136223846793005u + 1) >> 58));
    for (int stages = 1; stages <= 9; ++stages) {
      const auto plan = even_plan(model, stages, 1, 8, 1, costs);
      ASSERT_TRUE(plan);
      EXPECT_EQ(largest_stage(*plan, costs), least(costs, 0, stages));
      EXPECT_TRUE(validate(*plan, model, cloud(), {0}));
    }
  }
}

TEST(EvenPlan, BalancesBytesIfToldNothingElse) {
  const auto plan = even_plan(chain({1, 1, 1, 3}), 2, 1, 8, 1);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->stages[1].first_layer, 3);
  EXPECT_EQ(plan->model, "chain");
  EXPECT_EQ(plan->fingerprint, "f1");
}

TEST(EvenPlan, RefusesMoreStagesThanLayers) {
  const auto plan = even_plan(chain({1, 1}), 3, 1, 8, 1);
  ASSERT_FALSE(plan);
  EXPECT_THAT(describe(plan.error()), AllOf(HasSubstr("3 stages"), HasSubstr("at most 2")));
  EXPECT_FALSE(even_plan(chain({1, 1}), 0, 1, 8, 1));
  EXPECT_FALSE(even_plan(chain({1, 1}), 1, 1, 8, 0));
  EXPECT_FALSE(even_plan(chain({1, 1}), 1, 1, 8, 1, {1.0}));
  EXPECT_FALSE(even_plan(chain({1, 1}), 1, 1, 8, 1, {1.0, -1.0}));
}

struct Case {
  const char* what;
  std::function<void(Plan&)> change;
  std::vector<std::string> said;
};

TEST(Validate, SaysTheReasonAndTheWayOut) {
  const ModelDescription model = chain({100, 100, 100, 100});
  const Plan sound = *even_plan(model, 2, 2, 8, 2);
  ASSERT_TRUE(validate(sound, model, cloud(), {1}));
  const std::vector<Case> cases{
      {"fingerprint", [](Plan& p) { p.fingerprint = "other"; }, {"another model", "plan this model anew"}},
      {"gap",
       [](Plan& p) { p.stages[1].first_layer = 3; },
       {"stage 1 starts at layer 3", "set first_layer of stage 1 to 2"}},
      {"late start", [](Plan& p) { p.stages[0].first_layer = 1; }, {"the first layer is 0"}},
      {"empty stage", [](Plan& p) { p.stages[1].end_layer = 2; }, {"stage 1 is empty", "remove it"}},
      {"short",
       [](Plan& p) { p.stages[1].end_layer = 3; },
       {"chain has 4 layers", "set end_layer of the last stage to 4"}},
      {"long", [](Plan& p) { p.stages[1].end_layer = 5; }, {"ends at layer 5", "to 4"}},
      {"no stages", [](Plan& p) { p.stages.clear(); }, {"no stage"}},
      {"idle replicas",
       [](Plan& p) { p.replicas = 5; },
       {"4 micro-batches", "5 replicas", "replicas to at most 4", "micro_batch to at most 1"}},
      {"zero batch", [](Plan& p) { p.micro_batch = 0; }, {"at least 1"}},
      {"too many functions",
       [](Plan& p) {
         p.replicas = 600;
         p.global_batch = 1200;
       },
       {"1200 functions", "at most 1000", "replicas to at most 500"}},
      {"unknown memory",
       [](Plan& p) { p.stages[0].memory_mb = 9999; },
       {"9999 MB", "at most 4096 MB", "512, 1024, 2048, 4096"}},
      {"too little memory",
       [](Plan& p) { p.stages[1].memory_mb = 512; },
       {"stage 1 needs at least", "has 512 MB", "choose memory_mb >= 2048"}}};
  for (const Case& c : cases) {
    Plan plan = sound;
    c.change(plan);
    const auto valid = validate(plan, model, cloud(), {1});
    ASSERT_FALSE(valid) << c.what;
    EXPECT_EQ(valid.error().code, ErrorCode::invalid_input);
    for (const std::string& said : c.said) EXPECT_THAT(describe(valid.error()), HasSubstr(said)) << c.what;
  }
}

TEST(Validate, AnUnlimitedPlatformHasRoom) {
  const ModelDescription model = chain({100, 100, 100, 100});
  Plan plan = *even_plan(model, 1, 1, 8, 2);
  plan.stages[0].memory_mb = 512;
  Platform platform = cloud();
  EXPECT_FALSE(validate(plan, model, platform, {1}));
  platform.limit_memory = false;
  EXPECT_TRUE(validate(plan, model, platform, {1}));
}

TEST(Validate, AHandWrittenPlanNeedsNoFingerprint) {
  const ModelDescription model = chain({1, 1});
  Plan plan = *even_plan(model, 1, 1, 8, 2);
  plan.fingerprint.clear();
  EXPECT_TRUE(validate(plan, model, cloud(), {1}));
}

TEST(EstimatedMemory, CountsWhatAWorkerHolds) {
  const ModelDescription model = chain({100, 100, 100, 100}, 400 * kMiB);
  const Plan two = *even_plan(model, 2, 1, 4, 1);
  const auto of = [&](const Plan& plan, int copies) { return estimated_memory(plan, model, 0, {copies}); };
  EXPECT_EQ(of(two, 1) - of(two, 0), 200 * kMiB) << "one more copy of the stage's parameters";
  Plan larger = two;
  larger.global_batch = 8;  // 8 micro-batches kept in place of 4, of 2 layers of 400 MiB
  EXPECT_GE(of(larger, 0) - of(two, 0), 4 * 800 * kMiB);
  EXPECT_EQ(estimated_memory(two, model, 0, {0, 7 * kMiB, 3 * kMiB}), of(two, 0)) << "no layer of it reads data";
  EXPECT_EQ(estimated_memory(two, model, 1, {0, 7 * kMiB, 3 * kMiB}), estimated_memory(two, model, 1, {}) + 3 * kMiB)
      << "the last stage reads targets";
}

TEST(EstimatedMemory, GrowsWithWhatOtherReplicasSumUpToWhatIsStaged) {
  const ModelDescription model = chain({360}, 1000 * kMiB);  // activations beside which the stage's file does not count
  const auto more = [&](int replicas) {
    const auto of = [&](int d) { return estimated_memory(*even_plan(model, 1, d, d, 1), model, 0, {}); };
    return static_cast<double>(of(replicas) - of(1)) / kMiB;
  };
  // Parts of the own shard, five at most, and four sums of others on their way; 64 MiB that the heap holds, and 12 MiB
  // of the threads that move tensors.
  EXPECT_NEAR(more(2), (1 + 1) * 180 + 76, 0.01);
  EXPECT_NEAR(more(3), (2 + 2) * 120 + 76, 0.01);
  EXPECT_NEAR(more(6), (5 + 4) * 60 + 76, 0.01);
  EXPECT_NEAR(more(36), (5 + 4) * 10 + 76, 0.01) << "no more, however many replicas send parts";
  const ModelDescription small = chain({10}, 1000 * kMiB);
  const auto of = [&](int d) { return estimated_memory(*even_plan(small, 1, d, d, 1), small, 0, {}); };
  EXPECT_NEAR(static_cast<double>(of(2) - of(1)) / kMiB, 4.8 * 5 + 12, 0.01) << "of small blocks the heap holds more";
}

// Peaks that the functions' REPORT lines said of real jobs (a first layer of 64 x W and six of W x W, SGD,
// micro-batches of 4 and of 2, pipelined). What a plan promises must hold them, or the job dies in the middle; and not
// much more, or it costs more than it has to.
TEST(EstimatedMemory, HoldsWhatWasMeasuredAndNotMuchMore) {
  struct Case {
    std::int64_t layer_mib;
    int stages, replicas;
    Bytes measured;
  };
  for (const Case& c :
       {Case{16, 1, 1, 612}, Case{16, 1, 2, 646}, Case{16, 1, 4, 814}, Case{16, 1, 8, 718}, Case{16, 2, 2, 511},
        Case{64, 1, 1, 1927}, Case{64, 1, 2, 1917}, Case{64, 1, 4, 1952}, Case{64, 2, 2, 1114}}) {
    SCOPED_TRACE(::testing::Message() << c.layer_mib << " MiB a layer, " << c.stages << "x" << c.replicas);
    const ModelDescription model = chain(std::vector<std::int64_t>(6, c.layer_mib));
    const Bytes estimated = estimated_memory(*even_plan(model, c.stages, c.replicas, 16, 2), model, 0, {}) / kMiB;
    EXPECT_GE(estimated, c.measured);
    EXPECT_LE(static_cast<double>(estimated), 1.3 * static_cast<double>(c.measured));
  }
}

TEST(EstimatedMemory, CountsASmallerLastMicroBatchAsWhatItIs) {
  constexpr Bytes kActivations = 1000 * kMiB;  // of a sample: the heap holds no more between them
  const ModelDescription model = chain({10, 10}, kActivations);
  const auto of = [&](int batch, int replicas) {
    return estimated_memory(*even_plan(model, 1, replicas, batch, 4), model, 0, {});
  };
  EXPECT_EQ(of(9, 1) - of(8, 1), 2 * kActivations) << "one sample of two layers";
  EXPECT_EQ(of(12, 1) - of(8, 1), 4 * 2 * kActivations);
  EXPECT_EQ(of(13, 2), of(16, 2)) << "another replica has two whole ones";
  EXPECT_EQ(of(9, 2) - of(8, 2), 2 * kActivations) << "the last replica has one more than the other";
}

TEST(EstimatedMemory, CountsTheSharesOfTiedParameters) {
  ModelDescription model = chain({100, 10, 10}, 1000 * kMiB);
  const Plan plan = *even_plan(model, 3, 1, 1, 1, {1, 1, 1});
  const Bytes before = estimated_memory(plan, model, 0, {});
  model.layers[1].parameters.push_back(0);
  model.layers[2].parameters.push_back(0);
  EXPECT_EQ(estimated_memory(plan, model, 0, {}) - before, 2 * 100 * kMiB) << "the shares of two other stages";
}

TEST(EstimatedMemory, IsWhatAProfileMeasuredIfThePlanSaysIt) {
  const ModelDescription model = chain({100, 100, 100, 100}, 10 * kMiB);
  Plan plan = *even_plan(model, 2, 1, 4, 1);
  plan.stages[1].peak_bytes = 700 * kMiB;
  EXPECT_EQ(estimated_memory(plan, model, 1, {}), 700 * kMiB);
  EXPECT_EQ(estimated_memory(plan, model, 1, {2, 0, 5 * kMiB}), (700 + 2 * 200 + 5) * kMiB)
      << "the optimiser's state and the data are the job's";
  const auto read = plan_from_json(to_json(plan), "p");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->stages[0].peak_bytes, 0);
  EXPECT_EQ(read->stages[1].peak_bytes, 700 * kMiB);
}

TEST(PlanFile, NamesItsParameterServer) {
  Plan plan = *even_plan(chain({1, 1}), 1, 3, 6, 1);
  plan.sync = SyncAlgorithm::parameter_server;
  plan.server = "c5.9xlarge";
  json value = to_json(plan);
  const auto read = plan_from_json(value, "p");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_TRUE(read->has_server());
  EXPECT_EQ(read->server, "c5.9xlarge");
  value.erase("server");
  EXPECT_THAT(refusal(value), HasSubstr("must name its \"server\""));
  value["server"] = 3;
  EXPECT_THAT(refusal(value), HasSubstr("must be a text"));
  value["server"] = "c5.9xlarge";
  value["sync"] = "pipelined";
  EXPECT_THAT(refusal(value), AllOf(HasSubstr("does not go with \"sync\": \"pipelined\""), HasSubstr("leave it out")));
}

TEST(Plan, TheParameterServerIsTheLastOfItsWorkers) {
  Plan plan = *even_plan(chain({1, 1}), 1, 3, 6, 1);
  EXPECT_EQ(std::ssize(plan.workers()), 3);
  plan.sync = SyncAlgorithm::parameter_server;
  plan.server = "c5.9xlarge";
  const std::vector<WorkerId> workers = plan.workers();
  ASSERT_EQ(std::ssize(workers), 4);
  EXPECT_EQ(workers.back(), kParameterServer);
  for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(plan.rank(workers[rank]), rank);
  EXPECT_EQ(plan.worker_count(), 3) << "functions";
  EXPECT_EQ(to_string(workers.back()), "the parameter server");
}

TEST(Validate, AParameterServerIsKnownAndServesOneStage) {
  const ModelDescription model = chain({1, 1});
  Plan plan = *even_plan(model, 1, 3, 6, 1);
  plan.sync = SyncAlgorithm::parameter_server;
  plan.server = "c5.9xlarge";
  EXPECT_TRUE(validate(plan, model, cloud(), {}));
  EXPECT_EQ(platform_for(plan, cloud())->store.upload, 1.25e9);
  plan.server = "abacus";
  const auto unknown = validate(plan, model, cloud(), {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(describe(unknown.error()), AllOf(HasSubstr("no server named \"abacus\""), HasSubstr("c5.9xlarge")));
  Plan cut = *even_plan(model, 2, 3, 6, 1);
  cut.sync = SyncAlgorithm::parameter_server;
  cut.server = "c5.9xlarge";
  EXPECT_THAT(describe(validate(cut, model, cloud(), {}).error()),
              AllOf(HasSubstr("not 2 stages"), HasSubstr("set stages to 1")));
}

TEST(Plan, CountsRunsOfEqualSizes) {
  Plan plan;
  plan.stages = {{0, 1, 2048}, {1, 2, 2048}, {2, 3, 1024}, {3, 4, 2048}};
  EXPECT_EQ(memory_text(plan), "2x2048 1024 2048");
  plan.stages[1].vcpus = 0.5;
  plan.stages[3].vcpus = 2;
  EXPECT_EQ(memory_text(plan), "2048 2048:0.5 1024 2048:2");
}

TEST(PlanFile, HasVcpusWhereTheyAreChosen) {
  Plan plan = *even_plan(chain({1, 1}), 2, 1, 4, 1);
  plan.stages[1].vcpus = 0.5;
  json value = to_json(plan);
  EXPECT_FALSE(value["stages"][0].contains("vcpus"));
  EXPECT_EQ(value["stages"][1]["vcpus"], 0.5);
  EXPECT_EQ(plan_from_json(value, "p")->stages[1].vcpus, 0.5);
  for (const json& wrong : {json("one"), json(-1), json(1e9), json(nullptr)}) {
    value["stages"][1]["vcpus"] = wrong;
    EXPECT_THAT(refusal(value), HasSubstr("vcpus")) << wrong;
  }
}

TEST(Validate, ASizeHasTheVcpusThatThePlatformOffers) {
  const ModelDescription model = chain({1, 1});
  Platform platform = cloud();
  platform.sizes = {{1024, 0.5}, {1024, 1}, {2048, 0.5}, {2048, 1}, {2048, 2}};
  Plan plan = *even_plan(model, 2, 1, 4, 1);
  for (const double offered : {0.0, 0.5, 2.0}) {
    plan.stages[1].memory_mb = 2048;
    plan.stages[1].vcpus = offered;
    EXPECT_TRUE(validate(plan, model, platform, {})) << offered;
  }
  plan.stages[1].vcpus = 4;
  EXPECT_THAT(describe(validate(plan, model, platform, {}).error()),
              AllOf(HasSubstr("stage 1 asks for 4 vCPUs with 2048 MB, which cloud does not offer"),
                    HasSubstr("among 0.5, 1, 2")));
}

}  // namespace
}  // namespace funcpipe
