#include "collectors/model/bind_ports.h"

#include <algorithm>

#include "collectors/model/top.h"

namespace timewait {

void BindPorts::begin_pass() {
  index_.clear();
  overflowed_ = false;
  for (PortSet* ports : {&ipv4_, &ipv6_, &overlapping_, &wildcard_ipv4_, &wildcard_ipv6_})
    ports->clear();
}

void BindPorts::add(const Socket& socket) {
  const bool is_ipv4 = socket.local.family() == Family::kIpv4;
  (is_ipv4 ? ipv4_ : ipv6_).insert(socket.local_port);
  if (!is_ipv4 && !is_idle(socket.state)) overlapping_.insert(socket.local_port);
  if (!socket.local.is_any()) {
    if (PortSet* ports = find_or_add(socket.local)) ports->insert(socket.local_port);
    return;
  }
  if (!is_ipv4) wildcard_ipv6_.insert(socket.local_port);
  if (is_ipv4 || !socket.ipv6_only.value_or(false)) wildcard_ipv4_.insert(socket.local_port);
}

/// Nothing beyond kMaxAddresses.
PortSet* BindPorts::find_or_add(const Address& address) {
  if (const auto found = index_.find(address); found != index_.end()) return &ports_[found->second];
  if (index_.size() == kMaxAddresses) {
    if (!overflowed_) {
      overflowed_ = true;
      distinct_.clear();
      for (const auto& [known, index] : index_) distinct_.add(Hash{}(known));
    }
    distinct_.add(Hash{}(address));
    return nullptr;
  }
  const auto index = static_cast<std::uint32_t>(index_.size());
  index_.emplace(address, index);
  if (index == ports_.size()) {
    ports_.emplace_back();
  } else {
    ports_[index].clear();
  }
  return &ports_[index];
}

BindReport BindPorts::end_pass(const PortSet& capacity, std::size_t limit) {
  std::vector<BindUsage> usages;
  usages.reserve(index_.size() + 2);
  const auto add = [&](const Address& local, const PortSet& closed) {
    usages.push_back({local, (closed & capacity).size()});
  };
  for (const auto& [local, index] : index_) {
    const bool is_ipv4 = local.family() == Family::kIpv4;
    add(local, ports_[index] | (is_ipv4 ? wildcard_ipv4_ : wildcard_ipv6_));
  }
  if (!ipv4_.empty()) add(Address::any(Family::kIpv4), ipv4_ | overlapping_ | wildcard_ipv4_);
  if (!ipv6_.empty()) add(Address::any(Family::kIpv6), ipv4_ | ipv6_);

  BindReport report;
  report.addresses = usages.size();
  if (overflowed_) {
    report.addresses = std::max<std::uint64_t>(
        usages.size() + 1, usages.size() - index_.size() + distinct_.estimate());
  }
  const auto top = compute_top(usages.size(), limit, [&](std::uint32_t left, std::uint32_t right) {
    const auto order = usages[left].used <=> usages[right].used;
    return order != 0 ? order > 0 : usages[left].local < usages[right].local;
  });
  report.top.reserve(top.size());
  for (const std::uint32_t index : top) report.top.push_back(usages[index]);
  for (const BindUsage& usage : usages) report.used_max = std::max(report.used_max, usage.used);
  return report;
}

}  // namespace timewait
