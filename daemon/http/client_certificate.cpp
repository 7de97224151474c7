#include "daemon/http/client_certificate.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include <openssl/asn1.h>
#include <openssl/x509v3.h>

namespace timewait {

namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::span<const unsigned char> bytes_of(const ASN1_STRING* text) {
  return {ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string to_text(std::span<const unsigned char> bytes) { return {bytes.begin(), bytes.end()}; }

std::optional<std::string> address_text(std::span<const unsigned char> bytes) {
  in6_addr v6{};
  const bool is_v6 = bytes.size() == sizeof v6;
  if (is_v6) std::memcpy(&v6, bytes.data(), sizeof v6);
  if (is_v6 && IN6_IS_ADDR_V4MAPPED(&v6)) bytes = bytes.last(sizeof(in_addr));
  if (!is_v6 && bytes.size() != sizeof(in_addr)) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  if (::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) return std::nullopt;
  return text.data();
}

std::optional<std::string> name_text(const GENERAL_NAME* name) {
  int type = 0;
  const auto* const value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) return to_text(bytes_of(value));
  if (type == GEN_IPADD) return address_text(bytes_of(value));
  return std::nullopt;
}

}  // namespace

std::vector<std::string> subject_alternative_names(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  if (names == nullptr) return texts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (auto text = name_text(sk_GENERAL_NAME_value(names.get(), i))) {
      texts.push_back(*std::move(text));
    }
  }
  return texts;
}

}  // namespace timewait
