#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/file.h"
#include "config/problem.h"
#include "daemon/http/file_identity.h"
#include "daemon/http/web_settings.h"
#include "daemon/log.h"
#include "daemon/wakeup.h"

namespace timewait {

/// A file that settings were made from, as it was just before it was read.
struct SettingsFile {
  std::filesystem::path path;
  FileIdentity identity;
  bool was_fresh = false;  ///< a later change may have left the identity as it is
};

/// With problems the settings are not to be used.
struct LoadedWebSettings {
  WebSettings settings;
  config::Problems problems;
  std::vector<SettingsFile> files;  ///< the web configuration file and those that it names
  std::string fingerprint;          ///< of all their contents
};

/// Reads a web configuration file and the certificates that it names, regular files all.
LoadedWebSettings load_web_settings(const std::filesystem::path& file, config::Occasion occasion);

/// Keeps the settings in force at what a web configuration file says. One that is bad changes
/// nothing.
class WebConfigFile {
 public:
  static constexpr std::chrono::milliseconds kLookInterval{1'000};

  /// Reads nothing yet. The store and the log outlive this.
  WebConfigFile(std::filesystem::path file, WebSettingsStore& store, const Log& log,
                std::chrono::milliseconds look_interval = kLookInterval);
  WebConfigFile(const WebConfigFile&) = delete;
  WebConfigFile& operator=(const WebConfigFile&) = delete;
  WebConfigFile(WebConfigFile&&) = delete;
  WebConfigFile& operator=(WebConfigFile&&) = delete;
  ~WebConfigFile();

  /// Puts into force what was read from the file, good or not; with problems it changes nothing.
  /// They are returned, and not logged. From any thread.
  config::Problems take(LoadedWebSettings loaded);

  /// Ends the watch. False if a file has not been read for so long: then nothing that it uses may
  /// be destroyed.
  bool stop(std::chrono::milliseconds patience);

  /// From now on looks once in that interval, on a thread of its own.
  void watch();

  /// Reads the files again where one has changed, and none again since the last look: one that is
  /// being written may say half of what it is to say. What is wrong is logged once. For one thread,
  /// which watch() is.
  void look();

 private:
  bool has_changed_and_rests(const std::vector<SettingsFile>& files);
  config::Problems take_locked(LoadedWebSettings loaded);
  void log_problems(const config::Problems& problems) const;

  const std::filesystem::path path_;
  WebSettingsStore& store_;
  const Log& log_;
  const std::chrono::milliseconds look_interval_;
  std::vector<FileIdentity> last_look_;
  std::mutex mutex_;  ///< not held while a file is read
  std::uint64_t taken_ = 0;
  std::vector<SettingsFile> files_;
  std::string fingerprint_;  ///< of what is in force
  std::string problems_;     ///< of the last reload, as told; empty: it was good
  Wakeup wakeup_;
  std::promise<void> ended_;
  std::jthread thread_;
};

}  // namespace timewait
