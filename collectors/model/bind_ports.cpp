#include "collectors/model/bind_ports.h"

#include <algorithm>
#include <compare>

#include "collectors/model/top.h"

namespace timewait {

void BindPorts::begin_pass() {
  index_.clear();
  overflowed_ = false;
  counts_ = !heaviest_.empty();
  counted_.clear();
  for (const Address& address : heaviest_) follow(address);
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

/// Gives the address an empty set of ports.
void BindPorts::follow(const Address& address) {
  const auto index = static_cast<std::uint32_t>(index_.size());
  index_.emplace(address, index);
  if (index == ports_.size()) {
    ports_.emplace_back();
  } else {
    ports_[index].clear();
  }
}

/// Nothing where there is no set left.
PortSet* BindPorts::find_or_add(const Address& address) {
  if (counts_) counted_.add({address});
  if (const auto found = index_.find(address); found != index_.end()) return &ports_[found->second];
  if (index_.size() < kMaxAddresses) {
    follow(address);
    return &ports_[index_.at(address)];
  }
  if (!overflowed_) {
    overflowed_ = true;
    counts_ = true;
    others_.clear();
  }
  others_.add(Hash{}(address));
  return nullptr;
}

void BindPorts::choose_heaviest() {
  heaviest_.clear();
  if (!overflowed_) return;
  const auto entries = counted_.entries();
  const auto top = compute_top(
      entries.size(), kMaxAddresses / 2,
      [&](std::uint32_t a, std::uint32_t b) { return entries[a].count > entries[b].count; });
  heaviest_.reserve(top.size());
  for (const std::uint32_t index : top) heaviest_.push_back(entries[index].key.address);
}

BindReport BindPorts::end_pass(const PortSet& capacity, std::size_t limit) {
  std::vector<BindUsage> usages;
  usages.reserve(index_.size() + 2);
  const auto add = [&](const Address& local, const PortSet& closed) {
    usages.push_back({local, (closed & capacity).size()});
  };
  for (const auto& [local, index] : index_) {
    if (ports_[index].empty()) continue;  // heavy at the last pass, without a socket at this one
    const bool is_ipv4 = local.family() == Family::kIpv4;
    add(local, ports_[index] | (is_ipv4 ? wildcard_ipv4_ : wildcard_ipv6_));
  }
  if (!ipv4_.empty()) add(Address::any(Family::kIpv4), ipv4_ | overlapping_ | wildcard_ipv4_);
  if (!ipv6_.empty()) add(Address::any(Family::kIpv6), ipv4_ | ipv6_);

  choose_heaviest();
  BindReport report;
  report.addresses = usages.size();
  if (overflowed_) report.addresses += std::max<std::uint64_t>(others_.estimate(), 1);
  const auto top = compute_top(usages.size(), limit, [&](std::uint32_t left, std::uint32_t right) {
    const auto order = usages[left].used <=> usages[right].used;
    return std::is_neq(order) ? std::is_gt(order) : usages[left].local < usages[right].local;
  });
  report.top.reserve(top.size());
  for (const std::uint32_t index : top) report.top.push_back(usages[index]);
  for (const BindUsage& usage : usages) report.used_max = std::max(report.used_max, usage.used);
  return report;
}

}  // namespace timewait
