// A live series in C++: rows in, windows out, distances to regimes, causal labels.
#include <regimetry/jump.hpp>
#include <regimetry/stream_buffer.hpp>

#include <cmath>
#include <iostream>
#include <vector>

int main() {
  constexpr std::int64_t window_size = 8, n_features = 2, n_regimes = 2;
  regimetry::StreamBuffer buffer(window_size, n_features);
  std::vector<double> state(n_regimes, 0.0);  // where a stream begins
  int changes = 0;
  std::int64_t regime = -1;

  for (int t = 0; t < 200; ++t) {
    const double level = t < 100 ? 0.0 : 3.0;  // the regime changes at bar 100
    const double row[n_features] = {level + std::sin(t), level + std::cos(t)};
    buffer.push(regimetry::MatrixView<double>(row, 1, n_features));
    if (!buffer.ready()) continue;

    // The model would stand here; the distance of the window's mean to two levels stands in.
    double mean = 0;
    for (int i = 0; i < window_size * n_features; ++i) mean += buffer.window()[i];
    mean /= window_size * n_features;
    const double distance[n_regimes] = {std::fabs(mean), std::fabs(mean - 3.0)};

    std::int64_t label = 0;
    regimetry::jump_labels(regimetry::MatrixView<double>(distance, 1, n_regimes), 0, 1, 1.0,
                           state.data(), &label);
    if (label != regime) {
      std::cout << "bar " << t << ": regime " << label << '\n';
      regime = label;
      ++changes;
    }
  }

  try {
    const double bad[n_features] = {std::nan(""), 0.0};
    buffer.push(regimetry::MatrixView<double>(bad, 1, n_features));
    return 1;
  } catch (const regimetry::DataError& error) {
    std::cout << "refused: " << error.what() << '\n';
  }
  return changes == 2 && regime == 1 ? 0 : 1;
}
