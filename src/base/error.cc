#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace tripos {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::already_exists: return "already_exists";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::malformed: return "malformed";
    case ErrorCode::out_of_range: return "out_of_range";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::no_space: return "no_space";
    case ErrorCode::io: return "io";
    case ErrorCode::permission: return "permission";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::timed_out: return "timed_out";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::query: return "query";
  }
  return "unknown";
}

Error os_error(int errno_value, std::string_view operation, std::string_view subject) {
  const ErrorCode code = [errno_value] {
    switch (errno_value) {
      case ENOSPC:
      case EMFILE:
      case ENFILE:
      case EDQUOT: return ErrorCode::no_space;
      case ENOENT: return ErrorCode::not_found;
      case EEXIST: return ErrorCode::already_exists;
      case EACCES:
      case EPERM:
      case EROFS: return ErrorCode::permission;
      case EWOULDBLOCK: return ErrorCode::unavailable;
      default: return ErrorCode::io;
    }
  }();
  return Error{code, fmt::format("{} {}: {}", operation, subject, std::generic_category().message(errno_value))};
}

}  // namespace tripos
