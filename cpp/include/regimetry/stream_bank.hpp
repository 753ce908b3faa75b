// The last W rows of up to a million streams, in one slab.
//
// Each stream has a ring of W rows, and S numbers that its owner keeps with it. A push is made in two
// steps: stage() gives the windows as they would be and changes nothing, commit() adds the rows and
// puts the numbers at once. Whatever happens between the two, rows and numbers belong together.
//
// Rows are kept as float, or as double where more is computed from them before the model reads them.
//
// Streams are numbered 0 .. capacity - 1; a dropped number may be given out again by add().
//
// Thread safety: every method takes the bank's lock; calls from several threads queue up. A process
// that is forked meanwhile finds the bank whole and unlocked. A callback runs under the lock: it may
// not call the bank, nor wait for anything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "regimetry/error.hpp"
#include "regimetry/fork_mutex.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"
#include "regimetry/memory.hpp"
#include "regimetry/parallel.hpp"
#include "regimetry/prefetch.hpp"
#include "regimetry/rows.hpp"

namespace regimetry {

// Everything a bank knows: streams `ids`, the rows each has seen, its numbers (n, S), and, given apart
// from these, its last W rows, oldest first, (n, W, F); a stream with fewer rows has them in front
// and zeros behind.
struct BankState {
  std::vector<int64_t> ids, counts;
  std::vector<double> numbers;
};

class StreamBank {
 public:
  // `initial` (S,) are the numbers of a stream that begins.
  StreamBank(int64_t n_streams, int64_t window_size, int64_t n_features, int64_t capacity,
             std::vector<double> initial = {}, bool doubles = false)
      : capacity_(capacity),
        window_size_(window_size),
        n_features_(n_features),
        doubles_(doubles),
        initial_(std::move(initial)) {
    if (window_size < 1 || n_features < 1 || n_streams < 0 ||
        capacity < std::max<int64_t>(n_streams, 1)) {
      fail("the bank has n_streams=", n_streams, ", window_size=", window_size,
           ", n_features=", n_features, ", capacity=", capacity,
           "; expected sizes of at least 1 and a capacity of at "
           "least n_streams; pass the model's window size and features");
    }
    row_bytes_ = checked_multiply(n_features, doubles ? 8 : 4, "the bank");
    ring_bytes_ = checked_multiply(window_size, row_bytes_, "the bank");
    const int64_t bytes = checked_multiply(capacity, ring_bytes_, "the bank");
    require_memory(bytes, "the bank");
    const int64_t others =
        checked_multiply(capacity, kBookkeepingBytes + 8 * n_numbers(), "the bank");
    require_memory(others, "the bank");
    // calloc: pages nobody has pushed to cost nothing yet.
    const auto several = static_cast<std::size_t>(capacity);
    slab_.reset(std::calloc(several, static_cast<std::size_t>(ring_bytes_)));
    numbers_.reset(std::calloc(several, initial_.size() * sizeof(double) + 1));
    if (!slab_ || !numbers_) {
      fail("the bank needs ", gibibytes(bytes + others),
           " GiB and the system refused them; expected "
           "free memory; use fewer streams or a shorter window");
    }
    counts_.assign(several, kAbsent);
    latest_.assign(several, kAbsent);
    for (int64_t id = 0; id < n_streams; ++id) begin(id);
    n_streams_ = n_streams;
  }

  int64_t window_size() const { return window_size_; }
  int64_t n_features() const { return n_features_; }
  int64_t n_numbers() const { return static_cast<int64_t>(initial_.size()); }
  bool doubles() const { return doubles_; }
  int64_t capacity() const { return capacity_; }
  int64_t n_streams() const {
    const std::lock_guard<ForkMutex> lock(mutex_);
    return n_streams_;
  }
  bool closed() const {
    const std::lock_guard<ForkMutex> lock(mutex_);
    return slab_ == nullptr;
  }

  // Gives the slab back; every later call is refused.
  void close() {
    const std::lock_guard<ForkMutex> lock(mutex_);
    slab_.reset();
    numbers_.reset();
    counts_ = latest_ = {};
    n_streams_ = 0;
  }

