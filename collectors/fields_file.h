#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/error.h"
#include "collectors/kernel.h"
#include "collectors/parse/fields.h"

namespace timewait {

/// A file below /proc with fields of one protocol, read and parsed. The fields refer to its text,
/// so the object stays where it is.
class FieldsFile {
 public:
  using Parse = Result<parse::Fields> (*)(std::string_view text, std::string_view protocol);

  FieldsFile(Kernel& kernel, std::string_view path, std::string_view protocol, Parse parse)
      : source_(kernel.proc_path(path)),
        fields_(kernel.read_proc(path).and_then([&](std::string text) {
          text_ = std::move(text);
          return parse(text_, protocol).map_error(from_source(source_));
        })) {}
  FieldsFile(const FieldsFile&) = delete;
  FieldsFile& operator=(const FieldsFile&) = delete;
  FieldsFile(FieldsFile&&) = delete;
  FieldsFile& operator=(FieldsFile&&) = delete;
  ~FieldsFile() = default;

  /// Why there are no fields at all, or nullptr.
  const Error* error() const { return fields_ ? nullptr : &fields_.error(); }

  /// For a field that every kernel has.
  Error lacks(std::string_view field) const {
    return {ErrorReason::kMalformed, source_,
            "expected a field " + std::string(field) + ", found none"};
  }

  /// Nothing where there is no such field, or where there are none at all; an error where its value
  /// is not a number.
  Result<std::optional<std::uint64_t>> find(std::string_view field) const {
    if (!fields_) return std::nullopt;
    return fields_->find(field).map_error(from_source(source_));
  }

 private:
  std::string source_;
  std::string text_;
  Result<parse::Fields> fields_;
};

}  // namespace timewait
