#include "regimetry/outlook.hpp"

#include <functional>
#include <numeric>

#include "arrays.hpp"
#include "register.hpp"
#include "self.hpp"

namespace py = pybind11;
using bindings::Array;
using bindings::Self;
using regimetry::int64_t;
using regimetry::OutlookModel;

namespace {

// A dense float64 array of the given shape, copied.
std::vector<double> copied(py::handle object, const char* name,
                           const std::vector<int64_t>& shape) {
  const Array a(object, name);
  const double* first = bindings::dense_numbers(a, shape, "one entry for each regime or channel");
  const auto count =
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<int64_t>());
  return {first, first + count};
}

OutlookModel make(py::handle channels, py::handle transforms, bool differs, bool own_weights,
                  py::handle mean, py::handle deviation, py::handle coefficients, py::handle table,
                  py::handle constants, py::handle skew, py::handle unit_mean,
                  py::handle unit_variance, py::handle chain) {
  OutlookModel m{};
  m.channels = bindings::to_indices(channels, "channels");
  m.transforms = bindings::to_indices(transforms, "transforms");
  m.c = static_cast<int64_t>(m.channels.size());
  const Array weights(chain, "chain"), slopes(coefficients, "coefficients");
  weights.require_ndim(2, "(K, K)", "pass the transition matrix");
  slopes.require_ndim(3, "(K, 1 + P C, C)", "pass the coefficients of each regime");
  m.k = weights.shape(0);
  const int64_t width = slopes.shape(1);
  if (m.c < 1 || m.k < 1 || width < 1 || (width - 1) % m.c != 0 ||
      m.transforms.size() != m.channels.size()) {
    regimetry::fail("coefficients have shape ", slopes.shape_name(), " for ", m.c,
                    " channels and ", m.transforms.size(),
                    " transforms; expected (K, 1 + P C, C); pass those of one model");
  }
  for (std::size_t i = 0; i < m.channels.size(); ++i) {
    const int64_t kind = m.transforms[i];
    if (m.channels[i] < 0 || kind < 0 || kind > 2 || (kind > 0 && !differs)) {
      regimetry::fail("channel ", m.channels[i], " has transform ", kind,
                      "; expected a column from 0 on and 0, or where rows differ 1 or 2; pass those "
                      "of one model");
    }
  }
  m.order = (width - 1) / m.c;
  m.differs = differs;
  m.own_weights = own_weights;
  m.mean = copied(mean, "mean", {m.c});
  m.deviation = copied(deviation, "deviation", {m.c});
  m.coefficients = copied(coefficients, "coefficients", {m.k, width, m.c});
  m.table = copied(table, "parameters", {m.k, m.c * m.c + 2 * m.c + 4});
  m.constant = copied(constants, "constants", {m.k});
  m.skew = copied(skew, "skew", {m.c});
  m.unit_mean = copied(unit_mean, "unit_mean", {m.k, m.c});
  m.unit_variance = copied(unit_variance, "unit_variance", {m.k, m.c});
  m.chain = copied(chain, "chain", {m.k, m.k});
  return m;
}

py::array_t<double> array(const std::vector<double>& numbers, std::vector<py::ssize_t> shape) {
  return py::array_t<double>(std::move(shape), numbers.data());
}

py::tuple step(Self<OutlookModel> self, py::handle window, py::handle probability,
               py::handle scales, py::handle weights) {
  const OutlookModel& m = *self;
  const auto given = copied(probability, "probability", {m.own_weights || m.k == 1 ? 0 : m.k});
  regimetry::OutlookState state{copied(scales, "scales", {m.k, 2 * m.c}),
                                copied(weights, "weights", {m.k})};
  const Array rows(window, "window");
  return bindings::with_matrix(rows, [&](const auto& view) {
    for (const int64_t channel : m.channels) {
      if (channel >= view.cols()) {
        regimetry::fail("window has ", view.cols(), " columns; expected one numbered ", channel,
                        "; pass the rows that the graph reads");
      }
    }
    if (view.rows() < m.rows()) {
      regimetry::fail("window has ", view.rows(), " rows; expected at least ", m.rows(),
                      "; pass the last rows");
    }
    const auto out = m.step(view, given.data(), state);
    return py::make_tuple(out.log_score, array(out.mean, {m.c}), array(out.deviation, {m.c}),
                          array(state.scales, {m.k, 2 * m.c}), array(state.weights, {m.k}));
  });
}

}  // namespace

void register_outlook(py::module_& m) {
  py::class_<OutlookModel>(m, "DensityStep", py::is_final(), plain_type(),
                           R"(A density that follows a live series.

:mod:`regimetry.runtime.row_model` says what the arguments are; transforms are 0 for level, 1 for
difference, 2 for log_difference. Arrays are copied.

Notes
-----
Thread safety: nothing changes after the construction; safe from several threads.
)")
      .def(py::init(&make), py::arg("channels"), py::arg("transforms"), py::arg("differs"),
           py::arg("own_weights"), py::arg("mean"), py::arg("deviation"), py::arg("coefficients"),
           py::arg("parameters"), py::arg("constants"), py::arg("skew"), py::arg("unit_mean"),
           py::arg("unit_variance"), py::arg("chain"),
           "__init__(self, channels, transforms, differs, own_weights, mean, deviation, "
           "coefficients, parameters, constants, skew, unit_mean, unit_variance, chain)\n--\n\n")
      .def("step", &step, py::arg("window"), py::arg("probability"), py::arg("scales"),
           py::arg("weights"),
           R"(step(self, window, probability, scales, weights)
--

Take the row that a window ends with; say its log density, and moments of the next row.

Parameters
----------
window : numpy.ndarray, shape (R, F), float32 or float64
    The last rows, as the graph reads them.
probability : numpy.ndarray, shape (K,), float64
    Of the regimes after the row; shape (0,) where the density's own filter gives it.
scales : numpy.ndarray, shape (K, 2 C), float64
    Before the row, as `scale_densities` gives them.
weights : numpy.ndarray, shape (K,), float64
    Of the regimes after the row before.

Returns
-------
log_score : float
    In nats, in the columns' own units.
mean, deviation : numpy.ndarray, shape (C,), float64
    Of the next row.
scales, weights : numpy.ndarray
    After the row.

Raises
------
TypeError
    An argument is no array.
regimetry.errors.DataError
    Wrong shape, dtype or layout.
)");
}
