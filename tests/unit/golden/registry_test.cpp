#include "collectors/registry.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/lists.h"
#include "tests/unit/golden/recorded_host.h"

namespace timewait::test {
namespace {

const MetricDescription* find_declared(std::span<const MetricDescription> declared,
                                       std::string_view name) {
  const auto found = std::ranges::find(declared, name, &MetricDescription::name);
  return found == declared.end() ? nullptr : &*found;
}

void expect_as_declared(const prometheus::MetricFamily& family, const MetricDescription& declared) {
  const bool is_counter = family.type == prometheus::MetricType::Counter;
  EXPECT_EQ(is_counter, declared.type() == MetricType::kCounter) << "type of " << family.name;
  EXPECT_EQ(family.help, declared.help()) << "help of " << family.name;
  const std::vector<std::string_view> labels(declared.labels().begin(), declared.labels().end());
  for (const auto& metric : family.metric) {
    std::vector<std::string_view> emitted;
    for (const auto& label : metric.label) emitted.push_back(label.name);
    EXPECT_EQ(emitted, labels) << "labels of " << family.name;
  }
}

struct Heading {
  std::string help;
  std::string type;
};

/// The families of a golden by name.
std::map<std::string, Heading> parse_headings(const std::filesystem::path& golden) {
  std::map<std::string, Heading> headings;
  std::istringstream lines(read_file(golden));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash;
    std::string keyword;
    std::string name;
    words >> hash >> keyword >> name;
    if (hash != "#") continue;
    std::string rest;
    std::getline(words >> std::ws, rest);
    (keyword == "HELP" ? headings[name].help : headings[name].type) = rest;
  }
  return headings;
}

bool names_metric(const std::string& markdown, std::string_view metric) {
  const std::string name(metric);
  return markdown.find("`" + name + "`") != std::string::npos ||
         markdown.find("| " + name + " |") != std::string::npos;
}

std::string read_document(const std::filesystem::path& name) {
  const std::filesystem::path document = std::filesystem::path(TIMEWAIT_SOURCE_DIR) / name;
  std::string text = read_file(document);
  EXPECT_FALSE(text.empty()) << "missing " << document;
  return text;
}

TEST(Registry, HasAGoldenOfEveryCollectorOnEveryHost) {
  for (const RecordedHost& host : recorded_hosts()) {
    for (const CollectorEntry* const collector : all_collectors()) {
      const std::filesystem::path golden = host.golden(collector->name);
      EXPECT_TRUE(std::filesystem::exists(golden)) << "missing " << golden;
    }
    EXPECT_TRUE(std::filesystem::exists(host.golden("once"))) << "missing " << host.golden("once");
  }
}

TEST(Registry, HasNoGoldenOfAnythingElse) {
  for (const RecordedHost& host : recorded_hosts()) {
    const std::filesystem::path goldens = host.golden("once").parent_path();
    if (!std::filesystem::is_directory(goldens)) continue;
    for (const auto& file : std::filesystem::directory_iterator(goldens)) {
      const std::string name = file.path().stem().string();
      EXPECT_TRUE(name == "once" || find_collector(name) != nullptr)
          << file.path() << " is the golden of no collector";
    }
  }
}

TEST(Registry, EmitsEachFamilyAsItIsDeclared) {
  for (const RecordedHost& host : recorded_hosts()) {
    for (const CollectorEntry* const collector : all_collectors()) {
      SCOPED_TRACE(std::string(collector->name) + " on " + host.directory().string());
      for (const auto& family : collect(*collector, host)) {
        const auto* const declared = find_declared(collector->metrics(), family.name);
        EXPECT_NE(declared, nullptr) << family.name << " is emitted, but not declared";
        if (declared != nullptr) expect_as_declared(family, *declared);
      }
    }
  }
}

TEST(Registry, ShowsEachDeclaredFamilyInSomeGolden) {
  for (const CollectorEntry* const collector : all_collectors()) {
    std::set<std::string> shown;
    for (const RecordedHost& host : recorded_hosts()) {
      for (const auto& [name, heading] : parse_headings(host.golden(collector->name))) {
        shown.insert(name);
      }
    }
    for (const MetricDescription& metric : collector->metrics()) {
      EXPECT_TRUE(shown.contains(std::string(metric.name())))
          << metric.name() << " is declared by " << collector->name
          << ", but in no tests/fixtures/*/golden/" << collector->name << ".prom";
    }
  }
}

TEST(Registry, PrintsOnlyWhatListMetricsLists) {
  const std::vector<MetricDescription> listed = all_metrics();
  for (const RecordedHost& host : recorded_hosts()) {
    SCOPED_TRACE(host.golden("once").string());
    for (const auto& [name, heading] : parse_headings(host.golden("once"))) {
      const auto* const metric = find_declared(listed, name);
      EXPECT_NE(metric, nullptr) << name << " is printed, but not listed";
      if (metric == nullptr) continue;
      EXPECT_EQ(heading.help, metric->help()) << "help of " << name;
      EXPECT_EQ(heading.type, metric->type() == MetricType::kCounter ? "counter" : "gauge")
          << "type of " << name;
    }
  }
}

TEST(Registry, DocumentsEachMetric) {
  const std::string document = read_document("docs/metrics.md");
  for (const MetricDescription& metric : all_metrics()) {
    EXPECT_TRUE(names_metric(document, metric.name()))
        << "docs/metrics.md has no row for " << metric.name();
  }
}

TEST(Registry, NamesEachCollectorInTheReadme) {
  const std::string readme = read_document("README.md");
  for (const CollectorEntry* const collector : all_collectors()) {
    EXPECT_NE(readme.find(collector->name), std::string::npos)
        << "README.md does not name the collector " << collector->name;
  }
}

}  // namespace
}  // namespace timewait::test
