#include "collectors/tracepoint_reader.h"

#include "tests/support/fake_perf_events.h"

namespace timewait {
namespace {

using namespace std::chrono_literals;
using test::FakePerfEvents;
using test::MemoryKernel;
using test::perf_sample;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint32_t kNonsense = 666;

class TracepointReaderTest : public ::testing::Test {
 protected:
  TracepointReaderTest() { events_.connect(kernel_, "0-1"); }

  /// A poll, as the collector does it.
  Result<void> poll(std::chrono::seconds after = 15s, double clock_error = 0) {
    now_ += after;
    events_.pass(std::chrono::duration_cast<std::chrono::nanoseconds>(after * (1 + clock_error)));
    auto followed = reader_.follow_cpus(now_, on_sample_);
    auto taken = reader_.take_samples(on_sample_);
    auto counted = reader_.count(now_);
    if (!followed) return followed;
    return taken ? counted : taken;
  }

  void fire(std::uint32_t cpu, std::uint32_t thread) { events_.fire(cpu, 1, thread); }
  void set_online(const std::string& cpus) { FakePerfEvents::set_online(kernel_, cpus); }

  MemoryKernel kernel_;
  FakePerfEvents events_;
  TracepointReader reader_{kernel_, {17, "a==1"}, "sock:x"};
  SteadyTime now_{1h};
  std::vector<std::uint32_t> samples_;  ///< the threads
  TracepointReader::OnSample on_sample_ = [this](const parse::PerfSample& sample) -> Result<void> {
    if (sample.thread == kNonsense) return malformed("no sense");
    samples_.push_back(sample.thread);
    return {};
  };
};

TEST_F(TracepointReaderTest, CountsOnEveryCpuThatIsOnline) {
  ASSERT_TRUE(poll());
  EXPECT_EQ(events_.id, 17U);
  EXPECT_EQ(events_.filter, "a==1");
  EXPECT_TRUE(reader_.covers_all());
  EXPECT_EQ(reader_.descriptors().size(), 2U);
  fire(0, 10);
  fire(1, 11);
  fire(1, 12);
  ASSERT_TRUE(poll());
  EXPECT_THAT(samples_, ElementsAre(10U, 11U, 12U));
  EXPECT_EQ(reader_.firings(), 3U);
  EXPECT_EQ(reader_.lost(), 0U);
  EXPECT_EQ(events_.opened, 2);
}

TEST_F(TracepointReaderTest, TellsWhatWasLostByTheGapBeforeASample) {
  poll();
  fire(0, 10);
  events_.lose(0, 5);
  fire(0, 11);
  events_.lose(1, 2);
  fire(1, 12);
  poll();
  EXPECT_EQ(reader_.firings(), 10U);
  EXPECT_EQ(reader_.lost(), 7U);
  EXPECT_THAT(samples_, ElementsAre(10U, 11U, 12U));
}

TEST_F(TracepointReaderTest, TellsWhatWasLostWhileFailuresGoOn) {
  poll();
  events_.lose(0, 1000);
  std::uint64_t samples = 0;
  for (int i = 0; i < 10; ++i) {
    for (int j = 0; j < 100; ++j, ++samples) fire(0, 10);
    poll();
    EXPECT_EQ(reader_.firings(), 1000 + samples);
    EXPECT_EQ(reader_.lost(), 1000U) << "poll " << i;
  }
}

TEST_F(TracepointReaderTest, TellsWhatWasLostAfterTheLastSampleOnePollLater) {
  poll();
  fire(0, 10);
  events_.lose(0, 5);
  poll();
  EXPECT_EQ(reader_.firings(), 6U);
  EXPECT_EQ(reader_.lost(), 0U) << "their samples may be under way";
  poll();
  EXPECT_EQ(reader_.lost(), 5U);
  fire(0, 11);
  events_.lose(0);
  poll();
  poll();
  EXPECT_EQ(reader_.firings(), 8U);
  EXPECT_EQ(reader_.lost(), 6U);
}

TEST_F(TracepointReaderTest, ASampleUnderWayIsNotLost) {
  poll();
  fire(0, 10);
  events_.lose(0);
  poll();
  events_.cpu(0).records += perf_sample(1, 11, "", 2);  // its firing has been counted already
  poll();
  poll();
  EXPECT_EQ(reader_.firings(), 2U);
  EXPECT_EQ(reader_.lost(), 0U);
  EXPECT_THAT(samples_, ElementsAre(10U, 11U));
}

TEST_F(TracepointReaderTest, TakesSamplesBetweenPolls) {
  poll();
  fire(0, 10);
  ASSERT_TRUE(reader_.take_samples(on_sample_));
  EXPECT_THAT(samples_, ElementsAre(10U));
  EXPECT_EQ(events_.cpu(0).counts_asked, 0) << "nobody asks a CPU between polls";
  poll();
  EXPECT_EQ(reader_.firings(), 1U);
}

TEST_F(TracepointReaderTest, LeavesQuietCpusAlone) {
  poll();
  fire(1, 10);
  for (int i = 0; i < 3; ++i) poll();
  EXPECT_EQ(events_.cpu(0).counts_asked, 0);
  EXPECT_EQ(events_.cpu(1).counts_asked, 1);
  poll(15s);
  EXPECT_EQ(events_.cpu(0).counts_asked, 1) << "a minute after, to see that it is still counted";
}

TEST_F(TracepointReaderTest, FollowsCpusThatComeAndGo) {
  set_online("0");
  ASSERT_TRUE(poll());
  EXPECT_EQ(events_.opened, 1);
  set_online("0,2-3");
  ASSERT_TRUE(poll());
  EXPECT_EQ(events_.opened, 3);
  EXPECT_TRUE(reader_.covers_all());
  fire(2, 10);
  events_.lose(2, 4);
  fire(3, 11);
  set_online("0,3");
  ASSERT_TRUE(poll());
  EXPECT_FALSE(events_.cpu(2).is_open);
  EXPECT_THAT(samples_, ElementsAre(10U, 11U)) << "what was left in the buffer is taken";
  EXPECT_EQ(reader_.firings(), 6U);
  EXPECT_EQ(reader_.lost(), 4U) << "nothing is under way on a CPU that has gone";
  EXPECT_EQ(reader_.descriptors().size(), 2U);
  set_online("0,2-3");
  ASSERT_TRUE(poll());
  fire(2, 12);
  poll();
  EXPECT_EQ(reader_.firings(), 7U);
}

TEST_F(TracepointReaderTest, NoticesACpuThatWasOfflineBetweenTwoPolls) {
  poll();
  fire(1, 10);
  poll();
  events_.pass(2s);  // it dies between two polls
  now_ += 2s;
  events_.kill(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(poll());
  const auto polled = poll();
  ASSERT_FALSE(polled) << "within a minute and a poll";
  EXPECT_EQ(polled.error().reason, ErrorReason::kInterrupted);
  EXPECT_THAT(polled.error().text(),
              HasSubstr("perf event sock:x: CPU 1: was offline between two polls"));
  EXPECT_FALSE(reader_.covers_all());
  EXPECT_TRUE(poll());
  EXPECT_TRUE(reader_.covers_all()) << "it has been opened anew";
  EXPECT_EQ(events_.opened, 3);
  fire(1, 11);
  EXPECT_TRUE(poll());
  EXPECT_EQ(reader_.firings(), 2U);
  EXPECT_EQ(reader_.lost(), 0U);
}

TEST_F(TracepointReaderTest, TakesNoLivelyCpuForDead) {
  poll();
  for (int i = 0; i < 50; ++i) {
    fire(0, 10);
    EXPECT_TRUE(poll(i % 3 == 0 ? 1s : 100s)) << i;
  }
  EXPECT_EQ(events_.opened, 2);
}

TEST_F(TracepointReaderTest, TakesNoCpuForDeadWhileTheClockIsCorrected) {
  poll();
  for (const double error : {-0.1, 0.1, 0.0, -0.1}) {
    for (int i = 0; i < 10; ++i) {
      fire(0, 10);
      EXPECT_TRUE(poll(15s, error)) << error;
    }
    EXPECT_TRUE(poll(std::chrono::hours(1), error)) << error;
  }
  EXPECT_EQ(events_.opened, 2);
}

TEST_F(TracepointReaderTest, ASampleUnderWayWhenASilentCpuIsCountedIsNotLost) {
  poll();
  poll(60s);
  events_.lose(0);
  poll(60s);
  events_.cpu(0).records += perf_sample(1, 10, "", 1);
  poll();
  poll();
  EXPECT_EQ(reader_.firings(), 1U);
  EXPECT_EQ(reader_.lost(), 0U);
}

TEST_F(TracepointReaderTest, AsksNoMoreThanOnceAPollWhereNoCpuCanBeCounted) {
  set_online("0-63");
  for (std::uint32_t cpu = 0; cpu < 64; ++cpu) {
    events_.refusal_on.emplace(cpu, Error{ErrorReason::kIo, "x", "no memory may be locked"});
  }
  poll();
  poll();
  EXPECT_EQ(events_.tried, 2);
  events_.refusal_on.at(0).reason = ErrorReason::kUnavailable;
  events_.refusal_on.erase(1);
  poll();
  EXPECT_EQ(events_.tried, 2 + 64) << "that the first one is offline says nothing of the others";
  EXPECT_EQ(events_.opened, 1);
}

TEST_F(TracepointReaderTest, CountsTheOthersWhereOneCpuIsRefused) {
  events_.refusal_on.emplace(1, Error{ErrorReason::kIo, "x", "Too many open files"});
  const auto polled = poll();
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().text(), "perf event sock:x: CPU 1: Too many open files");
  EXPECT_FALSE(reader_.covers_all());
  EXPECT_TRUE(reader_.has_counted());
  fire(0, 10);
  EXPECT_FALSE(poll());
  EXPECT_EQ(reader_.firings(), 1U);
  events_.refusal_on.clear();
  EXPECT_TRUE(poll());
  EXPECT_TRUE(reader_.covers_all());
}

TEST_F(TracepointReaderTest, KeepsItsEventsWhereTheListOfCpusCannotBeRead) {
  poll();
  fire(0, 10);
  kernel_.sys.insert_or_assign("devices/system/cpu/online", std::string("none\n"));
  const auto polled = poll();
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().source, "/sys/devices/system/cpu/online");
  EXPECT_FALSE(reader_.covers_all());
  EXPECT_EQ(reader_.firings(), 1U);
  EXPECT_TRUE(events_.cpu(0).is_open);
}

TEST_F(TracepointReaderTest, WhatMakesNoSenseIsLost) {
  poll();
  fire(0, kNonsense);
  fire(0, 10);
  events_.lose(1, 2);
  events_.cpu(1).records = "garbage that is no record";
  const auto polled = poll();
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().text(), "perf event sock:x: no sense");
  EXPECT_THAT(samples_, ElementsAre(10U));
  EXPECT_TRUE(poll()) << "it is over";
  EXPECT_EQ(reader_.firings(), 4U);
  EXPECT_EQ(reader_.lost(), 3U);
}

