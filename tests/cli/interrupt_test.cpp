#include "cli/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>

namespace funcpipe {
namespace {

bool stops_soon(const Interrupt& interrupt) {
  for (int i = 0; i < 500 && !interrupt.token().stop_requested(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return interrupt.token().stop_requested();
}

// Each in a process of its own: one Interrupt per process, which changes its signals.
class InterruptDeathTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { ::testing::GTEST_FLAG(death_test_style) = "threadsafe"; }
};

TEST_P(InterruptDeathTest, TheFirstSignalOnlyAsks) {
  EXPECT_EXIT(
      {
        const Interrupt interrupt;
        if (interrupt.token().stop_requested()) ::_exit(2);
        ::kill(::getpid(), GetParam());
        ::_exit(stops_soon(interrupt) ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_P(InterruptDeathTest, TheSecondOneEndsTheProcessAtOnceAndSaysSo) {
  EXPECT_EXIT(
      {
        const Interrupt interrupt;
        ::kill(::getpid(), SIGINT);
        if (!stops_soon(interrupt)) ::_exit(1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1100));
        ::kill(::getpid(), GetParam());
        std::this_thread::sleep_for(std::chrono::seconds(20));
        ::_exit(2);
      },
      ::testing::ExitedWithCode(130), "^funcpipe: ended at once\n$");  // no escape sequence, no cloud
}

TEST_P(InterruptDeathTest, ASecondOneWithinAMomentBelongsToTheFirst) {
  EXPECT_EXIT(
      {
        const Interrupt interrupt;
        ::kill(::getpid(), GetParam());
        if (!stops_soon(interrupt)) ::_exit(1);
        ::kill(::getpid(), GetParam());
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        ::_exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptDeathTest, ::testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& signal) {
                           return signal.param == SIGINT ? "SIGINT" : signal.param == SIGTERM ? "SIGTERM" : "SIGHUP";
                         });

TEST(HangUpDeathTest, AHangUpThatIsIgnoredStaysIgnored) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        ::signal(SIGHUP, SIG_IGN);
        const Interrupt interrupt;
        ::kill(::getpid(), SIGHUP);
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        ::_exit(interrupt.token().stop_requested() ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace funcpipe
