#include "daemon/signals.h"

#include <csignal>
#include <thread>

namespace timewait {
namespace {

TEST(Signals, OneThatStopsGoesBeforeAReload) {
  // In a thread of its own, which alone has them blocked and gets them.
  std::thread([] {
    block_reload_signal();
    block_stop_signals();
    for (const int signal : {SIGHUP, SIGTERM}) pthread_kill(pthread_self(), signal);
    EXPECT_EQ(wait_for_signal(), Signal::kTerminate);
    for (const int signal : {SIGHUP, SIGINT}) pthread_kill(pthread_self(), signal);
    EXPECT_EQ(wait_for_signal(), Signal::kInterrupt);
    pthread_kill(pthread_self(), SIGHUP);
    EXPECT_EQ(wait_for_signal(), Signal::kHangUp);
  }).join();
}

}  // namespace
}  // namespace timewait
