#include "daemon/http/web_config_file.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <openssl/evp.h>

#include "config/file.h"
#include "daemon/http/tls_context.h"
#include "daemon/run_or_exit.h"

namespace timewait {

namespace {

using config::Problems;

/// Rather than the texts, of which one is a private key. Empty where OpenSSL has no memory.
std::string fingerprint_of(const std::string& config_text, const TlsMaterial& material) {
  std::string texts;
  for (const auto* text :
       {&config_text, &material.certificate, &material.key, &material.client_ca}) {
    texts += std::to_string(text->size()) + ":" + *text;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const int made =
      EVP_Digest(texts.data(), texts.size(), digest.data(), &size, EVP_sha256(), nullptr);
  if (made != 1) return {};
  return {digest.begin(), digest.begin() + size};
}

void note(std::vector<SettingsFile>& files, const std::filesystem::path& path) {
  if (path.empty()) return;
  const FileIdentity identity = read_identity(path);
  files.push_back({path, identity, is_fresh(identity)});
}

/// The certificates and what follows from them; `loaded.files` first, so that what changes while
/// it is read is seen to have changed.
void load_tls(const config::TlsConfig& tls, const std::string& config_text,
              LoadedWebSettings& loaded) {
  for (const auto* source : {&tls.certificate, &tls.key, &tls.client_ca}) {
    note(loaded.files, source->file);
  }
  auto material = read_tls_material(tls);
  if (!material) std::ranges::move(material.error(), std::back_inserter(loaded.problems));
  if (!loaded.problems.empty()) return;
  loaded.fingerprint = fingerprint_of(config_text, *material);
  auto context = TlsContext::make(tls, *material);
  if (context) {
    loaded.settings.tls = *std::move(context);
  } else {
    loaded.problems = std::move(context.error());
  }
}

std::string one_text(const std::filesystem::path& file, const Problems& problems) {
  std::string text;
  for (const config::Problem& problem : problems) {
    text += config::to_string(file.string(), problem) + '\n';
  }
  return text;
}

}  // namespace

LoadedWebSettings load_web_settings(const std::filesystem::path& file, config::Occasion occasion) {
  LoadedWebSettings loaded;
  note(loaded.files, file);
  auto text = config::read_file(file, config::Pipes::kRefused);
  if (text && text->empty() && occasion == config::Occasion::kReload) {
    text = tl::make_unexpected(config::empty_at_reload());
  }
  if (!text) {
    loaded.problems.push_back({{}, text.error()});
    return loaded;
  }
  auto [security, problems] = config::parse_web_config(*text, file.parent_path());
  loaded.problems = std::move(problems);
  loaded.settings.headers = std::move(security.headers);
  loaded.settings.users = std::move(security.users);
  loaded.settings.rate_limit = security.rate_limit;
  loaded.fingerprint = fingerprint_of(*text, {});
  if (security.tls) load_tls(*security.tls, *text, loaded);
  config::sort_by_place(loaded.problems);
  return loaded;
}

WebConfigFile::WebConfigFile(std::filesystem::path file, WebSettingsStore& store, const Log& log,
                             std::chrono::milliseconds look_interval)
    : path_(std::move(file)), store_(store), log_(log), look_interval_(look_interval) {}

WebConfigFile::~WebConfigFile() { wakeup_.interrupt(); }

Problems WebConfigFile::take(LoadedWebSettings loaded) {
  const std::scoped_lock lock(mutex_);
  return take_locked(std::move(loaded));
}

void WebConfigFile::watch() {
  thread_ = std::jthread([this] {
    run_or_exit("watching the web configuration", [this] {
      while (wakeup_.wait(look_interval_, {}) == Wakeup::Cause::kTime) look();
    });
    ended_.set_value();
  });
}

bool WebConfigFile::stop(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) return true;
  wakeup_.interrupt();
  return ended_.get_future().wait_for(patience) == std::future_status::ready;
}

void WebConfigFile::look() {
  std::unique_lock lock(mutex_);
  const std::vector<SettingsFile> files = files_;
  const std::uint64_t taken = taken_;
  lock.unlock();
  if (!has_changed_and_rests(files)) return;
  LoadedWebSettings loaded = load_web_settings(path_, config::Occasion::kReload);
  lock.lock();
  if (taken_ != taken) return;  // a reload has read them, perhaps later
  const std::string told = problems_;
  const Problems problems = take_locked(std::move(loaded));
  if (problems_ != told) log_problems(problems);
}

bool WebConfigFile::has_changed_and_rests(const std::vector<SettingsFile>& files) {
  std::vector<FileIdentity> found;
  bool has_changed = false;
  for (const SettingsFile& file : files) {
    found.push_back(read_identity(file.path));
    has_changed |= file.was_fresh || found.back() != file.identity;
  }
  const bool rests = found == last_look_;
  last_look_ = std::move(found);
  return has_changed && rests;
}

Problems WebConfigFile::take_locked(LoadedWebSettings loaded) {
  ++taken_;
  files_ = std::move(loaded.files);
  const bool was_bad = !problems_.empty();
  problems_ = one_text(path_, loaded.problems);
  if (!loaded.problems.empty()) return loaded.problems;
  const bool is_in_force = !loaded.fingerprint.empty() && loaded.fingerprint == fingerprint_;
  if (is_in_force && was_bad) {
    log_.info("web configuration is good again, and what was in force", {{"file", path_.string()}});
  }
  if (is_in_force) return {};
  fingerprint_ = std::move(loaded.fingerprint);
  log_.info("web configuration loaded", {{"file", path_.string()},
                                         {"tls", loaded.settings.tls ? "true" : "false"},
                                         {"users", std::to_string(loaded.settings.users.size())}});
  if (!loaded.settings.users.empty() && !loaded.settings.tls) {
    log_.warn("passwords are asked for without TLS: anyone on the way can read them",
              {{"file", path_.string()}});
  }
  store_.publish(std::make_shared<const WebSettings>(std::move(loaded.settings)));
  return {};
}

void WebConfigFile::log_problems(const Problems& problems) const {
  for (const config::Problem& problem : problems) {
    log_.error("bad web configuration, the last good one stays in force",
               {{"problem", config::to_string(path_.string(), problem)}});
  }
}

}  // namespace timewait
