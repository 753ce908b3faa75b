// Shape and byte strides of the rolling view: O(1), no element is touched.
#pragma once

#include <array>

#include "regimetry/geometry.hpp"

namespace regimetry {

struct RollingGeometry {
  std::array<int64_t, 3> shape;    // N, W, F
  std::array<int64_t, 3> strides;  // bytes
};

inline RollingGeometry rolling_geometry(int64_t rows, int64_t cols, int64_t row_stride,
                                        int64_t col_stride, int64_t item_size, int64_t window_size,
                                        int64_t stride) {
  const int64_t n = count_windows(rows, window_size, stride);
  // Readers of the view multiply its shape out, so the product has to fit although nothing is
  // allocated. An empty axis counts as 1, as numpy counts it.
  int64_t bytes = checked_multiply(n, window_size, "the rolling view");
  bytes = checked_multiply(bytes, cols > 0 ? cols : 1, "the rolling view");
  checked_multiply(bytes, item_size > 0 ? item_size : 1, "the rolling view");
  // With one window the step is never taken and may be any number.
  const int64_t step =
      n == 1 ? row_stride : checked_multiply(row_stride, stride, "the step between windows");
  return {{n, window_size, cols}, {step, row_stride, col_stride}};
}

}  // namespace regimetry
