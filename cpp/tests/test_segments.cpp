#include "regimetry/segments.hpp"

#include <cmath>
#include <limits>
#include <random>

#include "check.hpp"

using namespace regimetry;

namespace {
std::vector<int64_t> starts_of(const std::vector<Segment>& segments, int64_t w, int64_t s) {
  std::vector<int64_t> out(static_cast<std::size_t>(count_starts(segments, w, s)));
  fill_starts(segments, w, s, out.data());
  return out;
}
}  // namespace

int main() {
  using Starts = std::vector<int64_t>;
  const int64_t codes[] = {7, 7, 7, 2, 2, 2, 2};
  CHECK((starts_of(find_segments(7, SegmentFinder(codes, nullptr, 0)), 2, 1) ==
         Starts{0, 1, 3, 4, 5}));
  CHECK((starts_of(find_segments(7, SegmentFinder(codes, nullptr, 0)), 2, 2) == Starts{0, 3, 5}));
  CHECK(starts_of(find_segments(7, SegmentFinder(codes, nullptr, 0)), 5, 1).empty());

  constexpr int64_t low = std::numeric_limits<int64_t>::min();
  const int64_t times[] = {low, -5, -4, kMaxSize - 1, kMaxSize, kMaxSize, kMaxSize};
  CHECK(
      (starts_of(find_segments(7, SegmentFinder(nullptr, times, 1)), 2, 1) == Starts{1, 3, 4, 5}));
  // The gap is exact over the whole range of 64 bits.
  const int64_t far[] = {low, -1};
  CHECK(starts_of(find_segments(2, SegmentFinder(nullptr, far, kMaxSize)), 2, 1).size() == 1);
  CHECK(starts_of(find_segments(2, SegmentFinder(nullptr, far, kMaxSize - 1)), 2, 1).empty());

  // Missing values, against a slow search, in both layouts and across block borders.
  std::mt19937 random(3);
  constexpr int64_t rows = 1500, cols = 3, w = 6;
  std::vector<double> data(rows * cols);
  for (double& x : data) x = random() % 40 == 0 ? (random() % 2 ? std::nan("") : 1e300) : 1.0;
  const MatrixView<double> layouts[] = {{data.data(), rows, cols},
                                        {data.data(), rows, cols, 8, 8 * rows}};
  for (const auto& values : layouts) {
    Starts slow;
    int64_t since = 0;  // first row of the running segment
    for (int64_t t = 0; t < rows; ++t) {
      for (int64_t f = 0; f < cols; ++f)
        if (!is_usable(values(t, f))) since = t + 1;
      if (t + 1 - since >= w && (t + 1 - w - since) % 2 == 0) slow.push_back(t + 1 - w);
    }
    CHECK(!slow.empty());
    CHECK(starts_of(find_segments(values, SegmentFinder(nullptr, nullptr, 0)), w, 2) == slow);
  }

  const MatrixView<double> no_columns(static_cast<const double*>(nullptr), 5, 0);
  CHECK(starts_of(find_segments(no_columns, SegmentFinder(nullptr, nullptr, 0)), 4, 1).size() == 2);

  const int64_t mixed[] = {1, 2, 1};
  check_refused("instrument 1 of row 2",
                [&] { find_segments(3, SegmentFinder(mixed, nullptr, 0)); });
  const int64_t back[] = {3, 5, 4};
  check_refused("at row 2", [&] { find_segments(3, SegmentFinder(nullptr, back, 10)); });
  check_refused("max_gap", [&] { SegmentFinder(nullptr, back, -1); });
}
