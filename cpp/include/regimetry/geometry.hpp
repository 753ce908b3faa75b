// Overflow-checked sizes: every product that becomes an address or an allocation goes through here.
#pragma once

#include <cstdint>
#include <limits>

#include "regimetry/error.hpp"

namespace regimetry {

using std::int64_t;

constexpr int64_t kMaxSize = std::numeric_limits<int64_t>::max();

constexpr bool multiply_overflows(int64_t a, int64_t b) {
  constexpr int64_t low = std::numeric_limits<int64_t>::min();
  if (a > 0) return b > kMaxSize / a || b < low / a;
  if (a < -1) return b > low / a || b < kMaxSize / a;
  return a == -1 && b == low;
}

inline int64_t checked_multiply(int64_t a, int64_t b, const char* what) {
  if (multiply_overflows(a, b)) {
    fail(what, " is too large: ", a, " * ", b,
         " does not fit into 64 bits; expected a smaller size; use fewer or shorter windows");
  }
  return a * b;
}

// The number of windows of W rows, S apart, that lie wholly inside T rows.
inline int64_t count_windows(int64_t rows, int64_t window_size, int64_t stride) {
  if (window_size < 1) {
    fail("window_size is ", window_size,
         "; expected at least 1; pass the number of rows a window holds");
  }
  if (stride < 1) {
    fail("stride is ", stride, "; expected at least 1; pass 1 for a window at every row");
  }
  if (window_size > rows) {
    fail("window_size is ", window_size, " and there are only ", rows,
         " rows; expected at least one full window; use a shorter window or more rows");
  }
  return (rows - window_size) / stride + 1;
}

}  // namespace regimetry
