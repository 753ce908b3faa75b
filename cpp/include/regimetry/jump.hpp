// The price for jumping: V_t = d_t + min(V_{t-1}, min(V_{t-1}) + penalty), label = argmin V_t.
//
// Each V is stored less its minimum, which changes no label, keeps the numbers small however long
// the series, and makes a restart from the last V bit-identical to one pass. A stream that begins
// starts from zeros. Ties go to the lowest index.
//
// Thread safety: functions of their arguments only; any number of threads on distinct outputs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"

namespace regimetry {

inline void require_penalty(double penalty) {
  if (!(penalty >= 0)) {
    fail("penalty is ", penalty, "; expected a number >= 0; pass 0 for no price on a change");
  }
}

template <class T>
[[noreturn]] void fail_distance(const MatrixView<T>& distance, int64_t row) {
  int64_t k = 0;
  while (k + 1 < distance.cols() && std::isfinite(distance(row, k))) ++k;
  fail("distance row ", row, " holds ", distance(row, k), " in column ", k,
       "; expected finite numbers; drop the windows with missing values first");
}

// A state given from outside, less its minimum.
inline void normalise_state(double* state, int64_t k_count) {
  const double low = *std::min_element(state, state + k_count);
  for (int64_t k = 0; k < k_count; ++k) state[k] -= low;
}

// One row of the recursion; `after` may be `before`. Returns the label.
template <class T>
int64_t jump_step(const MatrixView<T>& distance, int64_t row, double penalty, const double* before,
                  double* after) {
  const char* at = distance.row_data(row);
  const int64_t k_count = distance.cols();
  double low = std::numeric_limits<double>::infinity();
  int64_t label = 0;
  bool finite = true;
  for (int64_t k = 0; k < k_count; ++k, at += distance.col_stride()) {
    const double d = static_cast<double>(MatrixView<T>::load(at));
    finite &= std::fabs(d) <= std::numeric_limits<double>::max();
    const double v = d + std::min(before[k], penalty);
    after[k] = v;
    label = v < low ? k : label;
    low = v < low ? v : low;
  }
  if (!finite) fail_distance(distance, row);
  for (int64_t k = 0; k < k_count; ++k) after[k] -= low;
  return label;
}

// The three below take the rows [first, first + n) of all the rows, and write at the same places of
// labels (N,) and values (N, K): one call for each series, and a bad row is named as the caller
// counts it.

// Causal pass. `state` (K, normalised) is where it starts.
template <class T>
void jump_forward(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
                  const double* state, int64_t* labels, double* values) {
  const double* before = state;
  for (int64_t t = first; t < first + n; ++t) {
    double* after = values + t * distance.cols();
    labels[t] = jump_step(distance, t, penalty, before, after);
    before = after;
  }
}

// Causal pass that keeps only the last V: `state` is read and overwritten.
template <class T>
void jump_labels(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
                 double* state, int64_t* labels) {
  for (int64_t t = first; t < first + n; ++t) {
    labels[t] = jump_step(distance, t, penalty, state, state);
  }
}

// The path that minimises sum of d[t, s_t] + penalty * changes, by dynamic programming. Ties:
// staying beats changing, the lowest last state wins. Memory: one bit for each distance.
template <class T>
void jump_path(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
               int64_t* labels) {
  if (n == 0) return;
  const int64_t k_count = distance.cols(), words = (k_count + 63) / 64;
  std::vector<std::uint64_t> changed(static_cast<std::size_t>(checked_multiply(n, words, "the path")));
  std::vector<double> state(static_cast<std::size_t>(k_count), 0.0);
  labels += first;
  for (int64_t t = 0; t < n; ++t) {
    std::uint64_t* bits = changed.data() + t * words;
    for (int64_t k = 0; k < k_count; ++k) {
      const std::uint64_t bit = state[static_cast<std::size_t>(k)] > penalty ? 1 : 0;
      bits[k / 64] |= bit << (k % 64);
    }
    labels[t] = jump_step(distance, first + t, penalty, state.data(), state.data());
  }
  // labels[t] is the cheapest state at t: where a change into t is cheaper, it came from there.
  int64_t s = labels[n - 1];
  for (int64_t t = n - 1; t > 0; --t) {
    const int64_t cheapest_before = labels[t - 1];
    labels[t] = s;
    if ((changed[static_cast<std::size_t>(t * words + s / 64)] >> (s % 64)) & 1) s = cheapest_before;
  }
  labels[0] = s;
}

}  // namespace regimetry
