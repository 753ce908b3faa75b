#include "regimetry/jump.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "arrays.hpp"
#include "gil.hpp"
#include "register.hpp"

namespace py = pybind11;
using bindings::Array;
using regimetry::int64_t;
using regimetry::MatrixView;

namespace {

// The costs to start from, (M, K) flat, each less its minimum; zeros where none were given.
std::vector<double> to_costs(const py::object& costs, int64_t series, int64_t k) {
  regimetry::checked_multiply(series, k, "the costs");
  std::vector<double> out(static_cast<std::size_t>(series * k), 0.0);
  if (costs.is_none()) return out;
  const Array a(costs, "costs");
  a.require_ndim(2, "(M, K), one row for each series", "pass None to start afresh");
  if (!a.is_float64()) a.fail_dtype("float64", "use .astype('float64')");
  if (a.shape(1) != k || a.shape(0) != series) {
    regimetry::fail("costs have shape ", a.shape_name(), "; expected (", series, ", ", k,
                    ") for these distances; pass the state of the same series and regimes");
  }
  const MatrixView<double> view(a.data(), series, k, a.stride(0), a.stride(1));
  for (int64_t m = 0; m < series; ++m) {
    double* row = out.data() + m * k;
    for (int64_t i = 0; i < k; ++i) {
      row[i] = view(m, i);
      if (!std::isfinite(row[i])) {
        regimetry::fail("costs hold ", row[i], " for regime ", i,
                        "; expected finite numbers; pass those of the previous call, or None");
      }
    }
    regimetry::normalise_state(row, k);
  }
  return out;
}

// The running means of novelty after each row, (n,); NaN where there is no novelty.
py::array_t<double> to_means(const py::object& novelty, const py::object& means, double memory,
                             const std::vector<int64_t>& offsets) {
  const auto series = static_cast<int64_t>(offsets.size()) - 1;
  py::array_t<double> out(offsets.back());
  double* to = out.mutable_data();
  std::fill_n(to, offsets.back(), std::nan(""));
  if (novelty.is_none()) return out;
  std::vector<double> begins(static_cast<std::size_t>(series), std::nan(""));
  const auto require_size = [](const Array& a, int64_t size, const char* of) {
    a.require_ndim(1, "one number for each", "pass a flat array");
    if (a.shape(0) != size) {
      regimetry::fail(a.name(), " has shape ", a.shape_name(), "; expected (", size,
                      ",), a number for each ", of, "; pass those of the same rows");
    }
  };
  if (!means.is_none()) {
    const Array a(means, "means");
    require_size(a, series, "series");
    if (!a.is_float64()) a.fail_dtype("float64", "use .astype('float64')");
    const MatrixView<double> view(a.data(), 1, series, 0, a.stride(0));
    for (int64_t m = 0; m < series; ++m) begins[static_cast<std::size_t>(m)] = view(0, m);
  }
  const Array values(novelty, "novelty");
  require_size(values, offsets.back(), "row");
  bindings::with_row(values, [&](const auto& view) {
    bindings::without_gil([&] {
      for (std::size_t m = 0; m < begins.size(); ++m) {
        regimetry::running_mean(view, offsets[m], offsets[m + 1] - offsets[m], memory, begins[m],
                                to);
      }
    });
  });
  return out;
}

struct Arguments {
  Arguments(const py::object& distance, py::handle penalty_object, const py::object& offsets_object)
      : array(distance, "distance"), penalty(bindings::to_double(penalty_object, "penalty")) {
    array.require_ndim(2, "(N, K)", "use distance[None, :] for a single row");
    if (!array.is_float32() && !array.is_float64()) {
      array.fail_dtype("float32 or float64", "use .astype('float64')");
    }
    if (array.shape(1) < 1) {
      regimetry::fail("distance has shape ", array.shape_name(),
                      "; expected at least one column; pass a column for each regime");
    }
    regimetry::require_penalty(penalty);
    offsets = bindings::to_offsets(offsets_object, rows());
  }
  int64_t rows() const { return array.shape(0); }
  int64_t k() const { return array.shape(1); }
  int64_t series() const { return static_cast<int64_t>(offsets.size()) - 1; }

  Array array;
  double penalty;
  std::vector<int64_t> offsets;
};

// Runs f(series, its rows) for every series, without the GIL. A bad row is named as the caller
// counts it: over all series.
template <class F>
void for_each_series(const Arguments& in, F&& f) {
  bindings::with_matrix(in.array, [&](const auto& all) {
    bindings::without_gil([&] {
      for (int64_t m = 0; m < in.series(); ++m) {
        const int64_t first = in.offsets[static_cast<std::size_t>(m)];
        f(m, first, all, in.offsets[static_cast<std::size_t>(m) + 1] - first);
      }
    });
  });
}

py::tuple follow(const py::object& distance, const py::object& novelty, py::handle penalty,
                 py::handle sharpness, py::handle memory, py::handle threshold,
                 const py::object& costs, const py::object& means, const py::object& offsets) {
  const Arguments in(distance, penalty, offsets);
  const double steep = bindings::to_double(sharpness, "sharpness");
  auto state = to_costs(costs, in.series(), in.k());
  py::array_t<int64_t> labels(in.rows());
  py::array_t<double> values({in.rows(), in.k()}), probabilities({in.rows(), in.k()});
  int64_t* label = labels.mutable_data();
  double *value = values.mutable_data(), *probability = probabilities.mutable_data();
  for_each_series(in, [&](int64_t m, int64_t first, const auto& all, int64_t n) {
    regimetry::jump_forward(all, first, n, in.penalty, steep, state.data() + m * in.k(), label,
                            value, probability);
  });
  const auto averages = to_means(novelty, means, bindings::to_double(memory, "memory"), in.offsets);
  const double limit = bindings::to_double(threshold, "threshold");
  py::array_t<bool> exceeds(in.rows());
  std::transform(averages.data(), averages.data() + in.rows(), exceeds.mutable_data(),
                 [=](double mean) { return mean > limit; });
  return py::make_tuple(labels, probabilities, exceeds, values, averages);
}

py::array_t<int64_t> jump_labels(const py::object& distance, py::handle penalty,
                                 const py::object& offsets) {
  const Arguments in(distance, penalty, offsets);
  py::array_t<int64_t> labels(in.rows());
  int64_t* label = labels.mutable_data();
  for_each_series(in, [&](int64_t, int64_t first, const auto& all, int64_t n) {
    regimetry::jump_labels(all, first, n, in.penalty, label);
  });
  return labels;
}

py::array_t<int64_t> jump_path(const py::object& distance, py::handle penalty,
                               const py::object& offsets) {
  const Arguments in(distance, penalty, offsets);
  py::array_t<int64_t> labels(in.rows());
  int64_t* label = labels.mutable_data();
  for_each_series(in, [&](int64_t, int64_t first, const auto& all, int64_t n) {
    regimetry::jump_path(all, first, n, in.penalty, label);
  });
  return labels;
}

}  // namespace

