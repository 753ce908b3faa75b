// What a density says of the row that came, and of the next one: one step of a live series.
//
// Rows are read as a model reads them: differenced or not, less their mean, in deviations of
// training. The step moves the scales of every regime and, where the density has a filter of its
// own, the weights of the regimes.
//
// Thread safety: a step changes nothing but its output; any number of threads on distinct outputs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "regimetry/matrix_view.hpp"
#include "regimetry/scales.hpp"

namespace regimetry {

enum class Transform : int64_t { level = 0, difference = 1, log_difference = 2 };

// Where a series stands: scales (K, 2 C) of the next row, weights (K) after the last one.
struct OutlookState {
  std::vector<double> scales, weights;
};

// What is said: of the row that came its log density, of the next one mean and deviation (C).
struct OutlookOfRow {
  double log_score;
  std::vector<double> mean, deviation;
};

struct OutlookModel {
  int64_t k, c, order;
  bool differs;      // whether any column of the model does, so that a row needs the one before it
  bool own_weights;  // whether the density's own filter gives the weights
  std::vector<int64_t> channels, transforms;            // (C,)
  std::vector<double> mean, deviation;                  // (C,)
  std::vector<double> coefficients;                     // (K, 1 + P C, C)
  std::vector<double> table, constant, skew;            // as ScaleParameters
  std::vector<double> unit_mean, unit_variance, chain;  // (K, C), (K, C), (K, K)

  int64_t rows() const { return order + 1 + (differs ? 1 : 0); }

  // Takes the row that a window (R, F) ends with; `probability` (K) of the regimes after it is read
  // where the density has no filter of its own.
  template <class T>
  OutlookOfRow step(const MatrixView<T>& window, const double* probability,
                    OutlookState& state) const {
    const ScaleParameters p{k, c, table.data(), constant.data(), skew.data()};
    const auto read = newest(window);
    std::vector<double> before = moved(state.weights), logs(size(k)), e(size(c)), work(size(2 * c));
    for (int64_t i = 0; i < k; ++i) {
      expected(i, read, 1, e.data());
      for (int64_t j = 0; j < c; ++j) e[size(j)] = read[size(order * c + j)] - e[size(j)];
      double* h = state.scales.data() + 2 * i * c;
      const auto row = scaled_row(p, i, e.data(), h, work.data(), work.data() + c);
      logs[size(i)] = row.log_density;
      move_scales(p, i, e.data(), row.weight, h);
    }
    const double top = *std::max_element(logs.begin(), logs.end());
    double total = 0, unit = 0;
    for (int64_t i = 0; i < k; ++i) {
      before[size(i)] *= std::exp(logs[size(i)] - top);
      total += before[size(i)];
    }
    for (const double one : deviation) unit += std::log(one);
    for (int64_t i = 0; i < k; ++i) {
      state.weights[size(i)] = own_weights || k == 1 ? before[size(i)] / total : probability[i];
    }
    OutlookOfRow out{top + std::log(std::max(total, std::exp(-700.0))) - unit,
                     std::vector<double>(size(c)), std::vector<double>(size(c))};
    look_ahead(read, state, e, out);
    return out;
  }

 private:
  static std::size_t size(int64_t number) { return static_cast<std::size_t>(number); }

  // The last P + 1 rows in units of training, (P + 1, C).
  template <class T>
  std::vector<double> newest(const MatrixView<T>& window) const {
    std::vector<double> out(size((order + 1) * c));
    const int64_t first = window.rows() - order - 1;
    for (int64_t t = 0; t <= order; ++t) {
      for (int64_t j = 0; j < c; ++j) {
        double x = static_cast<double>(window(first + t, channels[size(j)]));
        const auto kind = static_cast<Transform>(transforms[size(j)]);
        if (kind != Transform::level) {
          const double last = static_cast<double>(window(first + t - 1, channels[size(j)]));
          x = kind == Transform::difference ? x - last : std::log(x / last);
        }
        out[size(t * c + j)] = (x - mean[size(j)]) / deviation[size(j)];
      }
    }
    return out;
  }

  // Where regime i expects the row `back` rows after the last one but one: 1 is the last, 0 the next.
  void expected(int64_t i, const std::vector<double>& read, int64_t back, double* out) const {
    const double* b = coefficients.data() + i * (1 + order * c) * c;
    for (int64_t j = 0; j < c; ++j) out[j] = b[j];
    for (int64_t lag = 1; lag <= order; ++lag) {
      const double* row = read.data() + (order + 1 - back - lag) * c;
      for (int64_t from = 0; from < c; ++from) {
        const double* slope = b + (1 + (lag - 1) * c + from) * c;
        for (int64_t j = 0; j < c; ++j) out[j] += row[from] * slope[j];
      }
    }
  }

  std::vector<double> moved(const std::vector<double>& weights) const {
    std::vector<double> out(size(k), 0.0);
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t j = 0; j < k; ++j) out[size(j)] += weights[size(i)] * chain[size(i * k + j)];
    }
    return out;
  }

  // Mean and deviation of the mixture of the next row, in the columns' own units.
  void look_ahead(const std::vector<double>& read, const OutlookState& state,
                  std::vector<double>& location, OutlookOfRow& out) const {
    const auto weights = moved(state.weights);
    std::vector<double> squares(size(c), 0.0);  // about the mean of training
    for (int64_t i = 0; i < k; ++i) {
      expected(i, read, 0, location.data());
      for (int64_t j = 0; j < c; ++j) {
        const double h = state.scales[size(2 * i * c + j)] + state.scales[size((2 * i + 1) * c + j)];
        const double centre = location[size(j)] + std::sqrt(h) * unit_mean[size(i * c + j)];
        out.mean[size(j)] += weights[size(i)] * centre;
        squares[size(j)] +=
            weights[size(i)] * (unit_variance[size(i * c + j)] * h + centre * centre);
      }
    }
    for (int64_t j = 0; j < c; ++j) {
      const double centre = out.mean[size(j)];
      const double variance = std::max(squares[size(j)] - centre * centre, 0.0);
      out.deviation[size(j)] = std::sqrt(variance) * deviation[size(j)];
      out.mean[size(j)] = centre * deviation[size(j)] + mean[size(j)];
    }
  }
};

}  // namespace regimetry
