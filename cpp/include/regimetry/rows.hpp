// Single rows of a matrix: copied, and refused where the model could not read them.
#pragma once

#include <cstdint>
#include <type_traits>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"

namespace regimetry {

// Calls f(stride) with the column stride: as a constant where the row is dense, which the compiler
// turns into whole vectors.
template <class T, class F>
auto with_stride(std::ptrdiff_t col_stride, F&& f) {
  using Dense = std::integral_constant<std::ptrdiff_t, static_cast<std::ptrdiff_t>(sizeof(T))>;
  return col_stride == Dense::value ? f(Dense()) : f(col_stride);
}

// Copies one row to To, float or double. False when a value is not finite in float32.
template <class T, class To>
bool convert_row(const char* from, std::ptrdiff_t col_stride, int64_t cols, To* to) {
  return with_stride<T>(col_stride, [=](auto stride) {
    int unusable = 0;
    for (int64_t f = 0; f < cols; ++f) {
      const T value = MatrixView<T>::load(from + f * stride);
      unusable |= static_cast<int>(!is_usable(value));
      to[f] = static_cast<To>(value);
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

}  // namespace regimetry
