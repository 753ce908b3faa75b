// A live series in C++: rows in, windows out, distances to regimes, causal labels.
#include <regimetry/jump.hpp>
#include <regimetry/stream_bank.hpp>

#include <cmath>
#include <iostream>
#include <utility>
#include <vector>

int main() {
  constexpr std::int64_t window_size = 8, n_features = 2, n_regimes = 2;
  regimetry::StreamBank bank(1, window_size, n_features, 1);  // of one series, number 0
  std::vector<float> window(window_size * n_features);
  std::vector<double> state(n_regimes, 0.0);  // where a stream begins
  int changes = 0;
  std::int64_t regime = -1;

  for (int t = 0; t < 200; ++t) {
    const double level = t < 100 ? 0.0 : 3.0;  // the regime changes at bar 100
    const double row[n_features] = {level + std::sin(t), level + std::cos(t)};
    const regimetry::MatrixView<double> view(row, 1, n_features);
    std::int64_t id = -1;  // of the series whose window is full
    bank.stage({0}, view, 1, [&](std::int64_t) { return std::make_pair(&id, window.data()); });
    bank.commit({0}, view, {}, regimetry::MatrixView<double>(nullptr, 0, 0));
    if (id < 0) continue;

    // The model would stand here; the distance of the window's mean to two levels stands in.
    double mean = 0;
    for (const float value : window) mean += value;
    mean /= window_size * n_features;
    const double distance[n_regimes] = {std::fabs(mean), std::fabs(mean - 3.0)};

    std::int64_t label = 0;
    double values[n_regimes], probabilities[n_regimes];
    regimetry::jump_forward(regimetry::MatrixView<double>(distance, 1, n_regimes), 0, 1, 1.0, 1.0,
                            state.data(), &label, values, probabilities);
    if (label != regime) {
      std::cout << "bar " << t << ": regime " << label << '\n';
      regime = label;
      ++changes;
    }
  }

  try {
    const double bad[n_features] = {std::nan(""), 0.0};
    bank.commit({0}, regimetry::MatrixView<double>(bad, 1, n_features), {},
                regimetry::MatrixView<double>(nullptr, 0, 0));
    return 1;
  } catch (const regimetry::DataError& error) {
    std::cout << "refused: " << error.what() << '\n';
  }
  return changes == 2 && regime == 1 ? 0 : 1;
}
