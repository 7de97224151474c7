#pragma once

#include <vector>

#include <boost/beast/core/span.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/span_body.hpp>

#include "config/web_config.h"
#include "daemon/http/message.h"

namespace timewait {

using BeastBody = boost::beast::http::span_body<const char>;
using BeastResponse = boost::beast::http::response<BeastBody>;

/// What a reply takes from its request.
struct ReplyForm {
  unsigned version = 11;    ///< as Beast counts: HTTP/1.1
  bool keep_alive = false;  ///< another request may follow
  bool head = false;        ///< the body stays away
};

/// The reply as it goes out, with the header fields that are configured. Its body is that of
/// `response`, not a copy.
BeastResponse make_message(const HttpResponse& response, const ReplyForm& form,
                           const std::vector<config::HeaderField>& configured);

}  // namespace timewait
