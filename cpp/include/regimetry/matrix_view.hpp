// A read-only matrix over memory that somebody else owns, of any byte strides.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "regimetry/geometry.hpp"

namespace regimetry {

template <class T>
class MatrixView {
 public:
  using value_type = T;

  MatrixView(const void* data, int64_t rows, int64_t cols, std::ptrdiff_t row_stride,
             std::ptrdiff_t col_stride)
      : data_(static_cast<const char*>(data)),
        rows_(rows),
        cols_(cols),
        row_stride_(row_stride),
        col_stride_(col_stride) {}

  // Row-major and dense.
  MatrixView(const T* data, int64_t rows, int64_t cols)
      : MatrixView(data, rows, cols,
                   static_cast<std::ptrdiff_t>(sizeof(T)) * static_cast<std::ptrdiff_t>(cols),
                   static_cast<std::ptrdiff_t>(sizeof(T))) {}

  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  std::ptrdiff_t row_stride() const { return row_stride_; }
  std::ptrdiff_t col_stride() const { return col_stride_; }
  const char* row_data(int64_t row) const {
    return data_ + static_cast<std::ptrdiff_t>(row) * row_stride_;
  }

  // Loads through memcpy, since a view may be misaligned; compiles to one load.
  static T load(const char* at) {
    T value;
    std::memcpy(&value, at, sizeof(T));
    return value;
  }

  T operator()(int64_t row, int64_t col) const {
    return load(row_data(row) + static_cast<std::ptrdiff_t>(col) * col_stride_);
  }

  // The elements of one row lie side by side.
  bool rows_are_dense() const {
    return cols_ <= 1 || col_stride_ == static_cast<std::ptrdiff_t>(sizeof(T));
  }

  // The elements of one column lie closer together than those of a row: loops that touch all of
  // them follow the memory. Unsigned, since the least negative stride has no positive twin.
  bool is_column_major() const { return distance(row_stride_) < distance(col_stride_); }

  MatrixView slice(int64_t first, int64_t count) const {
    return {row_data(first), count, cols_, row_stride_, col_stride_};
  }

 private:
  static std::size_t distance(std::ptrdiff_t stride) {
    const auto bits = static_cast<std::size_t>(stride);
    return stride < 0 ? std::size_t{0} - bits : bits;
  }

  const char* data_;
  int64_t rows_, cols_;
  std::ptrdiff_t row_stride_, col_stride_;
};

// What the model can read: finite once it is float32 (1e300 is not).
inline bool is_usable(float x) { return std::fabs(x) <= std::numeric_limits<float>::max(); }
inline bool is_usable(double x) {
  return std::fabs(x) <= static_cast<double>(std::numeric_limits<float>::max());
}

}  // namespace regimetry
