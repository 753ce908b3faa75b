// Fills a dense float32 batch (B, W, F) with the windows that begin at given rows.
//
// Windows that overlap their predecessor are the rule (stride 1 shares W - 1 rows), so where rows
// have to be converted, the shared ones are taken from the predecessor in the batch: it is float32
// already and still in the first-level cache. Every source row is then converted once.
//
// Thread safety: reads `values`, writes `out`; any number of calls on distinct outputs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"
#include "regimetry/parallel.hpp"

namespace regimetry {

// Rows [first, first + n) of a column-major matrix, whose columns are dense. Four columns by four
// rows at a time, so that compilers turn both sides into whole vectors: twice as fast as element by
// element, and wider vectors than the baseline's add next to nothing (cpp/README.md).
template <class T>
void convert_columns(const MatrixView<T>& values, int64_t first, int64_t n, float* out) {
  constexpr int64_t kTile = 4;
  const int64_t cols = values.cols(), whole = n - n % kTile;
  const std::ptrdiff_t cs = values.col_stride();
  constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
  const char* start = values.row_data(first);
  int64_t f = 0;
  for (; f + kTile <= cols; f += kTile, start += kTile * cs) {
    const char* at = start;
    int64_t r = 0;
    for (; r < whole; r += kTile, at += kTile * item) {
      float tile[kTile][kTile];
      for (int64_t j = 0; j < kTile; ++j) {
        for (int64_t i = 0; i < kTile; ++i) {
          tile[i][j] = static_cast<float>(MatrixView<T>::load(at + j * cs + i * item));
        }
      }
      for (int64_t i = 0; i < kTile; ++i) {
        std::memcpy(out + (r + i) * cols + f, tile[i], sizeof tile[i]);
      }
    }
    for (; r < n; ++r, at += item) {
      for (int64_t j = 0; j < kTile; ++j) {
        out[r * cols + f + j] = static_cast<float>(MatrixView<T>::load(at + j * cs));
      }
    }
  }
  for (; f < cols; ++f, start += cs) {
    for (int64_t r = 0; r < n; ++r) {
      out[r * cols + f] = static_cast<float>(MatrixView<T>::load(start + r * item));
    }
  }
}

// Copies rows [first, first + n) to a dense float32 block. Values outside float32 become infinite.
template <class T>
void convert_rows(const MatrixView<T>& values, int64_t first, int64_t n, float* out) {
  const int64_t cols = values.cols();
  if constexpr (std::is_same_v<T, float>) {
    if (values.rows_are_dense()) {
      const auto bytes = static_cast<std::size_t>(cols) * sizeof(float);
      for (int64_t r = 0; r < n; ++r)
        std::memcpy(out + r * cols, values.row_data(first + r), bytes);
      return;
    }
  }
  const std::ptrdiff_t rs = values.row_stride(), cs = values.col_stride();
  const char* start = values.row_data(first);
  if (n > 1 && rs == static_cast<std::ptrdiff_t>(sizeof(T)) && values.is_column_major()) {
    convert_columns(values, first, n, out);
  } else if (n > 1 && values.is_column_major()) {
    for (int64_t f = 0; f < cols; ++f, start += cs) {
      const char* at = start;
      for (int64_t r = 0; r < n; ++r, at += rs) {
        out[r * cols + f] = static_cast<float>(MatrixView<T>::load(at));
      }
    }
  } else {
    for (int64_t r = 0; r < n; ++r, start += rs) {
      const char* at = start;
      for (int64_t f = 0; f < cols; ++f, at += cs)
        *out++ = static_cast<float>(MatrixView<T>::load(at));
    }
  }
}

inline void require_start(int64_t start, int64_t index, int64_t rows, int64_t window_size) {
  if (start < 0 || start > rows - window_size) {
    fail("starts[", index, "] is ", start, "; expected 0 to ", rows - window_size, ", so that ",
         window_size, " rows follow among ", rows, "; leave out those that begin later");
  }
}

// Rows that are float32 already and lie one behind the other: windows are blocks of memory, and
// windows that follow each other without a gap are one block.
inline void copy_blocks(const MatrixView<float>& values, const int64_t* starts, int64_t begin,
                        int64_t end, int64_t window_size, float* out) {
  const int64_t rows = values.rows(), cols = values.cols();
  const auto row_bytes = static_cast<std::size_t>(cols) * sizeof(float);
  while (begin < end) {
    const int64_t start = starts[begin];
    require_start(start, begin, rows, window_size);
    int64_t behind = start + window_size;  // the first row behind the block
    int64_t next = begin + 1;
    while (next < end && behind <= rows - window_size && starts[next] == behind) {
      behind += window_size;
      ++next;
    }
    std::memcpy(out + begin * window_size * cols, values.row_data(start),
                static_cast<std::size_t>(behind - start) * row_bytes);
    begin = next;
  }
}

// Everything else: rows are converted, except those that the window before has converted already.
template <class T>
void convert_windows(const MatrixView<T>& values, const int64_t* starts, int64_t begin, int64_t end,
                     int64_t window_size, float* out) {
  const int64_t cols = values.cols(), item = window_size * cols;
  int64_t previous = -1;
  for (int64_t b = begin; b < end; ++b) {
    const int64_t start = starts[b];
    require_start(start, b, values.rows(), window_size);
    float* window = out + b * item;
    int64_t shared = 0;
    if (previous >= 0 && start >= previous && start - previous < window_size) {
      shared = window_size - (start - previous);
      std::memcpy(window, window - item + (window_size - shared) * cols,
                  static_cast<std::size_t>(shared * cols) * sizeof(float));
    }
    if (shared < window_size) {
      convert_rows(values, start + shared, window_size - shared, window + shared * cols);
    }
    previous = start;
  }
}

// out[b] = values[starts[b] : starts[b] + W]. Allocates nothing with one thread. All starts are
// checked before anything is written, and each once more when it is used: the caller's memory may
// have changed under us, and we must not leave `values`.
template <class T>
void gather_windows(const MatrixView<T>& values, const int64_t* starts, int64_t n_starts,
                    int64_t window_size, float* out, int64_t threads = 1) {
  if (window_size < 1)
    fail("window_size is ", window_size, "; expected at least 1; pass the model's");
  require_threads(threads);
  if (n_starts > 0) count_windows(values.rows(), window_size, 1);  // refuses W > T
  for (int64_t b = 0; b < n_starts; ++b) require_start(starts[b], b, values.rows(), window_size);
  const int64_t cols = values.cols();
  const int64_t item = checked_multiply(window_size, cols, "a window");
  if (item == 0 || n_starts == 0) return;
  const int64_t bytes =
      checked_multiply(checked_multiply(item, n_starts, "the batch"), 4, "the batch");
  threads = useful_threads(threads, bytes);
  run_parallel(threads, [&](int64_t index) {
    const int64_t begin = n_starts / threads * index + std::min(index, n_starts % threads);
    const int64_t end = begin + n_starts / threads + (index < n_starts % threads ? 1 : 0);
    if constexpr (std::is_same_v<T, float>) {
      const auto dense =
          static_cast<std::ptrdiff_t>(sizeof(float)) * static_cast<std::ptrdiff_t>(cols);
      if (values.rows_are_dense() && values.row_stride() == dense) {
        return copy_blocks(values, starts, begin, end, window_size, out);
      }
    }
    convert_windows(values, starts, begin, end, window_size, out);
  });
}

}  // namespace regimetry
