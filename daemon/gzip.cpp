#include "daemon/gzip.h"

#include <zlib.h>

namespace timewait {

namespace {

constexpr int kLevel = 4;
constexpr int kGzipWindow = 15 + 16;  // deflateInit2: 16 asks for gzip instead of zlib
constexpr int kMemoryLevel = 8;

}  // namespace

std::string compress_gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return {};
  }
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  // zlib does not write to its input; its interface only lacks the const.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  const int result = deflate(&stream, Z_FINISH);
  compressed.resize(result == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return compressed;
}

}  // namespace timewait
