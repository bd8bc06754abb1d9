// Whole jobs over the real S3 client and the embedded S3, with a network between them that loses, tears, damages and
// doubles what it carries. The weights must be those of an undisturbed run.
#include <gtest/gtest.h>

#include <tuple>

#include "emulator/s3_harness.h"
#include "in_process_job.h"
#include "store/faulty_wire.h"
#include "store/memory_store.h"

namespace funcpipe::testing {
namespace {

using Fault = FaultyWire::Fault;

struct Disturbed {
  Result<Outcome> outcome;
  std::int64_t repeated = 0;
  std::map<Fault, std::int64_t> faults;
};

Disturbed train_over(const WireFaults& faults, const Training& training, const Cutting& cutting) {
  const ScratchFolder folder;
  S3Harness s3(folder.path());
  s3.store();  // makes the bucket
  const FaultyWire wire(s3.url(), faults);
  S3Options options{.endpoint = Endpoint{wire.url()}, .bucket = "bucket", .credentials = s3.client()};
  const auto store = S3Store::open(options).value();
  Disturbed disturbed{.outcome = train(training, cutting, *store)};
  disturbed.repeated = store->counts().retries;
  for (const Fault fault :
       {Fault::refused, Fault::lost_answer, Fault::torn_body, Fault::damaged, Fault::doubled, Fault::late})
    disturbed.faults[fault] = wire.count(fault);
  return disturbed;
}

class WireFaultsOf : public ::testing::TestWithParam<std::tuple<const char*, WireFaults, Fault>> {};

TEST_P(WireFaultsOf, LeaveTheWeightsAsTheyAre) {
  const auto& [name, faults, fault] = GetParam();
  const Training training{.model = batch_norm_model(), .steps = 6};
  for (const Cutting& cutting :
       {Cutting{{1, 2}, 2}, Cutting{{2}, 3, SyncAlgorithm::three_phase, PipelineOrder::one_forward_one_backward}}) {
    MemoryStore memory;
    const auto undisturbed = train(training, cutting, memory);
    ASSERT_TRUE(undisturbed) << describe(undisturbed.error());
    const Disturbed disturbed = train_over(faults, training, cutting);
    ASSERT_TRUE(disturbed.outcome) << describe(disturbed.outcome.error());
    EXPECT_GT(disturbed.faults.at(fault), 5) << "so few faults prove nothing";
    EXPECT_EQ(first_difference(disturbed.outcome->tensors, undisturbed->tensors), "");
    ASSERT_EQ(disturbed.outcome->reports.size(), undisturbed->reports.size());
    for (std::size_t i = 0; i < undisturbed->reports.size(); ++i)
      EXPECT_EQ(disturbed.outcome->reports[i].loss, undisturbed->reports[i].loss) << "iteration " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, WireFaultsOf,
    ::testing::Values(std::tuple{"Refused", WireFaults{.seed = 1, .refused = 0.1}, Fault::refused},
                      std::tuple{"LostAnswer", WireFaults{.seed = 2, .lost_answer = 0.1}, Fault::lost_answer},
                      std::tuple{"LostAnswerToPut", WireFaults{.seed = 3, .lost_answer = 0.2, .only = "PUT "},
                                 Fault::lost_answer},
                      std::tuple{"TornBody", WireFaults{.seed = 4, .torn_body = 0.2}, Fault::torn_body},
                      std::tuple{"Damaged", WireFaults{.seed = 5, .damaged = 0.1}, Fault::damaged},
                      std::tuple{"DoubledPut", WireFaults{.seed = 6, .doubled = 0.3, .only = "PUT "}, Fault::doubled},
                      std::tuple{"Late", WireFaults{.seed = 7, .late = 0.3}, Fault::late},
                      std::tuple{"All",
                                 WireFaults{.seed = 8,
                                            .refused = 0.03,
                                            .lost_answer = 0.03,
                                            .torn_body = 0.05,
                                            .damaged = 0.03,
                                            .doubled = 0.05,
                                            .late = 0.1},
                                 Fault::lost_answer}),
    [](const auto& instance) { return std::get<0>(instance.param); });

}  // namespace
}  // namespace funcpipe::testing
