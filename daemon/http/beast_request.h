#pragma once

#include <string>
#include <string_view>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace timewait {

/// What a request's header says, as Beast has read it.
using BeastRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using BeastParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

inline std::string_view to_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// The values of all fields of that name, joined as RFC 9110 section 5.3 has it.
inline std::string joined(const BeastRequest& request, boost::beast::http::field name) {
  std::string values;
  const auto [first, last] = request.equal_range(name);
  for (auto field = first; field != last; ++field) {
    if (field != first) values += ", ";
    values += to_view(field->value());
  }
  return values;
}

/// Any Transfer-Encoding, not just chunked: without knowing where the body ends, its bytes would be
/// taken for the next request.
inline bool has_body(const BeastParser& parser) {
  return parser.content_length().value_or(0) > 0 ||
         parser.get().count(boost::beast::http::field::transfer_encoding) > 0;
}

/// RFC 9112 section 3.2.
inline bool lacks_host(const BeastRequest& request) {
  constexpr unsigned kHttp11 = 11;
  const auto hosts = request.count(boost::beast::http::field::host);
  return hosts > 1 || (hosts == 0 && request.version() >= kHttp11);
}

}  // namespace timewait
