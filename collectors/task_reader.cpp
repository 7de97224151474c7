#include "collectors/task_reader.h"

#include <limits>

#include "collectors/parse/process.h"
#include "collectors/read_mounts.h"
#include "config/quote.h"

namespace timewait {

namespace {

/// A file of /proc/PID/net that every kernel has.
constexpr std::string_view kNetworkFile = "/net/dev";

// Half a megabyte.
constexpr std::size_t kMostTasks = 4096;

bool sees_own_pids(Kernel& kernel) {
  const auto status = kernel.read_proc("self/status").and_then(parse::parse_process_status);
  return status && status->pid_namespaces == 1;
}

}  // namespace

TaskReader::TaskReader(Kernel& kernel) : kernel_(kernel), sees_own_pids_(sees_own_pids(kernel)) {
  const auto own = kernel.read_proc_inode("thread-self" + std::string(kNetworkFile));
  if (own) own_netns_ = *own;
}

const Task& TaskReader::read(std::uint32_t process, std::uint32_t thread) {
  if (tasks_.size() == kMostTasks) forget();
  const auto [found, is_new] = tasks_.try_emplace(thread);
  Task& task = found->second;
  // Threads of another PID namespace have the number 0 or, when they are about to end, -1.
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  if (!is_new || !sees_own_pids_ || process == 0 || process > kMost) return task;

  const std::string pid = std::to_string(process);
  // The namespace first: one that ends leaves it before it loses its name.
  task.netns = read_netns(pid, pid + "/task/" + std::to_string(thread));
  if (const auto comm = kernel_.read_proc(pid + "/comm")) {
    task.process = parse::parse_process_name(*comm);
  }
  return task;
}

void TaskReader::forget() {
  tasks_.clear();
  netns_names_.reset();
}

std::string TaskReader::read_netns(const std::string& process, const std::string& thread) {
  auto netns = kernel_.read_proc_inode(thread + std::string(kNetworkFile));
  // A thread that has ended was most likely where its process is.
  if (!netns) netns = kernel_.read_proc_inode(process + std::string(kNetworkFile));
  if (!netns || !own_netns_) return {};
  return *netns == *own_netns_ ? std::string(kernel_.netns()) : read_foreign_netns(process, thread);
}

std::string TaskReader::read_foreign_netns(const std::string& process, const std::string& thread) {
  const auto inode = read_netns_inode(thread);
  if (inode) {
    const auto& names = read_netns_names();
    if (const auto name = names.find(*inode); name != names.end()) return name->second;
  }
  if (const auto cgroup = kernel_.read_proc(process + "/cgroup")) {
    if (auto container = parse::parse_container(*cgroup)) return *std::move(container);
  }
  return inode ? "net:[" + std::to_string(*inode) + "]" : "other";
}

std::optional<std::uint64_t> TaskReader::read_netns_inode(const std::string& thread) {
  const auto link = kernel_.read_proc_link(thread + "/ns/net");
  return link ? parse::parse_network_namespace(*link) : std::nullopt;
}

const TaskReader::NetnsNames& TaskReader::read_netns_names() {
  if (netns_names_) return *netns_names_;
  netns_names_.emplace();
  // Where this fails the namespaces have no names, which is what an absent one says too.
  static_cast<void>(read_mounts(kernel_, [&](const parse::Mount& mount) {
    const auto inode = parse::parse_network_namespace(mount.root);
    const std::string_view name = std::string_view(mount.point).substr(mount.point.rfind('/') + 1);
    if (inode && mount.type == "nsfs") netns_names_->emplace(*inode, config::escaped(name));
  }));
  return *netns_names_;
}

}  // namespace timewait
