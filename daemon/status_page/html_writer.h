#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace timewait::status_page {

/// HTML as it stands in the source. Nothing that is known at run time only can be one, so that all
/// of that is escaped.
class Markup {
 public:
  consteval explicit Markup(std::string_view html) : html_(html) {}
  constexpr std::string_view html() const { return html_; }

 private:
  std::string_view html_;
};

consteval Markup operator""_html(const char* html, std::size_t size) {
  return Markup(std::string_view(html, size));
}

/// `text` for an element or a quoted attribute: what means something in HTML is escaped; bytes that
/// are no UTF-8, and control characters, become U+FFFD.
std::string escape_html(std::string_view text);

/// Puts a page together.
class HtmlWriter {
 public:
  HtmlWriter& operator<<(Markup markup) {
    page_ += markup.html();
    return *this;
  }
  HtmlWriter& operator<<(std::string_view text) {
    page_ += escape_html(text);
    return *this;
  }

  std::size_t size() const { return page_.size(); }
  std::string take() { return std::move(page_); }

 private:
  std::string page_;
};

}  // namespace timewait::status_page