  // New, empty streams: the lowest free numbers, ascending.
  std::vector<int64_t> add(int64_t count) {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    if (count < 0 || count > capacity_ - n_streams_) {
      fail("cannot add ", count, " streams: ", n_streams_, " of ", capacity_,
           " are in use; expected 0 to ", capacity_ - n_streams_,
           "; drop streams first or make a bank of larger capacity");
    }
    std::vector<int64_t> ids;
    ids.reserve(static_cast<std::size_t>(count));
    for (; static_cast<int64_t>(ids.size()) < count; ++first_free_) {
      if (count_of(first_free_) == kAbsent) ids.push_back(first_free_);
    }
    for (const int64_t id : ids) begin(id);
    n_streams_ += count;
    return ids;
  }

  // Forgets streams altogether; all of them or none. Repeated ids are refused.
  void drop(const std::vector<int64_t>& ids) {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    std::vector<int64_t> before;
    before.reserve(ids.size());
    try {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        require_id(ids[i], static_cast<int64_t>(i));
        before.push_back(count_of(ids[i]));
        count_of(ids[i]) = kAbsent;
      }
    } catch (...) {
      for (std::size_t i = 0; i < before.size(); ++i) count_of(ids[i]) = before[i];
      throw;
    }
    for (const int64_t id : ids) first_free_ = std::min(first_free_, id);
    n_streams_ -= static_cast<int64_t>(ids.size());
  }

  // Empties streams, which go on to exist.
  void reset(const std::vector<int64_t>& ids) {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    for (std::size_t i = 0; i < ids.size(); ++i) require_id(ids[i], static_cast<int64_t>(i));
    for (const int64_t id : ids) begin(id);
  }
  void reset() {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    for (int64_t id = 0; id < capacity_; ++id) {
      if (count_of(id) != kAbsent) begin(id);
    }
  }

