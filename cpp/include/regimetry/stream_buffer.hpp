// The last W rows of one live series, always contiguous: each row is written twice.
//
// The ring has 2W rows. A row goes to slots p and p + W (p = count mod W), so the W rows from slot
// p + 1 on are the window in order, with no wrap and no shift: a push costs O(F), a window nothing.
//
// Thread safety: none inside; one thread at a time, or a lock outside.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"
#include "regimetry/memory.hpp"

namespace regimetry {

// Calls f(stride) with the column stride: as a constant where the row is dense, which the compiler
// turns into whole vectors.
template <class T, class F>
auto with_stride(std::ptrdiff_t col_stride, F&& f) {
  using Dense = std::integral_constant<std::ptrdiff_t, static_cast<std::ptrdiff_t>(sizeof(T))>;
  return col_stride == Dense::value ? f(Dense()) : f(col_stride);
}

// Copies one row to float32. False when a value is not finite in float32.
template <class T>
bool convert_row(const char* from, std::ptrdiff_t col_stride, int64_t cols, float* to) {
  return with_stride<T>(col_stride, [=](auto stride) {
    int unusable = 0;
    for (int64_t f = 0; f < cols; ++f) {
      const T value = MatrixView<T>::load(from + f * stride);
      unusable |= static_cast<int>(!is_usable(value));
      to[f] = static_cast<float>(value);
    }
    return unusable == 0;
  });
}

// Whether all values of a row are finite in float32.
template <class T>
bool is_usable_row(const MatrixView<T>& rows, int64_t row) {
  const char* from = rows.row_data(row);
  return with_stride<T>(rows.col_stride(), [&](auto stride) {
    int unusable = 0;
    for (int64_t f = 0; f < rows.cols(); ++f) {
      unusable |= static_cast<int>(!is_usable(MatrixView<T>::load(from + f * stride)));
    }
    return unusable == 0;
  });
}

// Names the first value of a row that convert_row refused.
template <class T>
[[noreturn]] void fail_row(const MatrixView<T>& rows, int64_t row) {
  int64_t f = 0;
  while (f + 1 < rows.cols() && is_usable(rows(row, f))) ++f;
  fail("row ", row, " holds ", rows(row, f), " in column ", f,
       "; expected values that are finite in float32; skip the row and reset the stream, or fill "
       "the value first");
}

class StreamBuffer {
 public:
  StreamBuffer(int64_t window_size, int64_t n_features)
      : window_size_(window_size), n_features_(n_features) {
    if (window_size < 1) {
      fail("window_size is ", window_size, "; expected at least 1; pass the model's window size");
    }
    if (n_features < 1) {
      fail("n_features is ", n_features, "; expected at least 1; pass the number of columns of a row");
    }
    int64_t bytes = checked_multiply(window_size, n_features, "the stream buffer");
    bytes = checked_multiply(bytes, 2 * static_cast<int64_t>(sizeof(float)), "the stream buffer");
    require_memory(bytes, "the stream buffer");
    slots_.resize(static_cast<std::size_t>(bytes) / sizeof(float));
  }

  int64_t window_size() const { return window_size_; }
  int64_t n_features() const { return n_features_; }
  int64_t count() const { return count_; }
  bool ready() const { return count_ >= window_size_; }
  int64_t held() const { return std::min(count_, window_size_); }

  // One row, given as a matrix of one row. A refused row leaves the buffer as it was.
  template <class T>
  void push(const MatrixView<T>& row) {
    require_width(row.cols());
    // Slot p + W lies just behind the current window: a bad row spoils nothing there.
    float* second = slot(next_ + window_size_);
    if (!convert_row<T>(row.row_data(0), row.col_stride(), n_features_, second)) fail_row(row, 0);
    std::memcpy(slot(next_), second, row_bytes());
    advance();
  }

  // Many rows at once; only the last W of them are written. All of them or none.
  template <class T>
  void extend(const MatrixView<T>& rows) {
    require_width(rows.cols());
    for (int64_t t = 0; t < rows.rows(); ++t) {
      if (!is_usable_row(rows, t)) fail_row(rows, t);
    }
    const int64_t skipped = std::max<int64_t>(0, rows.rows() - window_size_);
    count_ += skipped;
    next_ = count_ % window_size_;
    for (int64_t t = skipped; t < rows.rows(); ++t) {
      float* second = slot(next_ + window_size_);
      convert_row<T>(rows.row_data(t), rows.col_stride(), n_features_, second);
      std::memcpy(slot(next_), second, row_bytes());
      advance();
    }
  }

  // The last W rows, oldest first, dense (W, F). Valid until the next change of the buffer.
  const float* window() const {
    if (!ready()) {
      fail("the buffer holds ", count_, " of ", window_size_,
           " rows; expected a full window; push more rows, or ask `ready` first");
    }
    return slot(next_);
  }

  void reset() { count_ = next_ = 0; }

  // The held rows, oldest first, into held() * F floats.
  void copy_rows(float* out) const {
    const int64_t first = ready() ? next_ : 0;
    std::copy_n(slot(first), held() * n_features_, out);  // memcpy forbids null for no rows
  }

  // Puts back what count() and copy_rows() told. Refused input leaves the buffer as it was.
  template <class T>
  void restore(int64_t count, const MatrixView<T>& rows) {
    // The bound keeps the counter from running over after a forged snapshot.
    if (count < 0 || count > kMaxSize / 2 || rows.rows() != std::min(count, window_size_)) {
      fail("the snapshot counts ", count, " rows and holds ", rows.rows(), "; expected ",
           std::min(std::max<int64_t>(count, 0), window_size_),
           "; restore an unchanged snapshot of a buffer of the same window size");
    }
    const int64_t old_count = count_, old_next = next_;
    count_ = count - rows.rows();
    next_ = count_ % window_size_;
    try {
      extend(rows);
    } catch (...) {
      count_ = old_count;
      next_ = old_next;
      throw;
    }
  }

 private:
  std::size_t row_bytes() const { return static_cast<std::size_t>(n_features_) * sizeof(float); }
  float* slot(int64_t index) { return slots_.data() + index * n_features_; }
  const float* slot(int64_t index) const { return slots_.data() + index * n_features_; }

  void advance() {
    ++count_;
    if (++next_ == window_size_) next_ = 0;
  }

  void require_width(int64_t cols) const {
    if (cols != n_features_) {
      fail("a row has ", cols, " values; expected ", n_features_,
           "; pass the features of the model, in its order");
    }
  }

  int64_t window_size_, n_features_;
  int64_t count_ = 0;  // rows ever seen: 64 bits outlast any stream
  int64_t next_ = 0;   // count_ mod W, kept to spare the division
  std::vector<float> slots_;
};

}  // namespace regimetry
