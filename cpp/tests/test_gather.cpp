#include "regimetry/gather.hpp"

#include <random>
#include <vector>

#include "check.hpp"

using namespace regimetry;

namespace {

template <class T>
void compare(const MatrixView<T>& values, const std::vector<int64_t>& starts, int64_t w,
             int64_t threads) {
  const int64_t n = static_cast<int64_t>(starts.size()), f = values.cols();
  std::vector<float> out(static_cast<std::size_t>(n * w * f), -1.0F);
  gather_windows(values, starts.data(), n, w, out.data(), threads);
  std::size_t at = 0;
  for (const int64_t start : starts) {
    for (int64_t r = 0; r < w; ++r) {
      for (int64_t c = 0; c < f; ++c) CHECK(out[at++] == static_cast<float>(values(start + r, c)));
    }
  }
}

template <class T>
void compare_layouts(int64_t rows, int64_t cols, int64_t w, int64_t n, std::mt19937& random) {
  std::vector<T> data(static_cast<std::size_t>(2 * rows * cols) + 1);
  for (T& x : data) x = static_cast<T>(static_cast<int>(random() % 2000) - 1000);
  constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
  const char* base = reinterpret_cast<const char*>(data.data());
  const MatrixView<T> layouts[] = {
      {data.data(), rows, cols},
      {base, rows, cols, item, item * rows},                              // column-major
      {base, rows, cols, 2 * item * cols, 2 * item},                      // every second
      {base + (rows - 1) * cols * item, rows, cols, -item * cols, item},  // backwards
      {base + 1, rows, cols, item * cols, item},                          // misaligned
      {base, rows, cols, 0, item},                                        // one row
  };
  for (const auto& values : layouts) {
    std::vector<int64_t> starts;
    for (int64_t b = 0; b < n; ++b)
      starts.push_back(static_cast<int64_t>(random() % static_cast<unsigned>(rows - w + 1)));
    for (const int64_t threads : {1, 3}) compare(values, starts, w, threads);
    std::sort(starts.begin(), starts.end());
    for (const int64_t threads : {1, 3}) compare(values, starts, w, threads);
  }
}

}  // namespace

int main() {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const int64_t w = 1 + static_cast<int64_t>(random() % 9),
                  cols = 1 + static_cast<int64_t>(random() % 5);
    const int64_t rows = w + static_cast<int64_t>(random() % 30);
    compare_layouts<float>(rows, cols, w, 25, random);
    compare_layouts<double>(rows, cols, w, 25, random);
  }
  // Large enough for several threads.
  compare_layouts<float>(3000, 8, 30, 6000, random);
  compare_layouts<double>(3000, 8, 30, 6000, random);

  const std::vector<double> data(20);
  const MatrixView<double> values(data.data(), 10, 2);
  std::vector<float> out(8, 5.0F);
  for (const int64_t bad :
       {int64_t{-1}, int64_t{9}, kMaxSize, std::numeric_limits<int64_t>::min()}) {
    const int64_t starts[] = {0, bad};
    check_refused("starts[1]", [&] { gather_windows(values, starts, 2, 2, out.data()); });
    CHECK(out[0] == 5.0F);  // nothing was written
  }
  const int64_t none = 0;
  check_refused("threads", [&] { gather_windows(values, &none, 1, 2, out.data(), 0); });
  gather_windows(values, &none, 0, 2, out.data());
  CHECK(out[0] == 5.0F);

  bool thrown = false;
  try {
    run_parallel(4, [](int64_t index) {
      if (index == 2) fail("part 2 failed; expected it");
    });
  } catch (const DataError&) {
    thrown = true;
  }
  CHECK(thrown);
}
