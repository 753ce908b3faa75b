// One exception for bad data: what was found, what was expected, the remedy.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace regimetry {

class DataError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// Joins the parts and throws. Never inlined into a hot loop: only the failing path pays.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw DataError(text.str());
}

}  // namespace regimetry
