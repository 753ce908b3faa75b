#include "regimetry/jump.hpp"

#include <random>
#include <vector>

#include "check.hpp"

using namespace regimetry;

namespace {

double cost_of(const std::vector<double>& d, const std::vector<int64_t>& path, int64_t k,
               double penalty) {
  double cost = 0;
  for (std::size_t t = 0; t < path.size(); ++t) {
    cost += d[t * static_cast<std::size_t>(k) + static_cast<std::size_t>(path[t])];
    if (t > 0 && path[t] != path[t - 1]) cost += penalty;
  }
  return cost;
}

// The best path, and the least cost with each last state, by trying all of them.
void compare_with_search(int64_t n, int64_t k, double penalty, std::mt19937& random) {
  std::vector<double> d;
  for (int64_t i = 0; i < n * k; ++i) d.push_back(static_cast<double>(random() % 7));
  const MatrixView<double> view(d.data(), n, k);
  std::vector<double> state(static_cast<std::size_t>(k));
  std::vector<int64_t> labels(static_cast<std::size_t>(n)), path(labels),
      best(static_cast<std::size_t>(k));
  std::vector<double> values(d.size()), shares(d.size());
  jump_forward(view, 0, n, penalty, 0.5, state.data(), labels.data(), values.data(), shares.data());
  jump_path(view, 0, n, penalty, path.data());

  std::vector<double> least(static_cast<std::size_t>(k), 1e300);
  std::vector<int64_t> trial(static_cast<std::size_t>(n), 0);
  while (true) {
    double& slot = least[static_cast<std::size_t>(trial.back())];
    slot = std::min(slot, cost_of(d, trial, k, penalty));
    std::size_t t = 0;
    while (t < trial.size() && ++trial[t] == k) trial[t++] = 0;
    if (t == trial.size()) break;
  }
  const double low = *std::min_element(least.begin(), least.end());
  CHECK(cost_of(d, path, k, penalty) == low);
  for (int64_t i = 0; i < k; ++i) {
    // V of the last row is the least cost of all paths that end in each state.
    CHECK(values[static_cast<std::size_t>((n - 1) * k + i)] ==
          least[static_cast<std::size_t>(i)] - low);
  }
}

// A restart from any row is bit-identical; the passes agree with each other and with the
// definition; widths with and without a loop of their own, beyond one word of bits as well.
void compare_passes(int64_t k, std::mt19937& random) {
  constexpr int64_t n = 80;
  const auto size = static_cast<std::size_t>(n * k);
  std::vector<float> d(size);
  for (float& x : d) x = static_cast<float>(random() % 1000) / 7.0F;
  const MatrixView<float> view(d.data(), n, k);
  const std::vector<double> zeros(static_cast<std::size_t>(k));
  std::vector<double> state(zeros), whole(size), parts(size), shares(size);
  std::vector<int64_t> labels(n), again(n);
  jump_forward(view, 0, n, 30.0, 0.5, state.data(), labels.data(), whole.data(), shares.data());
  CHECK(std::equal(state.begin(), state.end(), whole.end() - k));

  std::vector<double> v(zeros);
  for (int64_t t = 0; t < n; ++t) {
    for (int64_t i = 0; i < k; ++i) {
      double& x = v[static_cast<std::size_t>(i)];
      x = static_cast<double>(view(t, i)) + std::min(x, 30.0);
    }
    const auto low = std::min_element(v.begin(), v.end());
    CHECK(labels[static_cast<std::size_t>(t)] == low - v.begin());
    const double least = *low;
    double total = 0;
    for (double& x : v) total += std::exp(-0.5 * (x -= least));
    CHECK(std::equal(v.begin(), v.end(), whole.begin() + t * k));
    for (int64_t i = 0; i < k; ++i) {
      const auto at = static_cast<std::size_t>(t * k + i);
      CHECK(std::fabs(shares[at] - std::exp(-0.5 * whole[at]) / total) < 1e-12);
    }
  }

  for (int64_t cut = 1; cut < n; ++cut) {
    state = zeros;
    jump_forward(view, 0, cut, 30.0, 0.5, state.data(), again.data(), parts.data(), shares.data());
    jump_forward(view, cut, n - cut, 30.0, 0.5, state.data(), again.data(), parts.data(),
                 shares.data());
    CHECK(again == labels && parts == whole);
  }
  state = zeros;
  jump_path(view, 0, n, 0.0, again.data());
  jump_forward(view, 0, n, 0.0, 0.5, state.data(), labels.data(), whole.data(), shares.data());
  CHECK(again == labels);  // changing for nothing: each row by itself
  jump_path(view, 0, n, std::numeric_limits<double>::infinity(), again.data());
  CHECK(std::equal(again.begin() + 1, again.end(), again.begin()));
}

}  // namespace

int main() {
  std::mt19937 random(5);
  for (int round = 0; round < 60; ++round) {
    compare_with_search(1 + static_cast<int64_t>(random() % 6),
                        1 + static_cast<int64_t>(random() % 4), static_cast<double>(random() % 5),
                        random);
  }

  for (const int64_t k : {1, 2, 5, 8, 9, 70}) compare_passes(k, random);

  const double bad[] = {1, 2, 3, std::nan("")};
  double out[4], shares[4], zeros[2] = {0, 0};
  int64_t labels[2];
  check_refused("row 1 holds nan in column 1", [&] {
    jump_forward(MatrixView<double>(bad, 2, 2), 0, 2, 1.0, 1.0, zeros, labels, out, shares);
  });
  check_refused("penalty is -1", [] { require_penalty(-1); });
  check_refused("penalty is nan", [] { require_penalty(std::nan("")); });

  const float novelty[] = {4, 2, 8, 1};
  double means[4];
  running_mean(MatrixView<float>(novelty, 1, 4), 0, 3, 0.5, std::nan(""), means);
  running_mean(MatrixView<float>(novelty, 1, 4), 3, 1, 0.5, means[2], means);
  CHECK(means[0] == 4 && means[1] == 3 && means[2] == 5.5 && means[3] == 3.25);
}
