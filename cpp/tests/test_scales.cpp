#include "regimetry/scales.hpp"

#include <cmath>
#include <random>
#include <vector>

#include "check.hpp"

using namespace regimetry;

namespace {

struct Case {
  int64_t k, c, n;
  std::vector<double> table, constant, skew, begin, rows, weights;

  Case(int64_t k_, int64_t c_, int64_t n_, std::mt19937& random) : k(k_), c(c_), n(n_) {
    std::normal_distribution<double> normal;
    const auto add = [](std::vector<double>& to, double value) { to.push_back(value); };
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t a = 0; a < c; ++a) {
        for (int64_t b = 0; b < c; ++b) add(table, a == b ? 1.0 : b < a ? 0.3 * normal(random) : 0);
      }
      for (int64_t a = 0; a < c; ++a) add(table, 0.1);
      for (int64_t a = 0; a < c; ++a) add(table, 0.05);
      for (const double move : {0.08, 0.8, 0.6, 5.0}) add(table, move);
      add(constant, 1.0);
      for (int64_t a = 0; a < 2 * c; ++a) add(begin, 0.5);
    }
    for (int64_t a = 0; a < c; ++a) add(skew, 0.8 + 0.2 * static_cast<double>(a));
    for (int64_t i = 0; i < n * k * c; ++i) add(rows, normal(random));
    for (int64_t i = 0; i < n * k; ++i) add(weights, std::abs(normal(random)));
  }

  ScaleParameters parameters() const {
    return {k, c, table.data(), constant.data(), skew.data()};
  }
  double value(std::vector<double>* scales = nullptr) const {
    std::vector<double> density(static_cast<std::size_t>(n * k)),
        after(static_cast<std::size_t>(2 * n * k * c)), state(begin);
    scale_forward(parameters(), rows.data(), 0, n, state.data(), density.data(), after.data());
    double total = 0;
    for (std::size_t i = 0; i < density.size(); ++i) total += weights[i] * density[i];
    if (scales != nullptr) *scales = after;
    return total;
  }
};

bool close(double found, double expected) {
  return std::abs(found - expected) < 1e-5 * (1 + std::abs(expected));
}

// The gradient of one pass back is that of differences, of every number.
void compare_with_differences(Case one) {
  std::vector<double> scales, of_rows(one.rows.size()), of_table(one.table.size(), 0.0),
      of_skew(one.skew.size(), 0.0), of_begin(one.begin.size(), 0.0);
  one.value(&scales);
  scale_backward(one.parameters(), one.rows.data(), one.weights.data(), 0, one.n, one.begin.data(),
                 scales.data(), of_rows.data(), of_table.data(), of_skew.data(), of_begin.data());
  const auto check = [&](std::vector<double>& numbers, const std::vector<double>& gradient) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double kept = numbers[i], step = 1e-6;
      numbers[i] = kept + step;
      const double high = one.value();
      numbers[i] = kept - step;
      const double low = one.value();
      numbers[i] = kept;
      // What stands above the diagonal is not read.
      if (high != low || gradient[i] != 0) CHECK(close(gradient[i], (high - low) / (2 * step)));
    }
  };
  check(one.rows, of_rows);
  check(one.table, of_table);
  check(one.skew, of_skew);
  check(one.begin, of_begin);
}

// A pass over a part goes on where the last one stopped, to the bit.
void compare_parts(const Case& one) {
  std::vector<double> scales, density(static_cast<std::size_t>(one.n * one.k)), parts(density),
      after(static_cast<std::size_t>(2 * one.n * one.k * one.c)), state(one.begin);
  one.value(&scales);
  std::vector<double> whole(one.begin);
  scale_forward(one.parameters(), one.rows.data(), 0, one.n, whole.data(), density.data(),
                after.data());
  for (int64_t t = 0; t < one.n; ++t) {
    scale_forward(one.parameters(), one.rows.data(), t, 1, state.data(), parts.data(),
                  after.data());
  }
  CHECK(parts == density);
  CHECK(state == whole);
  CHECK(after == scales);
}

}  // namespace

int main() {
  std::mt19937 random(0);
  for (const int64_t c : {1, 2, 4}) {
    compare_with_differences(Case(2, c, 12, random));
    compare_parts(Case(3, c, 30, random));
  }
  // Whatever comes, scales keep to their limits, and what is not finite is refused.
  Case wild(1, 1, 3, random);
  wild.rows = {1e100, -1e-100, 0.0};
  std::vector<double> scales;
  wild.value(&scales);
  for (std::size_t t = 0; t < 3; ++t) CHECK(scales[2 * t] >= kLeastScale && scales[2 * t] <= kMostScale);
  wild.rows[1] = std::nan("");
  check_refused("row 1 has no finite density in regime 0", [&] { wild.value(); });
}
