#include "collectors/task_reader.h"

#include "tests/support/memory_kernel.h"

namespace timewait {
namespace {

using test::forbidden;
using test::MemoryKernel;

constexpr std::uint64_t kOwn = 4026531874;
constexpr std::uint64_t kForeign = 4026532183;

class TaskReaderTest : public ::testing::Test {
 protected:
  TaskReaderTest() {
    kernel_.proc.emplace("self/status", "CapEff:\t0\nNSpid:\t900\n");
    kernel_.proc.emplace("1/comm", "systemd\n");
    kernel_.proc_inodes.emplace("thread-self/net/dev", kOwn);
    kernel_.proc.emplace("7/comm", "nginx\n");
    kernel_.proc_inodes.emplace("7/task/8/net/dev", kOwn);
  }

  void be_foreign() {
    kernel_.proc_inodes["7/task/8/net/dev"] = kForeign;
    kernel_.proc_links.emplace("7/task/8/ns/net", "net:[4026532285]");
    kernel_.proc.emplace("self/mountinfo",
                         "22 27 0:21 / /proc rw - proc proc rw\n"
                         "31 25 0:4 net:[4026532285] /run/netns/blue rw - nsfs nsfs rw\n"
                         "32 25 0:4 mnt:[4026532286] /run/x rw - nsfs nsfs rw\n");
    kernel_.proc.emplace(
        "7/cgroup",
        "0::/docker/3f4e5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081\n");
  }

  Task read(std::uint32_t process = 7, std::uint32_t thread = 8) {
    return TaskReader(kernel_).read(process, thread);
  }

