#include "collectors/parse/process.h"

#include "collectors/parse/mountinfo.h"

namespace timewait::parse {
namespace {

using ::testing::HasSubstr;

TEST(ParseProcessStatus, FindsWhatIsLookedFor) {
  const auto status = parse_process_status(
      "Name:\tx\nNSpid:\t4711\t12\nCapPrm:\t0000000000000000\nCapEff:\t0000004000000004\n");
  ASSERT_TRUE(status) << status.error().text();
  EXPECT_EQ(status->effective_capabilities, (std::uint64_t{1} << 38U) | 4U);
  EXPECT_EQ(status->pid_namespaces, 2U);
}

TEST(ParseProcessStatus, WithoutNSpidTellsNoNamespace) {
  EXPECT_EQ(parse_process_status("CapEff:\t0\n")->pid_namespaces, 0U) << "before Linux 4.1";
}

TEST(ParseProcessStatus, WantsTheCapabilities) {
  for (const char* text : {"", "CapEff:\n", "CapEff:\tx\n", "CapEff:\t-1\n", "NSpid:\t1\n",
                           "CapEff:\t11111111111111111\n"}) {
    const auto status = parse_process_status(text);
    ASSERT_FALSE(status) << "taken for good: " << text;
    EXPECT_THAT(status.error().detail, HasSubstr("CapEff"));
  }
}

TEST(ParseProcessName, IsPrintableWhateverTheProcessCallsItself) {
  EXPECT_EQ(parse_process_name("nginx\n"), "nginx");
  EXPECT_EQ(parse_process_name("kworker/u4:2\n"), "kworker/u4:2");
  EXPECT_EQ(parse_process_name("a b \n"), "a b ") << "blanks are part of the name";
  EXPECT_EQ(parse_process_name("\xff\n\n"), "\\xff\\n");
  EXPECT_EQ(parse_process_name("x\"} 1\n"), "x\\\"} 1");
  EXPECT_EQ(parse_process_name(""), "");
}

const std::string kId = "3f4e5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081";

TEST(ParseContainer, FindsTheIdWhereverTheRuntimePutsIt) {
  for (const std::string& text :
       {"0::/system.slice/docker-" + kId + ".scope\n", "12:pids:/docker/" + kId + "\n0::/\n",
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1b2c_3d.slice/"
        "cri-containerd-" +
            kId + ".scope\n",
        "0::/machine.slice/libpod-" + kId + ".scope/container\n", "0::/../" + kId}) {
    EXPECT_EQ(parse_container(text), "3f4e5a6b7c8d") << text;
  }
}

TEST(ParseContainer, TakesNothingElseForAnId) {
  for (const std::string& text :
       {std::string(), std::string("0::/\n"), std::string("0::/user.slice/user-1000.slice\n"),
        kId.substr(1), kId + "0", std::string(200, 'a')}) {
    EXPECT_EQ(parse_container(text), std::nullopt) << text;
  }
}

TEST(ParseMount, FindsTypeRootAndPoint) {
  const auto tracefs = parse_mount(
      "43 23 0:13 / /sys/kernel/tracing rw,relatime shared:7 master:2 - tracefs tracefs rw");
  ASSERT_TRUE(tracefs);
  EXPECT_EQ(tracefs->root, "/");
  EXPECT_EQ(tracefs->point, "/sys/kernel/tracing");
  EXPECT_EQ(tracefs->type, "tracefs");
  const auto netns = parse_mount("9 2 0:4 net:[4026532285] /run/netns/a\\040b rw - nsfs nsfs rw");
  ASSERT_TRUE(netns) << "there may be no optional field";
  EXPECT_EQ(netns->root, "net:[4026532285]");
  EXPECT_EQ(netns->point, "/run/netns/a b");
  EXPECT_EQ(netns->type, "nsfs");
  EXPECT_EQ(parse_mount("1 1 0:1 / /a\\134\\01\\9999\\ rw - x x rw")->point, "/a\\\\01\\9999\\")
      << "three octal digits or no escape";
}

TEST(ParseMount, PassesOverWhatIsNoMount) {
  for (const char* line :
       {"", " ", "43 23 0:13", "43 23 0:13 / /sys rw", "43 23 0:13 / /sys rw shared:1",
        "43 23 0:13 / /sys rw -", "43 23 0:13 / /sys rw shared:1 - "}) {
    EXPECT_FALSE(parse_mount(line)) << "taken for a mount: " << line;
  }
}

TEST(ParseNetworkNamespace, TakesTheInodeNumber) {
  EXPECT_EQ(parse_network_namespace("net:[4026532285]"), 4026532285U);
  for (const char* text : {"", "net:[]", "net:[x]", "net:[1", "mnt:[1]", "net:[1]x", "net:[-1]"}) {
    EXPECT_EQ(parse_network_namespace(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace timewait::parse