TEST_F(TracepointReaderTest, GoesOnWhereACountCannotBeRead) {
  poll();
  fire(0, 10);
  events_.lose(0, 3);
  fire(0, 11);
  events_.count_refusal = Error{ErrorReason::kIo, "x", "Input/output error"};
  const auto polled = poll();
  ASSERT_FALSE(polled);
  EXPECT_THAT(polled.error().detail, HasSubstr("CPU 0: Input/output error"));
  EXPECT_EQ(reader_.firings(), 5U) << "as many as the samples tell";
  set_online("1");
  events_.lose(0, 5);
  EXPECT_FALSE(poll());
  EXPECT_EQ(reader_.firings(), 5U);
  EXPECT_EQ(reader_.lost(), 3U);
}

struct Refusal {
  const char* capabilities;
  const char* paranoid;
  const char* says;
};

TEST_F(TracepointReaderTest, SaysWhyEventsAreRefused) {
  events_.refusal = Error{ErrorReason::kPermission, "x", "Permission denied"};
  for (const auto& [capabilities, paranoid, says] :
       {Refusal{"0000000000000000", "2",
                "kernel.perf_event_paranoid is 2 and the process has neither CAP_PERFMON (since "
                "Linux 5.8) nor CAP_SYS_ADMIN"},
        Refusal{"0000004000000004", "3",
                "kernel.perf_event_paranoid is 3, for which this kernel asks for CAP_SYS_ADMIN: "
                "`sysctl kernel.perf_event_paranoid=2` lets CAP_PERFMON do"},
        Refusal{"0000004000000000", "2", "the process has CAP_PERFMON, so a security policy"},
        Refusal{"000001ffffffffff", "4", "the process has CAP_SYS_ADMIN, so a security policy"},
        Refusal{"", "2", "needs CAP_PERFMON"}, Refusal{"0", "x", "needs CAP_PERFMON"}}) {
    kernel_.proc.insert_or_assign("self/status",
                                  "CapEff:\t" + std::string(capabilities) + "\nNSpid:\t1\n");
    kernel_.proc.insert_or_assign("sys/kernel/perf_event_paranoid", std::string(paranoid) + "\n");
    const auto polled = poll();
    ASSERT_FALSE(polled);
    EXPECT_EQ(polled.error().reason, ErrorReason::kPermission);
    EXPECT_THAT(polled.error().detail, HasSubstr("CPU 0: Permission denied (" + std::string(says)));
  }
  EXPECT_FALSE(reader_.has_counted());
}

TEST_F(TracepointReaderTest, ExplainsNoOtherFailure) {
  events_.refusal = Error{ErrorReason::kIo, "x", "no memory may be locked"};
  EXPECT_EQ(poll().error().detail, "CPU 0: no memory may be locked");
}

}  // namespace
}  // namespace timewait
