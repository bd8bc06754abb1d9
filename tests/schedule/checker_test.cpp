#include "schedule/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <stop_token>

#include "base/clock.h"
#include "schedule/naive_checker.h"
#include "schedule/verdicts.h"

namespace funcpipe {
namespace {

using testing::expect_refusal;
using testing::find;
using ::testing::HasSubstr;
using testing::kAll;
using testing::lane;
using testing::parameter_server_programs;
using testing::plan_of;
using testing::programs_of;
using testing::shapes_of;
using testing::tie;
using testing::verdict;

TEST(Checker, AcceptsTrainingProgramsOfEveryShape) {
  for (const SyncAlgorithm sync : kAll) {
    for (const int stages : {1, 2, 3, 5}) {
      for (const int replicas : {1, 2, 3, 4, 5, 6, 8, 12}) {
        for (const std::int64_t elements : {0, 1, 7, 1000}) {
          for (const PipelineOrder order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
            Plan plan = plan_of(stages, replicas, 2 * replicas + 3, sync);
            plan.order = order;
            EXPECT_EQ(verdict(programs_of(plan, shapes_of(stages, elements))), "sound")
                << to_string(order) << " " << to_string(sync) << " " << stages << " x " << replicas << ", " << elements
                << " elements";
          }
        }
      }
    }
  }
}

TEST(Checker, AcceptsAParameterServerOfEveryShape) {
  for (const int replicas : {1, 2, 3, 5, 8, 16}) {
    for (const std::int64_t elements : {0, 1, 7, 8, 1000}) {
      for (const PipelineOrder order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
        EXPECT_EQ(verdict(parameter_server_programs(replicas, elements, order)), "sound")
            << to_string(order) << ", " << replicas << " replicas, " << elements << " elements";
      }
    }
  }
}

TEST(Checker, AcceptsTiedParameters) {
  for (const SyncAlgorithm sync : kAll) {
    for (const int replicas : {1, 3}) {
      auto shapes = shapes_of(5, 100);
      tie(shapes, 0, {0, 4}, {0, 30});
      tie(shapes, 3, {0, 1, 2, 4}, {30, 31});
      EXPECT_EQ(verdict(programs_of(plan_of(5, replicas, 4, sync), shapes)), "sound");
    }
  }
}

TEST(Checker, AcceptsSharedState) {
  for (const SyncAlgorithm sync : kAll) {
    for (const int elements : {0, 1, 100}) {
      for (const int replicas : {1, 2, 5}) {
        for (const int stages : {1, 3}) {
          auto shapes = shapes_of(stages, elements);
          for (StageShape& shape : shapes) shape.shares_state = true;
          for (const auto order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
            Plan plan = plan_of(stages, replicas, 2 * replicas, sync);
            plan.order = order;
            EXPECT_EQ(verdict(programs_of(plan, shapes)), "sound") << elements << " elements, " << replicas;
          }
        }
      }
    }
  }
}

TEST(Checker, AcceptsEvaluationProgramsIncludingEmptyShares) {
  for (const int stages : {1, 3}) {
    for (const int replicas : {1, 3}) {
      for (const int micro_batches : {1, 2, 40, 200}) {
        auto shapes = shapes_of(stages, 10);
        for (StageShape& shape : shapes) shape.has_buffers = true;
        EXPECT_EQ(verdict(programs_of(plan_of(stages, replicas, micro_batches), shapes, evaluation_program)), "sound")
            << stages << " x " << replicas << ", " << micro_batches;
      }
    }
  }
}

// What the proof looks at, per operation and dependency: steps are counted, for time is another one's on a busy
// machine.
double steps_per_part(const std::vector<Program>& programs) {
  ProgramChecker checker;
  std::size_t parts = 0;
  for (const Program& program : programs) {
    EXPECT_TRUE(checker.add(program));
    for (const Op& op : program.ops) parts += 1 + op.after.size();
  }
  const Result<> finished = checker.finish();
  EXPECT_TRUE(finished) << describe(finished.error());
  return static_cast<double>(checker.steps()) / static_cast<double>(parts);
}

TEST(Checker, TakesTimeInProportionToThePrograms) {
  const auto expect_linear = [](const std::string& what, const std::function<std::vector<Program>(int)>& of_size) {
    const double small = steps_per_part(of_size(1)), large = steps_per_part(of_size(8));
    EXPECT_LT(large, 1.25 * small) << what;
    EXPECT_LT(large, 25) << what;
  };
  for (const SyncAlgorithm sync : kAll)
    for (const PipelineOrder order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
      expect_linear("more replicas", [&](int times) {
        Plan plan = plan_of(3, 8 * times, 32 * times, sync);
        plan.order = order;
        return programs_of(plan, shapes_of(3, 100'000));
      });
      expect_linear("more micro-batches", [&](int times) {
        Plan plan = plan_of(3, 2, 1000 * times, sync);
        plan.order = order;
        auto shapes = shapes_of(3, 100'000);
        tie(shapes, 0, {0, 1, 2}, {0, 30});
        return programs_of(plan, shapes);
      });
    }
  expect_linear("state shared over two levels", [](int times) {
    auto shapes = shapes_of(2, 100'000);
    for (StageShape& shape : shapes) shape.shares_state = true;
    return programs_of(plan_of(2, 16 * times, 32 * times, SyncAlgorithm("two-level")), shapes);
  });
  expect_linear("a parameter server", [](int times) {
    return parameter_server_programs(16 * times, 100'000, PipelineOrder::one_forward_one_backward);
  });
  expect_linear("a larger validation set", [](int times) {
    auto shapes = shapes_of(2, 10);
    for (StageShape& shape : shapes) shape.has_buffers = true;
    return programs_of(plan_of(2, 2, 2000 * times), shapes, evaluation_program);
  });
}

TEST(Checker, ProvesAHundredThousandOperationsInASecond) {
  const auto programs = programs_of(plan_of(2, 128, 512), shapes_of(2, 1'000'000));
  std::size_t operations = 0;
  for (const Program& program : programs) operations += program.ops.size();
  ASSERT_GT(operations, 100'000u);
  const Seconds before = thread_cpu_time();  // of this thread alone, whatever else the machine does
  EXPECT_EQ(verdict(programs), "sound");
  EXPECT_LT(thread_cpu_time() - before, 1.0 * static_cast<double>(operations) / 100'000);
}

TEST(Checker, HearsAStop) {
  std::stop_source stop;
  stop.request_stop();
  ProgramChecker checker;
  for (const Program& program : programs_of(plan_of(2, 2, 4), shapes_of(2, 10))) ASSERT_TRUE(checker.add(program));
  const auto stopped = checker.finish(stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

// Sound programs that lose a dependency, or gain one, or of which two operations change their places on a lane: it is
// found out exactly where walking the whole graph finds it out.
TEST(Checker, JudgesDamageAsTheWholeGraphDoes) {
  std::mt19937 random(7);
  int sound = 0, damaged = 0;
  for (int round = 0; round < 300; ++round) {
    const int stages = 1 + static_cast<int>(random() % 3), replicas = 1 + static_cast<int>(random() % 4);
    Plan plan = plan_of(stages, replicas, replicas + static_cast<int>(random() % 4), kAll[random() % kAll.size()]);
    if (random() % 2) plan.order = PipelineOrder::one_forward_one_backward;
    auto shapes = shapes_of(stages, static_cast<std::int64_t>(random() % 40));
    if (stages > 1 && shapes[0].gradient_elements > 10) tie(shapes, 0, {0, stages - 1}, {2, 5});
    for (StageShape& shape : shapes) {
      shape.has_buffers = random() % 2;
      shape.shares_state = random() % 3 == 0;
    }
    const bool serves = stages == 1 && random() % 4 == 0;
    if (serves) {
      plan.sync = SyncAlgorithm::parameter_server;
      plan.server = "c5.9xlarge";
    }
    auto programs =
        !serves && random() % 4 == 0 ? programs_of(plan, shapes, evaluation_program) : programs_of(plan, shapes);
    for (int change = 0; change < 1 + round % 2; ++change) {
      Program& program = programs[random() % programs.size()];
      if (program.ops.empty()) continue;
      Op& op = program.ops[random() % program.ops.size()];
      const auto any = [&] { return static_cast<int>(random() % program.ops.size()); };
      std::vector<int>& order = program.lanes[random() % kLanes];
      switch (random() % 4) {
        case 0:
        case 1:
          if (!op.after.empty()) op.after.erase(op.after.begin() + static_cast<long>(random() % op.after.size()));
          break;
        case 2:
          op.after.push_back({any(), static_cast<int>(random() % 2)});
          break;
        default:
          if (order.size() > 1) std::swap(order[random() % order.size()], order[random() % order.size()]);
      }
    }
    const bool expected = testing::NaiveChecker(programs).sound();
    EXPECT_EQ(verdict(programs) == "sound", expected) << "round " << round << ": " << verdict(programs);
    ++(expected ? sound : damaged);
  }
  EXPECT_GT(sound, 50);
  EXPECT_GT(damaged, 50);
}

TEST(Checker, RefusesACycleOfDependencies) {
  expect_refusal("circle", [](auto& programs) {
    Program& program = programs[0];
    program.ops[find(program, OpKind::forward)].after.push_back({find(program, OpKind::backward), 0});
  });
}

TEST(Checker, RefusesACycleAcrossWorkers) {
  expect_refusal("circle", [](auto& programs) {  // the first stage wants the gradient before it sends the activation
    Program& program = programs[0];
    program.ops[find(program, OpKind::send_activation, 1)].after.push_back(
        {find(program, OpKind::receive_gradient), 0});
    std::erase_if(program.ops[find(program, OpKind::receive_gradient)].after, [](auto) { return true; });
    Program& peer = programs[3];
    peer.ops[find(peer, OpKind::send_gradient)].after.push_back({find(peer, OpKind::receive_activation, 1), 0});
  });
}

TEST(Checker, RefusesLanesThatBlockEachOther) {
  expect_refusal("circle", [](auto& programs) {  // stage 1 asks for the gradient before the activation it answers
    auto& download = lane(programs[3], OpKind::fetch);
    const int gradient = find(programs[3], OpKind::receive_gradient);
    std::erase(download, gradient);
    download.insert(download.begin(), gradient);
  });
  expect_refusal("circle", [](auto& programs) {  // reduces before backwards on the compute lane
    auto& compute = lane(programs[4], OpKind::reduce);
    const int reduce = find(programs[4], OpKind::reduce);
    std::erase(compute, reduce);
    compute.insert(compute.begin(), reduce);
  });
}

TEST(Checker, RefusesAnOperationThatIsNotOnItsLaneOnce) {
  expect_refusal("0 times", [](auto& programs) { lane(programs[1], OpKind::forward).pop_back(); });
  expect_refusal("2 times", [](auto& programs) {
    auto& upload = lane(programs[1], OpKind::publish);
    upload.push_back(upload.front());
  });
  expect_refusal("is on the compute lane", [](auto& programs) {
    auto& upload = lane(programs[1], OpKind::publish);
    programs[1].lanes[static_cast<int>(Lane::compute)].push_back(upload.back());
    upload.pop_back();
  });
  expect_refusal("lists operation 9999", [](auto& programs) { lane(programs[1], OpKind::fetch).push_back(9999); });
  expect_refusal("depends on operation -1", [](auto& programs) { programs[2].ops[3].after.push_back({-1, 0}); });
}

TEST(Checker, RefusesAnObjectWithoutProducer) {
  expect_refusal("which nobody publishes", [](auto& programs) {
    Program& program = programs[2];
    program.ops[find(program, OpKind::receive_gradient)].object.index = 77;
  });
  expect_refusal("which nobody publishes", [](auto& programs) { programs.pop_back(); });
}

TEST(Checker, RefusesTwoProducers) {
  expect_refusal("and so does operation", [](auto& programs) {
    Program& program = programs[2];
    program.ops[find(program, OpKind::send_activation, 1)].object =
        program.ops[find(program, OpKind::send_activation, 0)].object;
  });
  expect_refusal("another worker's object", [](auto& programs) {
    Program& program = programs[2];
    program.ops[find(program, OpKind::send_activation)].object.replica = 0;
  });
  expect_refusal("two programs", [](auto& programs) { programs.push_back(programs.back()); });
}

TEST(Checker, RefusesAReleaseThatIsTooEarly) {
  expect_refusal("perhaps before", [](auto& programs) {
    Program& program = programs[3];
    program.ops[find(program, OpKind::release)].release_age = 0;
  });
  expect_refusal("perhaps before", [](auto& programs) {  // at the start of the next iteration: peers may still read
    Program& program = programs[0];
    program.ops[find(program, OpKind::release)].after = {{find(program, OpKind::forward), 0}};
  });
  expect_refusal("perhaps before", [](auto& programs) {
    Program& program = programs[0];
    program.ops[find(program, OpKind::release)].after.clear();
  });
}

TEST(Checker, RefusesAnObjectThatIsNeverReleasedOrTwice) {
  expect_refusal("nobody releases", [](auto& programs) {
    Program& program = programs[5];
    program.ops[find(program, OpKind::release)].released.pop_back();
  });
  expect_refusal("a second time", [](auto& programs) {
    Program& program = programs[5];
    auto& released = program.ops[find(program, OpKind::release)].released;
    released.push_back(released.front());
  });
  expect_refusal("releases activation/s9-r9/m9, which nobody publishes", [](auto& programs) {
    Program& program = programs[5];
    program.ops[find(program, OpKind::release)].released.push_back({ObjectKind::activation, 9, 9, 9});
  });
}

TEST(Checker, RefusesReadersThatThereAreNot) {
  expect_refusal("names other readers of", [](auto& programs) {
    Program& program = programs[3];
    program.ops[find(program, OpKind::publish)].readers.pop_back();
  });
  expect_refusal("names other readers of", [](auto& programs) {
    Program& program = programs[3];
    program.ops[find(program, OpKind::send_activation)].readers = {{0, 0}};
  });
}

TEST(Checker, RefusesAnObjectNobodyReads) {
  expect_refusal("nobody reads", [](auto& programs) {
    Program& program = programs[3];
    program.ops[find(program, OpKind::receive_activation)].object =
        program.ops[find(program, OpKind::receive_activation, 1)].object;
  });
}

TEST(Checker, RefusesTheWrongElements) {
  expect_refusal("another slice", [](auto& programs) {
    Program& program = programs[4];
    ++program.ops[find(program, OpKind::reduce)].slice.first;
  });
  expect_refusal("but it holds", [](auto& programs) {
    Program& program = programs[0];
    --program.ops[find(program, OpKind::fetch_into)].slice.elements;
  });
  expect_refusal("moves 0 elements", [](auto& programs) {
    Program& program = programs[0];
    program.ops[find(program, OpKind::publish)].slice.elements = 0;
  });
}

}  // namespace
}  // namespace funcpipe
