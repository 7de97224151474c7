#include "collectors/task_reader.h"

#include <limits>
#include <utility>

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

/// What has just been found; what was found before where the process has begun to end since.
Task choose(Task now, const Task& before) {
  const bool ends = now.netns.empty() && now.process == before.process;
  const bool has_ended = now.process.empty() && !before.process.empty();
  if (ends || has_ended) return before;
  return now;
}

}  // namespace

TaskReader::TaskReader(Kernel& kernel) : kernel_(kernel) { look_around(); }

void TaskReader::look_around() {
  sees_own_pids_ = sees_own_pids_ || sees_own_pids(kernel_);
  sees_others_ = sees_others_ || kernel_.read_proc("1/comm").has_value();
  if (own_netns_) return;
  const auto own = kernel_.read_proc_inode("thread-self" + std::string(kNetworkFile));
  if (own) own_netns_ = *own;
}

void TaskReader::begin_batch() {
  ++batch_;
  lookups_ = 0;
  netns_names_.reset();
}

const Task& TaskReader::read(std::uint32_t process, std::uint32_t thread) {
  static const Task unknown;
  // Threads of another PID namespace have the number 0 or, when they are about to end, -1.
  constexpr std::uint32_t kMost = std::numeric_limits<std::int32_t>::max();
  const bool is_foreign = process == 0 || process > kMost;
  has_met_foreign_ = has_met_foreign_ || is_foreign;
  if (is_foreign || !sees_own_pids_) return unknown;

  const auto found = tasks_.find(thread);
  if (found != tasks_.end() && found->second.batch == batch_) return found->second.task;
  // Of another thread of the process the same is known, most likely.
  const auto before = found != tasks_.end() ? found : tasks_.find(process);
  const Task& known = before != tasks_.end() ? before->second.task : unknown;
  if (lookups_ == kMostLookups) return known;
  ++lookups_;
  return remember(process, thread, choose(read_task(process, thread), known));
}

const Task& TaskReader::remember(std::uint32_t process, std::uint32_t thread, Task task) {
  constexpr std::size_t kNew = 2;
  if (tasks_.size() + kNew > kMostTasks) tasks_.clear();
  tasks_.try_emplace(process, Known{task, /*batch=*/0});
  return tasks_.insert_or_assign(thread, Known{std::move(task), batch_}).first->second.task;
}

void TaskReader::forget() {
  tasks_.clear();
  look_around();
}

std::optional<Error> TaskReader::why_unknown() const {
  const auto because = [&](std::string detail) {
    return Error{ErrorReason::kUnavailable, kernel_.proc_path(""), std::move(detail)};
  };
  if (!sees_own_pids_)
    return because("of another PID namespace: failures get no process and netns");
  if (!sees_others_) return because("hidepid: failures of other users get no process and netns");
  if (has_met_foreign_) {
    return because("without the processes of other PID namespaces: their failures get no process");
  }
  return std::nullopt;
}

Task TaskReader::read_task(std::uint32_t process, std::uint32_t thread) {
  const std::string pid = std::to_string(process);
  Task task;
  // The namespace first: one that ends leaves it before it loses its name.
  task.netns = read_netns(pid, pid + "/task/" + std::to_string(thread));
  if (const auto comm = kernel_.read_proc(pid + "/comm")) {
    task.process = parse::parse_process_name(*comm);
  }
  return task;
}

std::string TaskReader::read_netns(const std::string& process, const std::string& thread) {
  auto netns = kernel_.read_proc_inode(thread + std::string(kNetworkFile));
  // A thread that has ended was most likely where its process is.
  if (!netns) netns = kernel_.read_proc_inode(process + std::string(kNetworkFile));
  if (!netns || !own_netns_) return {};
  return *netns == *own_netns_ ? std::string(kernel_.netns()) : read_foreign_netns(process, thread);
}

std::string TaskReader::read_foreign_netns(const std::string& process, const std::string& thread) {
  if (const auto cgroup = kernel_.read_proc(process + "/cgroup")) {
    if (auto container = parse::parse_container(*cgroup)) return *std::move(container);
  }
  const auto link = kernel_.read_proc_link(thread + "/ns/net");
  const auto inode = link ? parse::parse_network_namespace(*link) : std::nullopt;
  if (!inode) return "other";
  const auto& names = read_netns_names();
  const auto name = names.find(*inode);
  return name != names.end() ? name->second : "net:[" + std::to_string(*inode) + "]";
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
