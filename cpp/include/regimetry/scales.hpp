// The density of a row in each of K regimes, each of which moves a scale of its own on every row.
//
// Residual e (K, C) of a row, scale in two parts h and l (K, C) before it:
//   z = e / sqrt(h + l);  u = M z;  q = u / xi if u > 0 else u xi;  d = |q|^2
//   log p = -constant - sum(log(h + l)) / 2 - (nu + C) / 2 log(1 + d / nu)
//   w = (nu + C) / (nu + d);  h <- omega + a w e^2 + b h;  l <- g [e < 0] w e^2 + f l
// No regime's scale depends on which regime held: all K run on every row (Haas, Mittnik, Paolella
// 2004); what a fall adds has a memory of its own. w is the weight of the t distribution: an outlier
// is one row, not a change of scale.
//
// Thread safety: functions of their arguments only; any number of threads on distinct outputs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "regimetry/error.hpp"

namespace regimetry {

// Where a scale stays, whatever the rows: its square root is 1e-4 to 1e3 deviations of training.
constexpr double kLeastScale = 1e-8, kMostScale = 1e6;

// The parameters of K regimes over C channels, dense and row-major. Borrowed.
struct ScaleParameters {
  int64_t k, c;
  const double* table;     // (K, C C + 2 C + 4): M by rows, omega, g, a, b, f, nu
  const double* constant;  // (K,)
  const double* skew;      // (C,), xi

