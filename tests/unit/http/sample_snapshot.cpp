#include "tests/unit/http/sample_snapshot.h"

#include <zlib.h>

#include <array>

#include <gtest/gtest.h>

namespace timewait::test {

namespace {

constexpr int kGzipWindow = 15 + 16;

Bytef* bytes(std::string_view text) {
  // zlib's input pointer is not const; it does not write there.
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
}

Exposition sample(const std::string& name, const std::string& value) {
  const std::string help = "# HELP " + name + " A sample.\n# TYPE " + name + " gauge\n";
  return {help + name + " " + value + "\n", help + name + " " + value + ".0\n"};
}

Document document(std::string plain) {
  std::string compressed = gzip(plain);
  return {std::move(plain), std::move(compressed)};
}

}  // namespace

std::string gzip(std::string_view plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string compressed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = bytes(plain);
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = bytes(compressed);
  stream.avail_out = static_cast<uInt>(compressed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

std::string gunzip(std::string_view compressed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, kGzipWindow), Z_OK);
  stream.next_in = bytes(compressed);
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string plain;
  std::array<Bytef, 4096> chunk{};
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = chunk.data();
    stream.avail_out = static_cast<uInt>(chunk.size());
    result = inflate(&stream, Z_NO_FLUSH);
    plain.append(reinterpret_cast<const char*>(chunk.data()), chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  EXPECT_EQ(result, Z_STREAM_END);
  return result == Z_STREAM_END ? plain : std::string{};
}

Snapshot sample_snapshot(SteadyTime taken) {
  Snapshot snapshot;
  snapshot.taken = taken;
  snapshot.interval = std::chrono::seconds(15);
  snapshot.telemetry_path = "/metrics";
  snapshot.collectors = {{"sock_diag", sample("timewait_sockets", "1")},
                         {"netstat", sample("timewait_netstat_curr_estab", "2")}};
  snapshot.exporter = sample("timewait_exporter_up", "3");
  std::string text = snapshot.exporter.text;
  std::string open_metrics = snapshot.exporter.open_metrics;
  for (const CollectorExposition& each : snapshot.collectors) {
    text += each.exposition.text;
    open_metrics += each.exposition.open_metrics;
  }
  open_metrics += kOpenMetricsEnd;
  snapshot.text = document(std::move(text));
  snapshot.open_metrics = document(std::move(open_metrics));
  snapshot.status_page = {.html = "<!DOCTYPE html>\n<title>timewait_exporter</title>\n",
                          .notice_at = 16,
                          .refresh = "15"};
  return snapshot;
}

}  // namespace timewait::test
