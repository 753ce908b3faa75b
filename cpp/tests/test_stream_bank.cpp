#include "regimetry/stream_bank.hpp"

#include <cmath>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"

using namespace regimetry;

namespace {

struct Result {
  std::vector<int64_t> ids;
  std::vector<float> windows;
};

template <class T>
Result push(StreamBank& bank, const std::vector<int64_t>& ids, const MatrixView<T>& rows,
            int64_t threads = 1) {
  Result out;
  bank.stage(ids, rows, threads, [&](int64_t n) {
    out.ids.resize(static_cast<std::size_t>(n));
    out.windows.resize(static_cast<std::size_t>(n * bank.window_size() * bank.n_features()));
    return std::make_pair(out.ids.data(), out.windows.data());
  });
  bank.commit(ids, rows, {}, MatrixView<double>(nullptr, 0, 0));
  return out;
}

// A bank equals as many lists, rows taken one by one.
void compare_with_lists(int64_t streams, int64_t w, int64_t f, int64_t batch, int rounds,
                        int64_t threads) {
  std::mt19937 random(11);
  StreamBank bank(streams, w, f, streams);
  std::vector<std::vector<float>> lists(static_cast<std::size_t>(streams));
  std::size_t windows = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<int64_t> ids;
    std::vector<double> rows;
    for (int64_t i = 0; i < batch; ++i) {
      ids.push_back(static_cast<int64_t>(random() % static_cast<unsigned>(streams)));
      for (int64_t c = 0; c < f; ++c) rows.push_back(static_cast<double>(random() % 1000));
    }
    const MatrixView<double> view(rows.data(), batch, f);
    const Result got = push(bank, ids, view, threads);
    std::size_t at = 0;
    for (int64_t i = 0; i < batch; ++i) {
      auto& list = lists[static_cast<std::size_t>(ids[static_cast<std::size_t>(i)])];
      for (int64_t c = 0; c < f; ++c) list.push_back(static_cast<float>(view(i, c)));
      const auto item = static_cast<std::size_t>(w * f);
      if (list.size() < item) continue;
      CHECK(got.ids[at] == ids[static_cast<std::size_t>(i)]);
      CHECK(std::equal(list.end() - w * f, list.end(), got.windows.data() + at * item));
      ++at;
    }
    CHECK(at == got.ids.size());
    windows += at;
  }
  CHECK(windows > 0);
}

// Several threads push, reset and count at once: the thread sanitizer watches, the totals tell.
void hammer() {
  constexpr int64_t streams = 64, rounds = 200;
  StreamBank bank(streams, 4, 3, streams);
  std::vector<std::thread> pool;
  for (int64_t k = 0; k < 4; ++k) {
    pool.emplace_back([&bank, k] {
      std::vector<int64_t> ids;
      for (int64_t i = 0; i < streams / 2; ++i) ids.push_back((i * 2 + k) % streams);
      const std::vector<float> rows(ids.size() * 3, static_cast<float>(k));
      for (int64_t r = 0; r < rounds; ++r) {
        push(bank, ids, MatrixView<float>(rows.data(), static_cast<int64_t>(ids.size()), 3), 2);
        bank.counts(ids);
      }
    });
  }
  for (auto& thread : pool) thread.join();
  std::vector<int64_t> all;
  for (int64_t id = 0; id < streams; ++id) all.push_back(id);
  for (const int64_t count : bank.counts(all)) CHECK(count == 2 * rounds);
}

void life_of_streams() {
  StreamBank bank(2, 2, 1, 4);
  const float rows[] = {1, 2, 3};
  CHECK(push(bank, {1, 1, 1}, MatrixView<float>(rows, 3, 1)).windows ==
        (std::vector<float>{1, 2, 2, 3}));
  CHECK((bank.add(2) == std::vector<int64_t>{2, 3}) && bank.n_streams() == 4);
  check_refused("4 of 4", [&] { bank.add(1); });
  check_refused("ids[1] is 1", [&] { bank.drop({1, 1}); });
  CHECK(bank.n_streams() == 4 && bank.counts({1})[0] == 3);
  bank.drop({1});
  check_refused("ids[0] is 1", [&] { push(bank, {1}, MatrixView<float>(rows, 1, 1)); });
  CHECK((bank.add(1) == std::vector<int64_t>{1}) && bank.counts({1})[0] == 0);
  push(bank, {0, 1}, MatrixView<float>(rows, 2, 1));
  bank.reset({0});
  CHECK((bank.counts({0, 1}) == std::vector<int64_t>{0, 1}));
  bank.reset();
  CHECK(bank.counts({1})[0] == 0);

  const float bad[] = {1, std::nanf("")};
  check_refused("row 1 holds nan", [&] { push(bank, {0, 1}, MatrixView<float>(bad, 2, 1)); });
  check_refused("ids[1] is 9", [&] { push(bank, {0, 9}, MatrixView<float>(rows, 2, 1)); });
  check_refused("shape (3, 1)", [&] { push(bank, {0}, MatrixView<float>(rows, 3, 1)); });
  bool thrown = false;
  try {
    bank.stage(
        {0, 0}, MatrixView<float>(rows, 2, 1), 1,
        [](int64_t) -> std::pair<int64_t*, float*> { throw std::runtime_error("no memory"); });
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown && bank.counts({0})[0] == 0);  // unchanged by any of them

  bank.close();
  CHECK(bank.closed() && bank.n_streams() == 0);
  check_refused("closed", [&] { bank.add(1); });
  check_refused("closed", [&] { push(bank, {0}, MatrixView<float>(rows, 1, 1)); });

  check_refused("GiB", [] { StreamBank(1, 30, 16, int64_t{1} << 42); });
  check_refused("64 bits", [] { StreamBank(1, kMaxSize, 1, 4); });
  check_refused("window_size=0", [] { StreamBank(1, 0, 1, 1); });
  check_refused("capacity=1", [] { StreamBank(2, 1, 1, 1); });
}

