#include "regimetry/rolling.hpp"

#include "check.hpp"

using namespace regimetry;

int main() {
  const auto g = rolling_geometry(10, 3, 24, 8, 8, 4, 2);
  CHECK((g.shape == std::array<int64_t, 3>{4, 4, 3}));
  CHECK((g.strides == std::array<int64_t, 3>{48, 24, 8}));
  CHECK(rolling_geometry(10, 3, -24, -8, 8, 4, 2).strides[0] == -48);
  CHECK(rolling_geometry(5, 0, 0, 8, 8, 5, 1).shape[0] == 1);
  CHECK(rolling_geometry(5, 1, 8, 8, 8, 5, kMaxSize).strides[0] == 8);
  CHECK(count_windows(kMaxSize, 1, 1) == kMaxSize);

  CHECK(multiply_overflows(kMaxSize, 2) && multiply_overflows(-kMaxSize, 2));
  CHECK(multiply_overflows(-1, std::numeric_limits<int64_t>::min()));
  CHECK(multiply_overflows(std::numeric_limits<int64_t>::min(), -1));
  CHECK(!multiply_overflows(-1, kMaxSize) && !multiply_overflows(0, kMaxSize));
  CHECK(!multiply_overflows(kMaxSize / 3, 3) && multiply_overflows(kMaxSize / 3 + 1, 3));
  CHECK(!multiply_overflows(kMaxSize / 3, -3) && multiply_overflows(-3, kMaxSize / 3 + 2));

  check_refused("window_size is 0", [] { rolling_geometry(10, 3, 24, 8, 8, 0, 1); });
  check_refused("only 10", [] { rolling_geometry(10, 3, 24, 8, 8, 11, 1); });
  check_refused("stride is 0", [] { rolling_geometry(10, 3, 24, 8, 8, 1, 0); });
  check_refused("64 bits",
                [] { rolling_geometry(int64_t{1} << 40, 1, 0, 0, 8, int64_t{1} << 39, 1); });
}
