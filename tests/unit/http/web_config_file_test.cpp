#include "daemon/http/web_config_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/certificates.h"

namespace timewait {
namespace {

using config::Occasion;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kHash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

std::string users(const std::string& name) {
  return "basic_auth_users: {" + name + ": " + kHash + "}\n";
}

/// A directory with a web configuration file, and what becomes of it.
class WebConfigFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(directory_);
    write("web.yml", "{}");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  /// As programs do that want no reader to see half of a file.
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / "new") << text;
    std::filesystem::rename(directory_ / "new", directory_ / name);
  }

  void write_identity(const test::Identity& identity) const {
    write("server.crt", identity.certificate);
    write("server.key", identity.key);
  }

  config::Problems reload() {
    return file_.take(load_web_settings(directory_ / "web.yml", Occasion::kReload));
  }

  std::string user() const {
    const auto settings = store_.current();
    return settings->users.empty() ? "" : settings->users.front().name;
  }

  std::vector<std::string> log_lines() {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }

  void wait_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << testing::PrintToString(log_lines());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  const std::filesystem::path directory_ =
      testing::TempDir() + "web_config" + std::to_string(::getpid());
  std::mutex mutex_;
  std::vector<std::string> lines_;
  Log log_{LogLevel::kInfo, LogFormat::kLogfmt, [this](std::string_view line) {
             const std::scoped_lock lock(mutex_);
             lines_.emplace_back(line);
           }};
  WebSettingsStore store_;
  WebConfigFile file_{directory_ / "web.yml", store_, log_, std::chrono::milliseconds(20)};
};

TEST_F(WebConfigFileTest, PublishesWhatItSays) {
  write("web.yml", users("alice"));
  EXPECT_THAT(reload(), IsEmpty());
  EXPECT_EQ(user(), "alice");
  EXPECT_EQ(store_.current()->tls, nullptr);
  EXPECT_THAT(log_lines(), ElementsAre(AllOf(HasSubstr("web configuration loaded"),
                                             HasSubstr("tls=false"), HasSubstr("users=1")),
                                       HasSubstr("passwords are asked for without TLS")));
}

TEST_F(WebConfigFileTest, ABadFileChangesNothing) {
  write("web.yml", users("alice"));
  EXPECT_THAT(reload(), IsEmpty());
  const auto before = store_.current();
  write("web.yml", users("bob") + "x: 1\n");
  const auto problems = reload();
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems.front().place.line, 2U);
  EXPECT_EQ(store_.current(), before);
  std::filesystem::remove(directory_ / "web.yml");
  EXPECT_THAT(reload(), SizeIs(1));
  EXPECT_EQ(store_.current(), before);
}

TEST_F(WebConfigFileTest, AReloadOfTheSameIsNone) {
  write("web.yml", users("alice"));
  EXPECT_THAT(reload(), IsEmpty());
  const auto before = store_.current();
  EXPECT_THAT(reload(), IsEmpty());
  EXPECT_EQ(store_.current(), before);
  EXPECT_THAT(log_lines(), SizeIs(2)) << "of the first time";
}

TEST_F(WebConfigFileTest, TellsOfCertificatesAndTheRestAtOnce) {
  write("web.yml",
        "basic_auth_users: {bob: x}\n"
        "tls_server_config: {cert_file: absent, key: k, min_version: TLS10}\n");
  EXPECT_THAT(reload(), SizeIs(3));
}

TEST_F(WebConfigFileTest, APipeIsRefusedRatherThanWaitedFor) {
  const std::filesystem::path pipe = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  write("web.yml", "tls_server_config: {cert_file: pipe, key_file: pipe}\n");
  EXPECT_THAT(reload(), SizeIs(2));
  EXPECT_THAT(load_web_settings(pipe, Occasion::kReload).problems, SizeIs(1));
}

TEST_F(WebConfigFileTest, AnEmptyFileOpensThePortAtTheStartAlone) {
  write("web.yml", "");
  EXPECT_THAT(load_web_settings(directory_ / "web.yml", Occasion::kStart).problems, IsEmpty());
  write("web.yml", users("alice"));
  EXPECT_THAT(reload(), IsEmpty());
  std::ofstream(directory_ / "web.yml") << "";  // in place, as an editor or a full disk leaves it
  EXPECT_THAT(reload(), SizeIs(1));
  for (int i = 0; i < 3; ++i) file_.look();
  EXPECT_EQ(user(), "alice");
  write("web.yml", "# for everyone\n");
  EXPECT_THAT(reload(), IsEmpty());
  EXPECT_EQ(user(), "");
}

TEST_F(WebConfigFileTest, ALookTakesWhatHasNotChangedSinceTheLastOne) {
  write("web.yml", users("alice"));
  EXPECT_THAT(reload(), IsEmpty());
  file_.look();
  write("web.yml", users("half"));
  file_.look();
  EXPECT_EQ(user(), "alice") << "it may still be written to";
  write("web.yml", users("whole"));
  file_.look();
  EXPECT_EQ(user(), "alice");
  file_.look();
  EXPECT_EQ(user(), "whole");
}

TEST_F(WebConfigFileTest, SeesAChangeByItself) {
  write("web.yml", users("alice"));
  EXPECT_THAT(reload(), IsEmpty());
  file_.watch();
  write("web.yml", users("carol"));
  wait_until([&] { return user() == "carol"; });
}

TEST_F(WebConfigFileTest, SeesAChangeThatFollowsTheReadingAtOnceAndLeavesTheSize) {
  write("web.yml", users("alice"));
  EXPECT_THAT(reload(), IsEmpty());
  // In place: the same inode and, within the same tick of the kernel's clock, the same times.
  std::ofstream(directory_ / "web.yml") << users("carol");
  file_.watch();
  wait_until([&] { return user() == "carol"; });
}

TEST_F(WebConfigFileTest, LogsWhatIsBadOnceAndRecovers) {
  EXPECT_THAT(reload(), IsEmpty());
  file_.watch();
  write("web.yml", "x: 1\n");
  wait_until([&] { return log_lines().size() == 2; });
  EXPECT_THAT(log_lines().back(), AllOf(HasSubstr("level=error"), HasSubstr("web.yml:1:1: ")));
  write("web.yml", users("alice"));
  wait_until([&] { return user() == "alice"; });
  EXPECT_THAT(log_lines(), Contains(HasSubstr("web configuration loaded")).Times(2));
}

TEST_F(WebConfigFileTest, SeesACertificateChange) {
  write_identity(test::make_identity());
  write("web.yml", "tls_server_config: {cert_file: server.crt, key_file: server.key}\n");
  EXPECT_THAT(reload(), IsEmpty());
  const auto before = store_.current()->tls;
  ASSERT_NE(before, nullptr);
  file_.watch();
  // Half of the change is a key of another certificate, which may be seen or not.
  write_identity(test::make_identity());
  wait_until([&] { return store_.current()->tls != before; });
}

}  // namespace
}  // namespace timewait