void snapshots() {
  StreamBank bank(3, 3, 1, 3), other(1, 3, 1, 5);
  const float rows[] = {1, 2, 3, 4, 5};
  push(bank, {0, 0, 0, 0, 2}, MatrixView<float>(rows, 5, 1));
  bank.drop({1});
  std::vector<float> held;
  const auto state = bank.snapshot([&](int64_t n) {
    held.assign(static_cast<std::size_t>(n * 3), -1.0F);
    return held.data();
  });
  CHECK((state.ids == std::vector<int64_t>{0, 2} && state.counts == std::vector<int64_t>{4, 1}));
  CHECK((held == std::vector<float>{2, 3, 4, 5, 0, 0}));
  other.restore(state, MatrixView<float>(held.data(), 6, 1));
  CHECK(other.n_streams() == 2);
  for (StreamBank* each : {&bank, &other}) {
    CHECK(push(*each, {2, 0, 2}, MatrixView<float>(rows, 3, 1)).windows ==
          (std::vector<float>{3, 4, 2, 5, 1, 3}));
  }
  const MatrixView<float> view(held.data(), 6, 1);
  check_refused("ascending", [&] { other.restore({{2, 0}, {1, 4}, {}}, view); });
  check_refused("ascending", [&] { other.restore({{0, 5}, {1, 4}, {}}, view); });
  check_refused("at least 0", [&] { other.restore({{0, 2}, {1, kMaxSize}, {}}, view); });
  check_refused("as many counts", [&] { other.restore({{0, 2}, {1}, {}}, view); });
  check_refused("as many counts", [&] { other.restore({{0}, {1}, {}}, view); });
  held[5] = std::nanf("");
  check_refused("nan", [&] { other.restore(state, view); });
  CHECK((other.counts({0, 2}) == std::vector<int64_t>{5, 3}));
}

// Rows and numbers change together, in doubles as well; a stage alone changes nothing.
void two_steps() {
  StreamBank bank(2, 2, 1, 3, {0.0, 7.0}, true);
  const double rows[] = {1e-12, 2, 3}, numbers[] = {5, 6};
  const MatrixView<double> view(rows, 3, 1), one(numbers, 1, 2);
  std::vector<double> windows;
  int64_t ids[2];
  const auto outputs = [&](int64_t n) {
    windows.resize(static_cast<std::size_t>(2 * n));
    return std::make_pair(ids, windows.data());
  };
  for (int round = 0; round < 2; ++round) {
    bank.stage({1, 1, 0}, view, 1, outputs);
    CHECK((windows == std::vector<double>{1e-12, 2}) && ids[0] == 1);
    CHECK((bank.counts({0, 1}) == std::vector<int64_t>{0, 0}));
  }
  check_refused("ids[0] is 2", [&] { bank.commit({1, 1, 0}, view, {2}, one); });
  check_refused("shape (1, 2); expected (2, 2)",
                [&] { bank.commit({1, 1, 0}, view, {0, 1}, one); });
  CHECK((bank.counts({0, 1}) == std::vector<int64_t>{0, 0}));
  bank.commit({1, 1, 0}, view, {1}, one);
  CHECK((bank.counts({0, 1}) == std::vector<int64_t>{1, 2}));
  CHECK((bank.numbers({0, 1}) == std::vector<double>{0, 7, 5, 6}));
  bank.reset({1});
  CHECK((bank.numbers(bank.add(1)) == bank.numbers({1})));
}

}  // namespace

int main() {
  compare_with_lists(5, 3, 2, 17, 20, 1);
  compare_with_lists(9, 1, 4, 30, 5, 1);
  compare_with_lists(40, 60, 16, 2000, 3, 3);  // large enough for several threads
  hammer();
  life_of_streams();
  snapshots();
  two_steps();
}
