#pragma once

#include <memory>
#include <string_view>

namespace timewait {

/// One request's header, as far as a reply depends on it. An absent field is empty, several of one
/// name are joined by comma.
struct HttpRequest {
  std::string_view method;
  std::string_view target;
  std::string_view accept;
  std::string_view accept_encoding;
  bool has_body = false;  ///< or announces one; it is never read
};

/// A reply. The views stay valid as long as `owner` and the handler are; those that neither backs
/// are static.
struct HttpResponse {
  unsigned status = 200;
  std::string_view content_type;
  std::string_view allow;             ///< empty: no such field
  std::string_view vary;              ///< empty: no such field
  std::string_view www_authenticate;  ///< empty: no such field
  std::string_view cache_control;     ///< empty: no such field
  std::string_view refresh;           ///< empty: no such field
  std::string_view security_policy;   ///< Content-Security-Policy; empty: no such field
  bool gzip = false;                  ///< the body is compressed
  std::string_view body;              ///< to be left out for HEAD, which else gets the reply of GET
  std::shared_ptr<const void> owner;
};

/// A plain text reply; `text` is static.
HttpResponse text_response(unsigned status, std::string_view text);

}  // namespace timewait