  int64_t width() const { return c * c + 2 * c + 4; }
  const double* factor(int64_t regime) const { return table + regime * width(); }
  const double* omega(int64_t regime) const { return factor(regime) + c * c; }
  const double* leverage(int64_t regime) const { return omega(regime) + c; }
  const double* moves(int64_t regime) const { return leverage(regime) + c; }  // a, b, f, nu
};

// What a row is to a regime. u, q: C numbers, kept for the gradient.
struct ScaledRow {
  double squares, weight, log_density;
};

inline ScaledRow scaled_row(const ScaleParameters& p, int64_t regime, const double* e,
                            const double* h, double* z, double* u) {
  const double* m = p.factor(regime);
  const double nu = p.moves(regime)[3], size = static_cast<double>(p.c);
  double log_scale = 0, d = 0;
  for (int64_t i = 0; i < p.c; ++i) {
    const double scale = h[i] + h[p.c + i];
    z[i] = e[i] / std::sqrt(scale);
    log_scale += std::log(scale);
    double sum = 0;
    for (int64_t j = 0; j <= i; ++j) sum += m[i * p.c + j] * z[j];
    u[i] = sum;
    const double q = sum > 0 ? sum / p.skew[i] : sum * p.skew[i];
    d += q * q;
  }
  return {d, (nu + size) / (nu + d),
          -p.constant[regime] - 0.5 * log_scale - 0.5 * (nu + size) * std::log1p(d / nu)};
}

// h: the 2 C numbers of one regime, h and behind it l.
inline void move_scales(const ScaleParameters& p, int64_t regime, const double* e, double weight,
                        double* h) {
  const double *omega = p.omega(regime), *g = p.leverage(regime), *moves = p.moves(regime);
  for (int64_t i = 0; i < p.c; ++i) {
    const double square = weight * e[i] * e[i], fall = e[i] < 0 ? g[i] * square : 0.0;
    h[i] = std::clamp(omega[i] + moves[0] * square + moves[1] * h[i], kLeastScale, kMostScale);
    h[p.c + i] = std::min(fall + moves[2] * h[p.c + i], kMostScale);
  }
}

// Rows [first, first + n) of residuals (N, K, C). `state` (K, 2, C) is read and overwritten;
// densities (N, K) and scales (N, K, 2, C), those after each row, are written at the rows' places.
inline void scale_forward(const ScaleParameters& p, const double* residuals, int64_t first,
                          int64_t n, double* state, double* densities, double* scales) {
  std::vector<double> work(static_cast<std::size_t>(2 * p.c));
  const int64_t size = p.k * p.c;
  for (int64_t t = first; t < first + n; ++t) {
    for (int64_t k = 0; k < p.k; ++k) {
      const double* e = residuals + t * size + k * p.c;
      double* h = state + 2 * k * p.c;
      const auto row = scaled_row(p, k, e, h, work.data(), work.data() + p.c);
      if (!std::isfinite(row.log_density)) {
        fail("residual row ", t, " has no finite density in regime ", k,
             "; expected finite numbers; drop the rows with missing values first");
      }
      densities[t * p.k + k] = row.log_density;
      move_scales(p, k, e, row.weight, h);
      std::copy_n(h, 2 * p.c, scales + 2 * (t * size + k * p.c));
    }
  }
}

// Gradient of sum over rows and regimes of weights (N, K) * log p, one pass back over the rows of
// one series that began with the scales `begin` (K, 2, C); `scales` (N, K, 2, C) are those of
// scale_forward. Writes residual_gradient (N, K, C) at the rows' places, adds to the gradients of
// table and skew and to that of `begin`. The constant is the caller's.
inline void scale_backward(const ScaleParameters& p, const double* residuals, const double* weights,
                           int64_t first, int64_t n, const double* begin, const double* scales,
                           double* residual_gradient, double* table_gradient,
                           double* skew_gradient, double* begin_gradient) {
  const int64_t size = p.k * p.c;
  const double channels = static_cast<double>(p.c);
  std::vector<double> work(static_cast<std::size_t>(5 * p.c));
  // later, fallen: the gradient of both parts of the scales after the row.
  double *z = work.data(), *u = z + p.c, *gz = u + p.c, *later = gz + p.c, *fallen = later + p.c;
  for (int64_t k = 0; k < p.k; ++k) {
    const double *m = p.factor(k), *g = p.leverage(k), *moves = p.moves(k);
    double* gm = table_gradient + k * p.width();
    double *gomega = gm + p.c * p.c, *gleverage = gomega + p.c, *gmoves = gleverage + p.c;
    const double nu = moves[3];
    std::fill_n(later, 2 * p.c, 0.0);
    for (int64_t t = first + n - 1; t >= first; --t) {
      const double* e = residuals + t * size + k * p.c;
      const double* h = t > first ? scales + 2 * ((t - 1) * size + k * p.c) : begin + 2 * k * p.c;
      const double* after = scales + 2 * (t * size + k * p.c);
      double* ge = residual_gradient + t * size + k * p.c;
      const double weight = weights[t * p.k + k];
      const auto row = scaled_row(p, k, e, h, z, u);
      const double d = row.squares;
      double gw = 0;  // of the weight w
      for (int64_t i = 0; i < p.c; ++i) {
        // A scale at its limit does not move with its parameters.
        if (after[i] <= kLeastScale || after[i] >= kMostScale) later[i] = 0;
        if (after[p.c + i] >= kMostScale) fallen[i] = 0;
        const double low = e[i] < 0 ? 1.0 : 0.0, square = e[i] * e[i];
        gw += (later[i] * moves[0] + fallen[i] * low * g[i]) * square;
        gomega[i] += later[i];
        gleverage[i] += fallen[i] * low * row.weight * square;
        gmoves[0] += later[i] * row.weight * square;
        gmoves[1] += later[i] * h[i];
        gmoves[2] += fallen[i] * h[p.c + i];
      }
      const double gd = -0.5 * weight * (nu + channels) / (nu + d) - gw * row.weight / (nu + d);
      gmoves[3] +=
          weight * (0.5 * (nu + channels) * d / (nu * (nu + d)) - 0.5 * std::log1p(d / nu)) +
          gw * (1.0 - row.weight) / (nu + d);
      std::fill_n(gz, p.c, 0.0);
      for (int64_t i = 0; i < p.c; ++i) {
        const bool up = u[i] > 0;
        const double xi = p.skew[i], q = up ? u[i] / xi : u[i] * xi, gq = 2 * gd * q;
        skew_gradient[i] += gq * (up ? -u[i] / (xi * xi) : u[i]);
        const double gu = gq * (up ? 1.0 / xi : xi);
        for (int64_t j = 0; j <= i; ++j) {
          gm[i * p.c + j] += gu * z[j];
          gz[j] += gu * m[i * p.c + j];
        }
      }
      for (int64_t i = 0; i < p.c; ++i) {
        const double scale = h[i] + h[p.c + i], low = e[i] < 0 ? g[i] : 0.0;
        const double shock = later[i] * moves[0] + fallen[i] * low;
        const double by_scale = -0.5 * (gz[i] * z[i] + weight) / scale;
        ge[i] = gz[i] / std::sqrt(scale) + 2 * shock * row.weight * e[i];
        later[i] = moves[1] * later[i] + by_scale;
        fallen[i] = moves[2] * fallen[i] + by_scale;
      }
    }
    for (int64_t i = 0; i < 2 * p.c; ++i) begin_gradient[2 * k * p.c + i] += later[i];
  }
}

}  // namespace regimetry
