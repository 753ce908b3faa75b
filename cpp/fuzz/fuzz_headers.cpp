// libFuzzer harness: any bytes become a call of one of the concepts, with extreme sizes, strides,
// ids and values. Either it works, inside its memory (the sanitizers watch), or throws DataError.
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "regimetry/gather.hpp"
#include "regimetry/jump.hpp"
#include "regimetry/rolling.hpp"
#include "regimetry/scales.hpp"
#include "regimetry/stream_bank.hpp"

using namespace regimetry;

namespace {

// What is left of the input; zeros once it is spent.
struct Bytes {
  const std::uint8_t* data;
  std::size_t size;

  template <class T>
  T take() {
    T value{};
    const std::size_t n = std::min(size, sizeof value);
    if (n > 0) std::memcpy(&value, data, n);
    data += n;
    size -= n;
    return value;
  }
  int64_t below(int64_t n) { return take<std::uint8_t>() % n; }
  // Mostly small, sometimes negative or vast; never a size that is merely slow to allocate.
  int64_t number(int64_t small) {
    if (below(8) != 0) return below(small + 2) - 1;
    const int64_t any = take<int64_t>();
    return any > 64 ? any | (int64_t{1} << 44) : any;
  }
  template <class T>
  std::vector<T> list(int64_t n) {
    std::vector<T> out(static_cast<std::size_t>(n));
    for (T& x : out) x = below(6) == 0 ? take<T>() : static_cast<T>(below(9));
    return out;
  }
};

// A matrix inside its own memory, row- or column-major or backwards.
template <class T>
struct Matrix {
  std::vector<T> data;
  MatrixView<T> view;

  Matrix(Bytes& in, int64_t rows, int64_t cols)
      : data(in.list<T>(rows * cols)), view(make(in.below(3), rows, cols)) {}
  MatrixView<T> make(int64_t layout, int64_t rows, int64_t cols) const {
    constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
    if (layout == 1) return {data.data(), rows, cols, item, item * rows};
    if (layout == 2 && !data.empty()) {
      return {data.data() + (rows * cols - 1), rows, cols, -item * cols, -item};
    }
    return {data.data(), rows, cols};
  }
};

void require(bool condition) {
  if (!condition) std::abort();
}

template <class T>
void gather(Bytes& in) {
  const Matrix<T> m(in, in.below(12), in.below(4));
  const int64_t w = 1 + in.below(5), n = in.below(6);
  const auto starts = in.list<int64_t>(n);
  std::vector<float> out(static_cast<std::size_t>(n * w * m.view.cols()));
  gather_windows(m.view, starts.data(), n, w, out.data(), in.number(3));
}

template <class T>
void bank(Bytes& in) {
  StreamBank b(in.number(4), in.number(4), in.number(3), in.number(6));
  if (b.capacity() > 16 || b.window_size() > 16 || b.n_features() > 8) return;
  std::vector<int64_t> ready;
  std::vector<float> windows;
  for (int64_t step = in.below(12); step > 0; --step) {
    try {
      const auto ids = in.list<int64_t>(in.below(5));
      const auto n = static_cast<int64_t>(ids.size());
      switch (in.below(6)) {
        case 0: b.add(in.number(4)); break;
        case 1: b.drop(ids); break;
        case 2: b.reset(ids); break;
        case 3: {
          const Matrix<T> rows(in, n * b.window_size(), b.n_features());
          b.restore({ids, in.list<int64_t>(n), {}}, rows.view);
          break;
        }
        default: {
          const Matrix<T> rows(in, n, b.n_features());
          b.stage(ids, rows.view, 1 + in.below(3), [&](int64_t count) {
            ready.resize(static_cast<std::size_t>(count));
            windows.resize(static_cast<std::size_t>(count * b.window_size() * b.n_features()));
            return std::make_pair(ready.data(), windows.data());
          });
          for (const float x : windows) require(std::isfinite(x));
          b.commit(ids, rows.view, {}, MatrixView<double>(nullptr, 0, 0));
        }
      }
    } catch (const DataError&) {
    }
  }
}

template <class T>
void jump(Bytes& in) {
  const Matrix<T> m(in, in.below(12), 1 + in.below(70));
  const double penalty = in.take<double>();
  require_penalty(penalty);
  const int64_t n = m.view.rows(), k = m.view.cols();
  std::vector<double> values(static_cast<std::size_t>(n * k)), shares(values);
  std::vector<double> state(static_cast<std::size_t>(k));
  std::vector<int64_t> labels(static_cast<std::size_t>(n));
  jump_forward(m.view, 0, n, penalty, in.take<double>(), state.data(), labels.data(), values.data(),
               shares.data());
  jump_path(m.view, 0, n, penalty, labels.data());
  for (const int64_t label : labels) require(label >= 0 && label < k);
}

void scales(Bytes& in) {
  const int64_t k = 1 + in.below(4), c = 1 + in.below(4), n = in.below(12);
  const auto numbers = [&](int64_t count) {
    std::vector<double> out(static_cast<std::size_t>(count));
    for (double& value : out) value = in.take<double>();
    return out;
  };
  const auto table = numbers(k * (c * c + 2 * c + 4)), constant = numbers(k), skew = numbers(c);
  const auto rows = numbers(n * k * c), begin = numbers(2 * k * c);
  std::vector<double> state(begin), density(static_cast<std::size_t>(n * k), 1.0);
  std::vector<double> after(2 * rows.size()), of_rows(rows.size()), of_table(table.size());
  std::vector<double> of_skew(skew.size()), of_begin(begin.size());
  const ScaleParameters p{k, c, table.data(), constant.data(), skew.data()};
  scale_forward(p, rows.data(), 0, n, state.data(), density.data(), after.data());
  for (const double value : density) require(std::isfinite(value));
  scale_backward(p, rows.data(), density.data(), 0, n, begin.data(), after.data(), of_rows.data(),
                 of_table.data(), of_skew.data(), of_begin.data());
}

template <class T>
void run(Bytes& in) {
  switch (in.below(5)) {
    case 0:
      rolling_geometry(std::max<int64_t>(0, in.number(50)), std::max<int64_t>(0, in.number(8)),
                       in.number(64), in.number(8), 8, in.number(9), in.number(9));
      break;
    case 1: gather<T>(in); break;
    case 2: bank<T>(in); break;
    case 3: scales(in); break;
    default: jump<T>(in);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes in{data, size};
  try {
    in.below(2) == 0 ? run<float>(in) : run<double>(in);
  } catch (const DataError&) {
  }
  return 0;
}