void register_jump(py::module_& m) {
  m.def(
      "follow", &follow, py::arg("distance"), py::arg("novelty"), py::arg("penalty"),
      py::arg("sharpness"), py::arg("memory"), py::arg("threshold"), py::arg("costs") = py::none(),
      py::arg("means") = py::none(), py::arg("offsets") = py::none(),
      R"(follow(distance, novelty, penalty, sharpness, memory, threshold, costs=None, means=None, offsets=None)
--

Label each row by what is known up to it, at a price for every change of regime.

``V_t = d_t + min(V_{t-1}, min(V_{t-1}) + penalty)``, ``V_0 = d_0``, label ``argmin V_t`` (the lowest
index on ties), probabilities ``softmax(-sharpness V_t)``; ``m_t = m_{t-1} + memory (x_t - m_{t-1})``
of novelty x, ``m_0 = x_0``. Row t uses rows up to and including t, none after it.

Parameters
----------
distance : numpy.ndarray, shape (N, K), float32 or float64
    Finite costs of each regime; any strides; K >= 1, N may be 0.
novelty : numpy.ndarray, shape (N,), float32 or float64, or None
penalty : float
    Price of a change, >= 0; infinity forbids changes.
sharpness, memory, threshold : float
costs : numpy.ndarray, shape (M, K), float64, optional
    Where each series goes on: the values of its last row. None starts afresh.
means : numpy.ndarray, shape (M,), float64, optional
    The same of the running mean; NaN starts afresh.
offsets : numpy.ndarray, shape (M + 1,), int64, optional
    Boundaries of M series that lie one after the other in `distance`, from 0 to N; one series by
    default.

Returns
-------
labels : numpy.ndarray, shape (N,), int64
    The regime of each row.
probabilities : numpy.ndarray, shape (N, K), float64
exceeds : numpy.ndarray, shape (N,), bool
    Whether m_t lies above the threshold; False without novelty.
values : numpy.ndarray, shape (N, K), float64
    V_t less its minimum, so that each row's least value is 0. Going on from the last row is
    bit-identical to one pass over all rows.
means : numpy.ndarray, shape (N,), float64
    m_t; NaN without novelty.

Raises
------
TypeError
    An argument is no array, or no number.
regimetry.errors.DataError
    Wrong shape or dtype, a negative penalty, a distance that is not finite (the message names the
    row), or offsets that are not boundaries.

Notes
-----
Thread safety: no state of its own; safe from several threads. Runs without the GIL.
)");
  m.def("jump_labels", &jump_labels, py::arg("distance"), py::arg("penalty"),
        py::arg("offsets") = py::none(),
        R"(jump_labels(distance, penalty, offsets=None)
--

Give the labels of `follow` alone, of series that begin here; memory holds nothing else.

Parameters
----------
distance : numpy.ndarray, shape (N, K), float32 or float64
penalty : float
offsets : numpy.ndarray, shape (M + 1,), int64, optional
    As for `follow`.

Returns
-------
numpy.ndarray, shape (N,), int64
    The label of row t uses rows up to and including t.

Raises
------
TypeError
    An argument is no array, or the penalty no number.
regimetry.errors.DataError
    As for `follow`.

Notes
-----
Thread safety: no state of its own; safe from several threads. Runs without the GIL.
)");
  m.def("jump_path", &jump_path, py::arg("distance"), py::arg("penalty"),
        py::arg("offsets") = py::none(),
        R"(jump_path(distance, penalty, offsets=None)
--

Find the labels of a whole series that cost least. Looks ahead: each label knows every row.

Minimises ``sum_t d[t, s_t] + penalty * (number of changes)`` by dynamic programming. On ties,
staying beats changing and the lowest last regime wins.

Parameters
----------
distance : numpy.ndarray, shape (N, K), float32 or float64
    Finite costs of each regime; any strides; K >= 1, N may be 0.
penalty : float
    Price of a change, >= 0; infinity forbids changes.
offsets : numpy.ndarray, shape (M + 1,), int64, optional
    Boundaries of M series that lie one after the other in `distance`, from 0 to N; each has a
    path of its own.

Returns
-------
numpy.ndarray, shape (N,), int64
    The labels of the best path.

Raises
------
TypeError
    An argument is no array, or the penalty no number.
regimetry.errors.DataError
    As for `follow`.

Notes
-----
Needs 8 bytes of memory a row (for every 64 regimes). Thread safety: no state of its own; safe from several
threads. Runs without the GIL.
)");
}
