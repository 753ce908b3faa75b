// The price for jumping: V_t = d_t + min(V_{t-1}, min(V_{t-1}) + penalty), label = argmin V_t.
//
// Each V is stored less its minimum, which changes no label, keeps the numbers small however long
// the series, and makes a restart from the last V bit-identical to one pass. A stream that begins
// starts from zeros. Ties go to the lowest index.
//
// Thread safety: functions of their arguments only; any number of threads on distinct outputs.
#pragma once

#include <algorithm>
#include <array>
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

template <class T>
void require_finite(const MatrixView<T>& distance, int64_t first, int64_t n) {
  for (int64_t t = first; t < first + n; ++t) {
    for (int64_t k = 0; k < distance.cols(); ++k) {
      if (!std::isfinite(distance(t, k))) fail_distance(distance, t);
    }
  }
}

// The least of v[From] ... v[To - 1] by halves: a short chain, where a running minimum is a long one.
template <int64_t From, int64_t To>
double least(const double* v) {
  if constexpr (To - From == 1) {
    return v[From];
  } else {
    constexpr int64_t middle = From + (To - From) / 2;
    return std::min(least<From, middle>(v), least<middle, To>(v));
  }
}

// The recursion over rows [first, first + n). K is the number of regimes where the compiler is to
// know it, so that the costs stay in registers, and 0 where it is distance.cols(). `state` is read
// and overwritten; keep(t, V_t, K) is called after each row.
template <int64_t K, class T, class Keep>
void jump_rows(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
               double* state, int64_t* labels, Keep&& keep) {
  const int64_t k_count = K > 0 ? K : distance.cols();
  std::array<double, static_cast<std::size_t>(K)> local;
  double* v = K > 0 ? local.data() : state;
  if (K > 0) std::copy_n(state, k_count, v);
  double poison = 0;  // becomes NaN when a distance is not finite, or a sum of them overflows
  for (int64_t t = first; t < first + n; ++t) {
    const char* at = distance.row_data(t);
    double sum = 0;
    for (int64_t k = 0; k < k_count; ++k, at += distance.col_stride()) {
      const double d = static_cast<double>(MatrixView<T>::load(at));
      v[k] = d + std::min(v[k], penalty);
      sum += d;
    }
    poison += sum * 0;
    double low;
    if constexpr (K > 0) {
      low = least<0, K>(v);
    } else {
      low = *std::min_element(v, v + k_count);
    }
    // The label is counted, not searched: a branch on the data would be guessed wrong too often.
    int64_t label = 0, dearer = 1;
    for (int64_t k = 0; k < k_count; ++k) {
      v[k] -= low;
      dearer &= static_cast<int64_t>(v[k] > 0);
      label += dearer;
    }
    labels[t] = label;
    keep(t, static_cast<const double*>(v), k_count);
  }
  if (K > 0) std::copy_n(v, k_count, state);
  if (poison != 0) require_finite(distance, first, n);
}

template <class T, class Keep>
void jump_pass(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
               double* state, int64_t* labels, Keep&& keep) {
  switch (distance.cols()) {
    case 2: return jump_rows<2>(distance, first, n, penalty, state, labels, keep);
    case 3: return jump_rows<3>(distance, first, n, penalty, state, labels, keep);
    case 4: return jump_rows<4>(distance, first, n, penalty, state, labels, keep);
    case 5: return jump_rows<5>(distance, first, n, penalty, state, labels, keep);
    case 6: return jump_rows<6>(distance, first, n, penalty, state, labels, keep);
    case 7: return jump_rows<7>(distance, first, n, penalty, state, labels, keep);
    case 8: return jump_rows<8>(distance, first, n, penalty, state, labels, keep);
    default: return jump_rows<0>(distance, first, n, penalty, state, labels, keep);
  }
}

// The functions below take the rows [first, first + n) of all the rows, and write at the same places
// of labels (N,), values (N, K), probabilities (N, K) and means (N,): one call for each series, and a
// bad row is named as the caller counts it.

// Causal pass of a series that begins here; keeps the labels alone.
template <class T>
void jump_labels(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
                 int64_t* labels) {
  std::vector<double> state(static_cast<std::size_t>(distance.cols()));
  jump_pass(distance, first, n, penalty, state.data(), labels,
            [](int64_t, const double*, int64_t) {});
}

// Causal pass. Keeps every V and softmax(-sharpness V); `state` (K, normalised) is read and
// overwritten.
template <class T>
void jump_forward(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
                  double sharpness, double* state, int64_t* labels, double* values,
                  double* probabilities) {
  const auto keep = [=](int64_t t, const double* v, int64_t k_count) {
    double total = 0;
    double* weights = probabilities + t * k_count;
    for (int64_t k = 0; k < k_count; ++k) {
      values[t * k_count + k] = v[k];
      total += weights[k] = std::exp(-sharpness * v[k]);
    }
    for (int64_t k = 0; k < k_count; ++k) weights[k] /= total;
  };
  jump_pass(distance, first, n, penalty, state, labels, keep);
}

// m += memory (x - m) over a row of values; NaN, as the mean before the first, is replaced by x.
template <class T>
void running_mean(const MatrixView<T>& values, int64_t first, int64_t n, double memory, double mean,
                  double* means) {
  for (int64_t t = first; t < first + n; ++t) {
    const double x = static_cast<double>(values(0, t));
    mean = std::isnan(mean) ? x : mean + memory * (x - mean);
    means[t] = mean;
  }
}

// The path that minimises sum of d[t, s_t] + penalty * changes, by dynamic programming. Ties:
// staying beats changing, the lowest last state wins. Memory: a bit for each distance, in words of
// 64 for each row.
template <class T>
void jump_path(const MatrixView<T>& distance, int64_t first, int64_t n, double penalty,
               int64_t* labels) {
  if (n == 0) return;
  const int64_t words = (distance.cols() + 63) / 64;
  // changes[t]: the states that are reached more cheaply by a change from the cheapest of t than
  // by staying.
  std::vector<std::uint64_t> changes(
      static_cast<std::size_t>(checked_multiply(n, words, "the path")));
  std::vector<double> state(static_cast<std::size_t>(distance.cols()), 0.0);
  std::uint64_t* bits = changes.data();
  const auto keep = [&](int64_t, const double* v, int64_t k_count) {
    for (int64_t k = 0; k < k_count; k += 64) {
      const int64_t here = std::min<int64_t>(k_count - k, 64);
      std::uint64_t word = 0;
      for (int64_t i = 0; i < here; ++i) word |= std::uint64_t{v[k + i] > penalty} << i;
      *bits++ = word;
    }
  };
  jump_pass(distance, first, n, penalty, state.data(), labels, keep);
  // labels[t] is the cheapest state at t; from the last row back, each becomes that of the path.
  labels += first;
  int64_t s = labels[n - 1];
  for (int64_t t = n - 2; t >= 0; --t) {
    const std::uint64_t word = changes[static_cast<std::size_t>(t * words + s / 64)];
    if (((word >> (s % 64)) & 1) == 0) labels[t] = s;
    s = labels[t];
  }
}

}  // namespace regimetry
