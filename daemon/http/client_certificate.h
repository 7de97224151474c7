#pragma once

#include <string>
#include <vector>

#include <openssl/x509.h>

namespace timewait {

/// A certificate's subject alternative names of the kinds that client_allowed_sans may list: DNS
/// names, email addresses, URIs, and IP addresses as text (RFC 5280 section 4.2.1.6; an IPv4-mapped
/// one as IPv4, as Go prints it). Empty where there are none or they cannot be read.
std::vector<std::string> subject_alternative_names(const X509* certificate);

}  // namespace timewait
