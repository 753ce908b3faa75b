#include "regimetry/stream_buffer.hpp"

#include <cmath>
#include <vector>

#include "check.hpp"

using namespace regimetry;

namespace {
// Row t is {t, -t}.
std::vector<double> make_rows(int64_t n) {
  std::vector<double> out;
  for (int64_t t = 0; t < n; ++t) {
    out.push_back(static_cast<double>(t));
    out.push_back(-static_cast<double>(t));
  }
  return out;
}

void check_window(const StreamBuffer& buffer, int64_t last) {
  const float* w = buffer.window();
  for (int64_t r = 0; r < buffer.window_size(); ++r) {
    const auto t = static_cast<float>(last - buffer.window_size() + 1 + r);
    CHECK(w[2 * r] == t && w[2 * r + 1] == -t);
  }
}
}  // namespace

int main() {
  const auto data = make_rows(40);
  const auto rows = [&](int64_t first, int64_t n) { return MatrixView<double>(data.data() + 2 * first, n, 2); };
  for (const int64_t w : {1, 2, 5}) {
    StreamBuffer buffer(w, 2);
    for (int64_t t = 0; t < 40; ++t) {
      CHECK(buffer.ready() == (t >= w) && buffer.count() == t);
      if (!buffer.ready()) check_refused("rows", [&] { buffer.window(); });
      buffer.push(rows(t, 1));
      if (buffer.ready()) check_window(buffer, t);
    }
    // extend equals as many pushes, wherever it is cut.
    for (int64_t cut = 0; cut <= 40; ++cut) {
      StreamBuffer other(w, 2);
      other.extend(rows(0, cut));
      other.extend(rows(cut, 40 - cut));
      CHECK(other.count() == 40);
      check_window(other, 39);
    }
    // A snapshot at any time goes on as if nothing had happened.
    for (int64_t cut = 0; cut < 39; ++cut) {
      StreamBuffer one(w, 2), two(w, 2);
      one.extend(rows(0, cut));
      std::vector<float> held(static_cast<std::size_t>(2 * one.held()));
      one.copy_rows(held.data());
      two.push(rows(3, 1));
      two.restore(one.count(), MatrixView<float>(held.data(), one.held(), 2));
      two.extend(rows(cut, 40 - cut));
      CHECK(two.count() == 40);
      check_window(two, 39);
    }
  }

  StreamBuffer buffer(3, 2);
  buffer.extend(rows(0, 5));
  const double bad[] = {1, 1, 1, std::nan("")}, wide[] = {1, 2, 3};
  check_refused("row 1 holds nan in column 1", [&] { buffer.extend(MatrixView<double>(bad, 2, 2)); });
  check_refused("nan", [&] { buffer.push(MatrixView<double>(bad + 2, 1, 2)); });
  check_refused("3 values", [&] { buffer.push(MatrixView<double>(wide, 1, 3)); });
  const double huge[] = {1e300, 0};
  check_refused("1e+300", [&] { buffer.push(MatrixView<double>(huge, 1, 2)); });
  check_refused("snapshot", [&] { buffer.restore(kMaxSize, rows(0, 3)); });
  check_refused("snapshot", [&] { buffer.restore(-1, rows(0, 0)); });
  check_refused("snapshot", [&] { buffer.restore(5, rows(0, 2)); });
  check_refused("nan", [&] { buffer.restore(2, MatrixView<double>(bad, 2, 2)); });
  CHECK(buffer.count() == 5);
  check_window(buffer, 4);
  buffer.reset();
  CHECK(buffer.count() == 0 && !buffer.ready());

  check_refused("window_size is 0", [] { StreamBuffer(0, 1); });
  check_refused("n_features is 0", [] { StreamBuffer(1, 0); });
  check_refused("GiB", [] { StreamBuffer(int64_t{1} << 40, 1000); });
  check_refused("64 bits", [] { StreamBuffer(kMaxSize, kMaxSize); });
}