  std::vector<int64_t> counts(const std::vector<int64_t>& ids) const {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    std::vector<int64_t> out;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      require_id(ids[i], static_cast<int64_t>(i));
      out.push_back(count_of(ids[i]));
    }
    return out;
  }

  // The numbers of streams, (n, S).
  std::vector<double> numbers(const std::vector<int64_t>& ids) const {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    std::vector<double> out;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      require_id(ids[i], static_cast<int64_t>(i));
      out.insert(out.end(), numbers_of(ids[i]), numbers_of(ids[i]) + n_numbers());
    }
    return out;
  }

  // The windows as they would be, were rows[i] given to stream ids[i], in order: one for each row
  // that fills or finds a full window, as if the rows came one by one. Nothing changes.
  //
  // outputs(n) is called once and returns where the n ids and the windows (n, W, F) go: a pair of
  // int64_t* and of float* or double*, as rows are kept.
  template <class T, class Outputs>
  void stage(const std::vector<int64_t>& ids, const MatrixView<T>& rows, int64_t threads,
             Outputs&& outputs) {
    require_threads(threads);
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_rows(ids, rows);
    const int64_t n = static_cast<int64_t>(ids.size());
    steps_.resize(ids.size());
    int64_t ready = 0;
    for (int64_t i = 0; i < n; ++i) {
      int64_t& latest = latest_[static_cast<std::size_t>(ids[static_cast<std::size_t>(i)])];
      const int64_t before =
          latest < 0 ? count_of(ids[static_cast<std::size_t>(i)]) : step(latest).count;
      step(i) = {before + 1, before + 1 >= window_size_ ? ready++ : -1, latest};
      latest = i;
    }
    for (const int64_t id : ids) latest_[static_cast<std::size_t>(id)] = kAbsent;
    const auto [out_ids, out_windows] = outputs(ready);
    int64_t* ready_ids = out_ids;
    char* windows = reinterpret_cast<char*>(out_windows);
    threads = useful_threads(threads, ready * ring_bytes_);
    run_parallel(threads, [&](int64_t index) {
      for (int64_t i = n * index / threads; i < n * (index + 1) / threads; ++i) {
        if (i + kAhead < n && step(i + kAhead).output >= 0) {
          prefetch(ring(ids[static_cast<std::size_t>(i + kAhead)]),
                   static_cast<std::size_t>(ring_bytes_));
        }
        if (step(i).output < 0) continue;
        const int64_t id = ids[static_cast<std::size_t>(i)];
        ready_ids[step(i).output] = id;
        char* window = windows + step(i).output * ring_bytes_;
        // From the end: this row, those of the stream that come with it, and those it has seen.
        int64_t left = window_size_;
        for (int64_t j = i; j >= 0 && left > 0; j = step(j).before) {
          convert(rows, j, window + --left * row_bytes_);
        }
        copy_rows(id, left, window);
      }
    });
  }

  // Gives rows[i] to stream ids[i], in order, and numbers[j] to stream changed[j]: all or none.
  template <class T>
  void commit(const std::vector<int64_t>& ids, const MatrixView<T>& rows,
              const std::vector<int64_t>& changed, const MatrixView<double>& numbers) {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_rows(ids, rows);
    const auto m = static_cast<int64_t>(changed.size());
    if (numbers.rows() != m || (m > 0 && numbers.cols() != n_numbers())) {
      fail("numbers have shape (", numbers.rows(), ", ", numbers.cols(), "); expected (", m, ", ",
           n_numbers(),
           "), a row for each of the streams that change; pass as many as `changed` names");
    }
    for (int64_t j = 0; j < m; ++j) require_id(changed[static_cast<std::size_t>(j)], j);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const int64_t slot = count_of(ids[i])++ % window_size_;
      convert(rows, static_cast<int64_t>(i), ring(ids[i]) + slot * row_bytes_);
    }
    for (int64_t j = 0; j < m; ++j) {
      double* to = numbers_of(changed[static_cast<std::size_t>(j)]);
      for (int64_t s = 0; s < n_numbers(); ++s) to[s] = numbers(j, s);
    }
  }

  // The streams that exist, ascending, and what they have seen; `rows(n)` is called once and
  // returns where the rows (n, W, F) go, float* or double* as they are kept.
  template <class Rows>
  BankState snapshot(Rows&& rows) const {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    BankState state;
    for (int64_t id = 0; id < capacity_; ++id) {
      if (count_of(id) == kAbsent) continue;
      state.ids.push_back(id);
      state.counts.push_back(count_of(id));
      state.numbers.insert(state.numbers.end(), numbers_of(id), numbers_of(id) + n_numbers());
    }
    char* out = reinterpret_cast<char*>(rows(n_streams_));
    std::fill_n(out, n_streams_ * ring_bytes_, '\0');
    for (std::size_t i = 0; i < state.ids.size(); ++i, out += ring_bytes_) {
      copy_rows(state.ids[i], std::min(state.counts[i], window_size_), out);
    }
    return state;
  }

  // Puts a snapshot back in place of all there is. `rows` is (n * W, F). All of it or nothing.
  template <class T>
  void restore(const BankState& state, const MatrixView<T>& rows) {
    const std::lock_guard<ForkMutex> lock(mutex_);
    require_open();
    const int64_t n = static_cast<int64_t>(state.ids.size());
    if (state.counts.size() != state.ids.size() || rows.cols() != n_features_ || n > capacity_ ||
        rows.rows() != checked_multiply(n, window_size_, "the snapshot") ||
        state.numbers.size() != state.ids.size() * initial_.size()) {
      fail("the snapshot has ", n, " ids, ", state.counts.size(), " counts, ", state.numbers.size(),
           " numbers and ", rows.rows(), " x ", rows.cols(),
           " values; expected as many counts as ids, "
           "at most ",
           capacity_, " of them, ", n_numbers(),
           " numbers and W rows of F values each; "
           "restore an unchanged snapshot");
    }
    for (int64_t i = 0; i < n; ++i) {
      const int64_t id = state.ids[static_cast<std::size_t>(i)];
      const int64_t count = state.counts[static_cast<std::size_t>(i)];
      const int64_t before = i > 0 ? state.ids[static_cast<std::size_t>(i - 1)] : -1;
      if (id <= before || id >= capacity_ || count < 0 || count > kMaxSize / 2) {
        fail("the snapshot has stream ", id, " with ", count, " rows after stream ", before,
             "; expected ascending ids below ", capacity_,
             " and counts of at least 0; restore an unchanged snapshot");
      }
      for (int64_t r = i * window_size_; r < (i + 1) * window_size_; ++r) {
        if (!is_usable_row(rows, r)) fail_row(rows, r);
      }
    }
    std::fill(counts_.begin(), counts_.end(), kAbsent);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t id = state.ids[static_cast<std::size_t>(i)];
      const int64_t count = state.counts[static_cast<std::size_t>(i)];
      const int64_t held = std::min(count, window_size_);
      for (int64_t r = 0; r < held; ++r) {
        convert(rows, i * window_size_ + r,
                ring(id) + (count - held + r) % window_size_ * row_bytes_);
      }
      count_of(id) = count;
      std::copy_n(state.numbers.data() + i * n_numbers(), n_numbers(), numbers_of(id));
    }
    n_streams_ = n;
    first_free_ = 0;
  }

 private:
  static constexpr int64_t kAbsent = -1;
  static constexpr int64_t kBookkeepingBytes = 16;
  static constexpr int64_t kAhead = 3;  // rows from asking for a ring to copying it

  // What one row of a push does: it is the count-th of its stream, fills window `output`, and follows
  // row `before` of the same push (-1: none).
  struct Step {
    int64_t count, output, before;
  };
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };

  int64_t& count_of(int64_t id) { return counts_[static_cast<std::size_t>(id)]; }
  const int64_t& count_of(int64_t id) const { return counts_[static_cast<std::size_t>(id)]; }
  Step& step(int64_t i) { return steps_[static_cast<std::size_t>(i)]; }
  char* ring(int64_t id) const { return static_cast<char*>(slab_.get()) + id * ring_bytes_; }
  double* numbers_of(int64_t id) const {
    return static_cast<double*>(numbers_.get()) + id * n_numbers();
  }

  void begin(int64_t id) {
    count_of(id) = 0;
    std::copy(initial_.begin(), initial_.end(), numbers_of(id));
  }

  template <class T>
  void convert(const MatrixView<T>& rows, int64_t row, char* to) const {
    if (doubles_) {
      convert_row<T>(rows.row_data(row), rows.col_stride(), n_features_,
                     reinterpret_cast<double*>(to));
    } else {
      convert_row<T>(rows.row_data(row), rows.col_stride(), n_features_,
                     reinterpret_cast<float*>(to));
    }
  }

  // The newest `held` rows of a stream, round the ring.
  void copy_rows(int64_t id, int64_t held, char* out) const {
    const int64_t oldest = (count_of(id) - held) % window_size_;
    const int64_t head = std::min(held, window_size_ - oldest) * row_bytes_;
    std::memcpy(out, ring(id) + oldest * row_bytes_, static_cast<std::size_t>(head));
    std::memcpy(out + head, ring(id), static_cast<std::size_t>(held * row_bytes_ - head));
  }

  void require_open() const {
    if (!slab_) fail("the bank is closed; expected an open one; make a new bank");
  }
  void require_id(int64_t id, int64_t index) const {
    if (id < 0 || id >= capacity_ || count_of(id) == kAbsent) {
      fail("ids[", index, "] is ", id,
           ", which is no stream of this bank (or repeated in a drop); "
           "expected one of its ",
           n_streams_, " streams; add() it first");
    }
  }
  template <class T>
  void require_rows(const std::vector<int64_t>& ids, const MatrixView<T>& rows) const {
    require_open();
    const int64_t n = static_cast<int64_t>(ids.size());
    if (rows.rows() != n || rows.cols() != n_features_) {
      fail("rows have shape (", rows.rows(), ", ", rows.cols(), "); expected (", n, ", ",
           n_features_, "), one row for each id; pass the features of the model, in its order");
    }
    for (int64_t i = 0; i < n; ++i) {
      require_id(ids[static_cast<std::size_t>(i)], i);
      if (!is_usable_row(rows, i)) fail_row(rows, i);
    }
  }

  int64_t capacity_, window_size_, n_features_;
  bool doubles_;
  std::vector<double> initial_;
  int64_t row_bytes_ = 0, ring_bytes_ = 0;
  int64_t n_streams_ = 0;
  int64_t first_free_ = 0;  // every number below is in use: spares add() the search from 0
  std::unique_ptr<void, Free> slab_, numbers_;
  std::vector<int64_t> counts_;  // rows ever seen, kAbsent where there is no stream
  std::vector<int64_t> latest_;  // scratch of stage: the last row of each stream in this push
  std::vector<Step> steps_;      // the same, kept to spare the allocation
  mutable ForkMutex mutex_;
};

}  // namespace regimetry