  MemoryKernel kernel_;
};

TEST_F(TaskReaderTest, NamesAProcessOfTheDaemonsNamespace) {
  EXPECT_EQ(read().process, "nginx");
  EXPECT_EQ(read().netns, "self");
}

TEST_F(TaskReaderTest, NamesANamespaceByItsContainer) {
  be_foreign();
  EXPECT_EQ(read().netns, "3f4e5a6b7c8d") << "the runtime's own name of the mount says less";
  kernel_.proc_links.insert_or_assign("7/task/8/ns/net", forbidden("/proc/7/task/8/ns/net"));
  EXPECT_EQ(read().netns, "3f4e5a6b7c8d") << "which needs no privilege";
}

TEST_F(TaskReaderTest, NamesANamespaceByItsMountElse) {
  be_foreign();
  kernel_.proc.insert_or_assign("7/cgroup", std::string("0::/\n"));
  EXPECT_EQ(read().netns, "blue");
  kernel_.proc.erase("self/mountinfo");
  EXPECT_EQ(read().netns, "net:[4026532285]");
  kernel_.proc_links.insert_or_assign("7/task/8/ns/net", forbidden("/proc/7/task/8/ns/net"));
  EXPECT_EQ(read().netns, "other") << "it is not the daemon's, for certain";
}

TEST_F(TaskReaderTest, ANameOfAMountIsPrintable) {
  be_foreign();
  kernel_.proc.erase("7/cgroup");
  kernel_.proc.insert_or_assign(
      "self/mountinfo", std::string("3 2 0:4 net:[4026532285] /run/\xff\\012 rw - nsfs n rw"));
  EXPECT_EQ(read().netns, "\\xff\\n");
}

TEST_F(TaskReaderTest, OneThatHasEndedIsUnknown) {
  EXPECT_EQ(read(9, 9).process, "");
  EXPECT_EQ(read(9, 9).netns, "");
  kernel_.proc_inodes.erase("7/task/8/net/dev");
  EXPECT_EQ(read().process, "nginx") << "a zombie still has its name";
  EXPECT_EQ(read().netns, "");
  kernel_.proc_inodes.emplace("7/net/dev", kOwn);
  EXPECT_EQ(read().netns, "self") << "a thread that has ended belongs to its process";
}

TEST_F(TaskReaderTest, AskNobodyOfAnotherPidNamespace) {
  kernel_.proc.emplace("0/comm", "impossible\n");
  EXPECT_EQ(read(0, 0).process, "") << "as it is numbered where it is not of this namespace";
  EXPECT_EQ(read(0xffffffff, 0xffffffff).process, "");
  // A /proc of the host, mounted into a container: its numbers are others.
  kernel_.proc.insert_or_assign("self/status", std::string("CapEff:\t0\nNSpid:\t4711\t12\n"));
  EXPECT_EQ(read().process, "");
  EXPECT_EQ(read().netns, "");
}

TEST_F(TaskReaderTest, RemembersWhoHasEnded) {
  TaskReader tasks(kernel_);
  EXPECT_EQ(tasks.read(7, 8).process, "nginx");
  tasks.begin_batch();
  kernel_.proc_inodes.erase("7/task/8/net/dev");
  EXPECT_EQ(tasks.read(7, 8).netns, "self") << "one that ends leaves its namespace first";
  tasks.begin_batch();
  kernel_.proc.erase("7/comm");
  EXPECT_EQ(tasks.read(7, 8).process, "nginx");
  EXPECT_EQ(tasks.read(7, 8).netns, "self");
  tasks.forget();
  EXPECT_EQ(tasks.read(7, 8).process, "");
}

TEST_F(TaskReaderTest, AsksAgainInTheNextBatch) {
  TaskReader tasks(kernel_);
  tasks.read(7, 8);
  kernel_.proc.insert_or_assign("7/comm", std::string("renamed\n"));
  kernel_.proc_inodes["7/task/8/net/dev"] = kForeign;
  EXPECT_EQ(tasks.read(7, 8).process, "nginx");
  tasks.begin_batch();
  EXPECT_EQ(tasks.read(7, 8).process, "renamed");
  EXPECT_EQ(tasks.read(7, 8).netns, "other");
  kernel_.proc.insert_or_assign("7/comm", std::string("another\n"));
  kernel_.proc_inodes.erase("7/task/8/net/dev");
  tasks.begin_batch();
  EXPECT_EQ(tasks.read(7, 8).process, "another");
  EXPECT_EQ(tasks.read(7, 8).netns, "") << "whose namespace the other's need not be";
}

TEST_F(TaskReaderTest, LooksUpNoMoreThanSoManyInABatch) {
  for (std::uint32_t process = 100; process < 200; ++process) {
    kernel_.proc.emplace(std::to_string(process) + "/comm", "curl\n");
  }
  TaskReader tasks(kernel_);
  tasks.begin_batch();
  std::size_t named = 0;
  for (std::uint32_t process = 100; process < 200; ++process) {
    if (!tasks.read(process, process).process.empty()) ++named;
  }
  EXPECT_EQ(named, TaskReader::kMostLookups);
  tasks.begin_batch();
  EXPECT_EQ(tasks.read(199, 199).process, "curl") << "who had to wait is not taken for ended";
  for (std::uint32_t process = 300; process < 400; ++process) tasks.read(process, process);
  EXPECT_EQ(tasks.read(100, 100).process, "curl") << "what is known needs no look";
}

TEST_F(TaskReaderTest, TakesAThreadBeyondThatForOneLikeTheOthersOfItsProcess) {
  kernel_.proc_inodes.emplace("7/net/dev", kOwn);
  kernel_.proc_inodes.emplace("7/task/7/net/dev", kForeign);
  TaskReader tasks(kernel_);
  tasks.begin_batch();
  for (std::uint32_t thread = 100; thread < 300; ++thread) {
    EXPECT_EQ(tasks.read(7, thread).process, "nginx") << thread;
    EXPECT_EQ(tasks.read(7, thread).netns, "self") << thread;
  }
  tasks.begin_batch();
  EXPECT_EQ(tasks.read(7, 7).netns, "other") << "the first thread is looked up by itself";
}

TEST_F(TaskReaderTest, RemembersNoMoreThanItHasRoomFor) {
  TaskReader tasks(kernel_);
  EXPECT_EQ(tasks.read(7, 8).process, "nginx");
  kernel_.proc.clear();
  for (std::uint32_t thread = 100; thread < 5000; ++thread) {
    if (thread % TaskReader::kMostLookups == 0) tasks.begin_batch();
    tasks.read(thread, thread);
  }
  tasks.begin_batch();
  EXPECT_EQ(tasks.read(7, 8).process, "");
}

TEST_F(TaskReaderTest, SaysWhyThreadsAreUnknown) {
  TaskReader tasks(kernel_);
  EXPECT_FALSE(tasks.why_unknown());
  tasks.read(9, 9);
  EXPECT_FALSE(tasks.why_unknown()) << "one that has ended needs no explanation";
  tasks.read(0, 0);
  ASSERT_TRUE(tasks.why_unknown());
  EXPECT_THAT(tasks.why_unknown()->text(), ::testing::HasSubstr("other PID namespaces"));
  kernel_.proc.insert_or_assign("1/comm", forbidden("/proc/1/comm"));
  EXPECT_THAT(TaskReader(kernel_).why_unknown()->text(), ::testing::HasSubstr("hidepid"));
  kernel_.proc.insert_or_assign("self/status", std::string("CapEff:\t0\nNSpid:\t4711\t12\n"));
  EXPECT_THAT(TaskReader(kernel_).why_unknown()->text(),
              ::testing::HasSubstr("of another PID namespace"));
}

}  // namespace
}  // namespace timewait
