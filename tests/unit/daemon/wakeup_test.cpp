#include "daemon/wakeup.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

namespace timewait {
namespace {

using namespace std::chrono_literals;
using Cause = Wakeup::Cause;

constexpr std::chrono::hours kForever{1};

FileDescriptor make_event(unsigned count) {
  return FileDescriptor(::eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK));
}

TEST(Wakeup, EndsWithTheTime) {
  const Wakeup wakeup;
  const FileDescriptor quiet = make_event(0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(wakeup.wait(20ms, std::array{quiet.get()}), Cause::kTime);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
  EXPECT_EQ(wakeup.wait(-1h, {}), Cause::kTime) << "a deadline that has passed";
}

TEST(Wakeup, EndsWhenADescriptorIsReadable) {
  const Wakeup wakeup;
  const FileDescriptor quiet = make_event(0);
  const FileDescriptor readable = make_event(1);
  EXPECT_EQ(wakeup.wait(kForever, std::array{quiet.get(), readable.get()}), Cause::kReadable);
}

TEST(Wakeup, EndsForADescriptorThatIsClosed) {
  // poll() says so each time, and whoever waits has to look.
  const Wakeup wakeup;
  int closed = -1;
  {
    const FileDescriptor event = make_event(0);
    closed = event.get();
  }
  EXPECT_EQ(wakeup.wait(kForever, std::array{closed}), Cause::kReadable);
}

TEST(Wakeup, EndsByAnInterruptOfAnotherThread) {
  const Wakeup wakeup;
  std::thread other([&] { wakeup.interrupt(); });
  EXPECT_EQ(wakeup.wait(kForever, {}), Cause::kInterrupt);
  other.join();
}

TEST(Wakeup, OneSleepEndsByTheInterruptsBeforeIt) {
  const Wakeup wakeup;
  const FileDescriptor readable = make_event(1);
  wakeup.interrupt();
  wakeup.interrupt();
  EXPECT_EQ(wakeup.wait(kForever, std::array{readable.get()}), Cause::kInterrupt);
  EXPECT_EQ(wakeup.wait(kForever, std::array{readable.get()}), Cause::kReadable);
}

}  // namespace
}  // namespace timewait
