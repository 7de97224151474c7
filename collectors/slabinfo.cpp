#include "collectors/parse/slabinfo.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "collectors/collector.h"
#include "collectors/parse/text.h"
#include "config/option_reader.h"
#include "config/quote.h"

namespace timewait {

namespace {

constexpr MetricDescription kObjects{
    "timewait_slab_objects",
    MetricType::kGauge,
    "num_objs in /proc/slabinfo: objects in the slabs of the cache, of all namespaces.",
    {"cache"}};
constexpr MetricDescription kObjectsActive{
    "timewait_slab_objects_active",
    MetricType::kGauge,
    "active_objs in /proc/slabinfo: an upper bound of the objects in use, of all namespaces.",
    {"cache"}};
constexpr MetricDescription kObjectSize{
    "timewait_slab_object_size_bytes",
    MetricType::kGauge,
    "objsize in /proc/slabinfo, or slab_size in /sys/kernel/slab: what one object takes.",
    {"cache"}};
constexpr MetricDescription kSize{
    "timewait_slab_size_bytes",
    MetricType::kGauge,
    "num_slabs times pagesperslab in /proc/slabinfo, in bytes: memory that the cache takes.",
    {"cache"}};
constexpr MetricDescription kMerged{"timewait_slab_merged",
                                    MetricType::kGauge,
                                    "1 if the kernel shares the cache with others (aliases in "
                                    "/sys/kernel/slab), so that its objects "
                                    "cannot be told apart, else 0.",
                                    {"cache"}};

constexpr std::array kMetrics{kObjects, kObjectsActive, kObjectSize, kSize, kMerged};

const std::vector<std::string>& default_caches() {
  static const std::vector<std::string> caches{
      "tw_sock_TCP", "tw_sock_TCPv6", "request_sock_TCP", "request_sock_TCPv6",
      "TCP",         "TCPv6",         "tcp_bind_bucket",  "tcp_bind2_bucket"};
  return caches;
}

/// The number in a file of /sys/kernel/slab/<cache>; nothing where there is no such file.
Result<std::optional<std::uint64_t>> read_slab_number(Kernel& kernel, const std::string& cache,
                                                      std::string_view file) {
  const std::string path = "kernel/slab/" + cache + "/" + std::string(file);
  const auto text = kernel.read_sys(path);
  if (!text && text.error().reason == ErrorReason::kUnavailable) return std::nullopt;
  if (!text) return tl::make_unexpected(text.error());
  std::string_view rest = *text;
  const std::string_view word = parse::next_word(rest);
  const auto number = parse::parse_number<std::uint64_t>(word);
  if (!number) {
    return tl::make_unexpected(Error{ErrorReason::kMalformed, "/sys/" + path,
                                     "expected a number, found " + config::in_quotes(word)});
  }
  return number;
}

/// Whether the kernel keeps the cache's objects together with other caches' (mm/slub.c,
/// sysfs_slab_alias): a cache that may be merged is a link to a name that begins with a colon, and
/// `aliases` there counts the further caches that share it. /proc/slabinfo shows such a cache under
/// only one of its names. Nothing where the kernel has no /sys/kernel/slab.
Result<std::optional<bool>> read_merged(Kernel& kernel, const std::string& cache) {
  const auto target = kernel.read_sys_link("kernel/slab/" + cache);
  if (!target && target.error().reason == ErrorReason::kUnavailable) return std::nullopt;
  if (!target) return tl::make_unexpected(target.error());
  if (!target->starts_with(':')) return false;
  return read_slab_number(kernel, cache, "aliases")
      .and_then([&](std::optional<std::uint64_t> aliases) -> Result<std::optional<bool>> {
        if (aliases) return *aliases > 0;
        return tl::make_unexpected(Error{ErrorReason::kUnavailable,
                                         "/sys/kernel/slab/" + cache + "/aliases",
                                         "missing, although the cache may be merged"});
      });
}

class SlabinfoCollector final : public Collector {
 public:
  SlabinfoCollector(Kernel& kernel, std::vector<std::string> caches)
      : kernel_(kernel), caches_(std::move(caches)) {}

  Result<void> collect(SteadyTime /*now*/, CollectorOutput& out) override {
    const auto listed = kernel_.read_proc("slabinfo").and_then([&](const std::string& text) {
      return parse::parse_slabinfo(text, caches_)
          .map_error(from_source(kernel_.proc_path("slabinfo")));
    });
    if (!listed) return tl::make_unexpected(explained(listed.error()));
    for (const Error& problem : listed->problems) {
      out.report(from_source(kernel_.proc_path("slabinfo"))(problem));
    }
    for (const std::string& cache : caches_) {
      if (auto done = collect_cache(cache, listed->caches, out.metrics); !done) {
        out.report(done.error());
      }
    }
    return {};
  }

 private:
  static Error explained(Error error) {
    if (error.reason == ErrorReason::kPermission) {
      error.detail += " (only root and CAP_DAC_READ_SEARCH may read it)";
    }
    return error;
  }

  Result<void> collect_cache(const std::string& name, const std::vector<parse::SlabCache>& listed,
                             MetricBuilder& metrics) {
    const auto merged = read_merged(kernel_, name);
    if (!merged) return tl::make_unexpected(merged.error());
    if (*merged) metrics.emit(kMerged, **merged ? 1 : 0, {name});
    if (merged->value_or(false)) {
      return read_slab_number(kernel_, name, "slab_size")
          .map([&](std::optional<std::uint64_t> size) {
            if (size) metrics.emit(kObjectSize, as_sample(*size), {name});
          });
    }
    const auto cache = std::ranges::find(listed, name, &parse::SlabCache::name);
    if (cache != listed.end()) emit_cache(*cache, metrics);
    return {};
  }

  void emit_cache(const parse::SlabCache& cache, MetricBuilder& metrics) const {
    metrics.emit(kObjects, as_sample(cache.objects), {cache.name});
    metrics.emit(kObjectsActive, as_sample(cache.active_objects), {cache.name});
    metrics.emit(kObjectSize, as_sample(cache.object_size), {cache.name});
    metrics.emit(
        kSize,
        as_sample(cache.slabs) * as_sample(cache.pages_per_slab) * as_sample(kernel_.page_size()),
        {cache.name});
  }

  Kernel& kernel_;
  std::vector<std::string> caches_;
};

bool is_cache_name(const std::string& name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_allowed);
}

CollectorFactory configure(config::OptionReader& options) {
  const std::vector<std::string> caches = options.list("caches", default_caches());
  for (std::size_t i = 0; i < caches.size(); ++i) {
    const auto here = caches.begin() + static_cast<std::ptrdiff_t>(i);
    if (!is_cache_name(caches[i])) {
      options.reject_item("caches", i, "expected the name of a slab cache, such as tw_sock_TCP");
    } else if (std::find(caches.begin(), here, caches[i]) != here) {
      options.reject_item("caches", i, "is named twice");
    }
  }
  return [caches](const CollectorContext& context) {
    return std::make_unique<SlabinfoCollector>(context.kernel, caches);
  };
}

}  // namespace

extern const CollectorEntry slabinfo_collector{
    .name = "slabinfo",
    .help = "Kernel memory of TIME-WAIT sockets and bind buckets from /proc/slabinfo.",
    .privilege = "root or CAP_DAC_READ_SEARCH",
    .enabled_by_default = true,
    .metrics = [] { return std::span<const MetricDescription>(kMetrics); },
    .configure = configure,
};

}  // namespace timewait
