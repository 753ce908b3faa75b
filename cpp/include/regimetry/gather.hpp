// Fills a dense float32 batch (B, W, F) with the windows that begin at given rows.
//
// Windows that overlap their predecessor are the rule (stride 1 shares W - 1 rows), so where rows
// have to be converted, the shared ones are taken from the predecessor in the batch: it is float32
// already and still in the first-level cache. Every source row is then converted once.
//
// Thread safety: reads `values`, writes `out`; any number of calls on distinct outputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"
#include "regimetry/parallel.hpp"

namespace regimetry {

// Copies rows [first, first + n) to a dense float32 block. Values outside float32 become infinite.
template <class T>
void convert_rows(const MatrixView<T>& values, int64_t first, int64_t n, float* out) {
  const int64_t cols = values.cols();
  if constexpr (std::is_same_v<T, float>) {
    if (values.rows_are_dense()) {
      const auto bytes = static_cast<std::size_t>(cols) * sizeof(float);
      const bool one_block = values.row_stride() == static_cast<std::ptrdiff_t>(bytes);
      const int64_t blocks = one_block ? 1 : n;
      const std::size_t block = one_block ? bytes * static_cast<std::size_t>(n) : bytes;
      for (int64_t r = 0; r < blocks; ++r) {
        std::memcpy(out + r * cols, values.row_data(first + r), block);
      }
      return;
    }
  }
  // Follow the memory: along the axis that is closer together. The block of one window fits into
  // the first-level cache, so the scattered side costs little.
  const std::ptrdiff_t rs = values.row_stride(), cs = values.col_stride();
  const char* start = values.row_data(first);
  if (std::abs(rs) < std::abs(cs) && n > 1) {
    for (int64_t f = 0; f < cols; ++f, start += cs) {
      const char* at = start;
      for (int64_t r = 0; r < n; ++r, at += rs) {
        out[r * cols + f] = static_cast<float>(MatrixView<T>::load(at));
      }
    }
  } else {
    for (int64_t r = 0; r < n; ++r, start += rs) {
      const char* at = start;
      for (int64_t f = 0; f < cols; ++f, at += cs) *out++ = static_cast<float>(MatrixView<T>::load(at));
    }
  }
}

inline void require_start(int64_t start, int64_t index, int64_t rows, int64_t window_size) {
  if (start < 0 || start > rows - window_size) {
    fail("starts[", index, "] is ", start, "; expected 0 to ", rows - window_size, ", so that ",
         window_size, " rows follow among ", rows, "; use window_starts() to make them");
  }
}

// out[b] = values[starts[b] : starts[b] + W]. Allocates nothing with one thread. All starts are
// checked before anything is written.
template <class T>
void gather_windows(const MatrixView<T>& values, const int64_t* starts, int64_t n_starts,
                    int64_t window_size, float* out, int64_t threads = 1) {
  require_threads(threads);
  for (int64_t b = 0; b < n_starts; ++b) require_start(starts[b], b, values.rows(), window_size);
  const int64_t cols = values.cols();
  const int64_t item = checked_multiply(window_size, cols, "a window");
  if (item == 0 || n_starts == 0) return;
  const int64_t bytes = checked_multiply(checked_multiply(item, n_starts, "the batch"), 4, "the batch");
  const bool converts = !std::is_same_v<T, float> || !values.rows_are_dense() ||
                        values.row_stride() != static_cast<std::ptrdiff_t>(sizeof(float)) * cols;
  threads = useful_threads(threads, bytes);
  run_parallel(threads, [&](int64_t index) {
    const int64_t begin = n_starts / threads * index + std::min(index, n_starts % threads);
    const int64_t end = begin + n_starts / threads + (index < n_starts % threads ? 1 : 0);
    int64_t previous = -1;
    for (int64_t b = begin; b < end; ++b) {
      const int64_t start = starts[b];
      // Once more: the caller's memory may have changed under us, and we must not leave `values`.
      require_start(start, b, values.rows(), window_size);
      float* window = out + b * item;
      int64_t shared = 0;
      if (converts && previous >= 0 && start >= previous && start - previous < window_size) {
        shared = window_size - (start - previous);
        std::memcpy(window, window - item + (window_size - shared) * cols,
                    static_cast<std::size_t>(shared * cols) * sizeof(float));
      }
      if (shared < window_size) {
        convert_rows(values, start + shared, window_size - shared, window + shared * cols);
      }
      previous = start;
    }
  });
}

}  // namespace regimetry
