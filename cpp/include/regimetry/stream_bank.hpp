// The last W rows of up to a million streams, in one slab.
//
// Each stream has a ring of W rows. Unlike the single StreamBuffer it writes a row once: its
// windows are copied into a batch anyway, and two copies unroll a ring as cheaply as one copies a
// straight block, at half the memory.
//
// Streams are numbered 0 .. capacity - 1; a dropped number may be given out again by add().
//
// Thread safety: every method takes the bank's lock; calls from several threads queue up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"
#include "regimetry/memory.hpp"
#include "regimetry/parallel.hpp"
#include "regimetry/prefetch.hpp"
#include "regimetry/stream_buffer.hpp"

namespace regimetry {

// Everything a bank knows: streams `ids`, the rows each has seen, and its last W rows, oldest
// first, (n, W, F); a stream with fewer rows has them in front and zeros behind.
struct BankState {
  std::vector<int64_t> ids, counts;
};

class StreamBank {
 public:
  StreamBank(int64_t n_streams, int64_t window_size, int64_t n_features, int64_t capacity)
      : capacity_(capacity), window_size_(window_size), n_features_(n_features) {
    if (window_size < 1 || n_features < 1 || n_streams < 0 || capacity < std::max<int64_t>(n_streams, 1)) {
      fail("the bank has n_streams=", n_streams, ", window_size=", window_size, ", n_features=",
           n_features, ", capacity=", capacity, "; expected sizes of at least 1 and a capacity of at "
           "least n_streams; pass the model's window size and features");
    }
    int64_t bytes = checked_multiply(window_size, n_features, "the bank");
    bytes = checked_multiply(bytes, static_cast<int64_t>(sizeof(float)), "the bank");
    bytes = checked_multiply(bytes, capacity, "the bank");
    require_memory(bytes, "the bank");
    require_memory(checked_multiply(capacity, kBookkeepingBytes, "the bank"), "the bank");
    // calloc: pages nobody has pushed to cost nothing yet.
    slab_.reset(static_cast<float*>(std::calloc(static_cast<std::size_t>(bytes) / sizeof(float), sizeof(float))));
    if (!slab_) {
      fail("the bank needs ", gibibytes(bytes), " GiB and the system refused them; expected free "
           "memory; use fewer streams or a shorter window");
    }
    counts_.assign(static_cast<std::size_t>(capacity), kAbsent);
    std::fill_n(counts_.begin(), n_streams, 0);
    n_streams_ = n_streams;
  }

  int64_t window_size() const { return window_size_; }
  int64_t n_features() const { return n_features_; }
  int64_t capacity() const { return capacity_; }
  int64_t n_streams() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return n_streams_;
  }
  bool closed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return slab_ == nullptr;
  }

  // Gives the slab back; every later call is refused.
  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    slab_.reset();
    counts_ = {};
    n_streams_ = 0;
  }

  // New, empty streams: the lowest free numbers, ascending.
  std::vector<int64_t> add(int64_t count) {
    const std::lock_guard<std::mutex> lock(mutex_);
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
    for (const int64_t id : ids) count_of(id) = 0;
    n_streams_ += count;
    return ids;
  }

  // Forgets streams altogether; all of them or none. Repeated ids are refused.
  void drop(const std::vector<int64_t>& ids) {
    const std::lock_guard<std::mutex> lock(mutex_);
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
    const std::lock_guard<std::mutex> lock(mutex_);
    require_open();
    for (std::size_t i = 0; i < ids.size(); ++i) require_id(ids[i], static_cast<int64_t>(i));
    for (const int64_t id : ids) count_of(id) = 0;
  }
  void reset() {
    const std::lock_guard<std::mutex> lock(mutex_);
    require_open();
    for (int64_t& count : counts_) count = count == kAbsent ? kAbsent : 0;
  }

  std::vector<int64_t> counts(const std::vector<int64_t>& ids) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    require_open();
    std::vector<int64_t> out;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      require_id(ids[i], static_cast<int64_t>(i));
      out.push_back(count_of(ids[i]));
    }
    return out;
  }

  // rows[i] goes to stream ids[i], in order. Each row that fills or finds a full window gives one
  // window, in the order of the rows: as if the rows were pushed one by one.
  //
  // outputs(n) is called once, before anything is written, and returns where the n ids and the
  // windows (n, W, F) go: a pair of int64_t* and float*. Whatever fails, the bank is unchanged.
  template <class T, class Outputs>
  void push(const std::vector<int64_t>& ids, const MatrixView<T>& rows, int64_t threads,
            Outputs&& outputs) {
    require_threads(threads);
    const std::lock_guard<std::mutex> lock(mutex_);
    require_open();
    const int64_t n = static_cast<int64_t>(ids.size());
    if (rows.rows() != n || (rows.cols() != n_features_)) {
      fail("rows have shape (", rows.rows(), ", ", rows.cols(), "); expected (", n, ", ", n_features_,
           "), one row for each id; pass the features of the model, in its order");
    }
    for (int64_t i = 0; i < n; ++i) {
      require_id(ids[static_cast<std::size_t>(i)], i);
      if (!is_usable_row(rows, i)) fail_row(rows, i);
    }
    steps_.resize(ids.size());
    int64_t ready = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const int64_t count = ++count_of(ids[i]);
      steps_[i] = {count, count >= window_size_ ? ready++ : -1};
    }
    Pointers out{};
    try {
      const auto [ready_ids, windows] = outputs(ready);
      out = {ready_ids, windows};
    } catch (...) {
      for (const int64_t id : ids) --count_of(id);
      throw;
    }
    threads = useful_threads(threads, ready * window_size_ * n_features_ * 4);
    const auto ring_bytes = static_cast<std::size_t>(window_size_ * n_features_) * sizeof(float);
    // A stream belongs to one thread, which meets its rows in order.
    run_parallel(threads, [&](int64_t index) {
      for (int64_t i = 0; i < n; ++i) {
        const int64_t id = ids[static_cast<std::size_t>(i)];
        if (threads > 1 && id % threads != index) continue;
        const auto next = static_cast<std::size_t>(i + kAhead);
        if (i + kAhead < n && steps_[next].output >= 0) prefetch(ring(ids[next]), ring_bytes);
        const Step& step = steps_[static_cast<std::size_t>(i)];
        const int64_t slot = (step.count - 1) % window_size_;
        convert_row<T>(rows.row_data(i), rows.col_stride(), n_features_,
                       ring(id) + slot * n_features_);
        if (step.output < 0) continue;
        out.ids[step.output] = id;
        const int64_t oldest = slot + 1 < window_size_ ? slot + 1 : 0;
        copy_rows(id, oldest, window_size_, out.windows + step.output * window_size_ * n_features_);
      }
    });
  }

  // The streams that exist, ascending, and what they have seen; `rows(n)` is called once and
  // returns where (n, W, F) floats go.
  template <class Rows>
  BankState snapshot(Rows&& rows) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    require_open();
    BankState state;
    for (int64_t id = 0; id < capacity_; ++id) {
      if (count_of(id) == kAbsent) continue;
      state.ids.push_back(id);
      state.counts.push_back(count_of(id));
    }
    float* out = rows(n_streams_);
    const int64_t item = window_size_ * n_features_;
    std::fill_n(out, n_streams_ * item, 0.0F);
    for (std::size_t i = 0; i < state.ids.size(); ++i, out += item) {
      const int64_t held = std::min(state.counts[i], window_size_);
      copy_rows(state.ids[i], (state.counts[i] - held) % window_size_, held, out);
    }
    return state;
  }

  // Puts a snapshot back in place of all there is. `rows` is (n * W, F). All of it or nothing.
  template <class T>
  void restore(const BankState& state, const MatrixView<T>& rows) {
    const std::lock_guard<std::mutex> lock(mutex_);
    require_open();
    const int64_t n = static_cast<int64_t>(state.ids.size());
    if (state.counts.size() != state.ids.size() || rows.cols() != n_features_ || n > capacity_ ||
        rows.rows() != checked_multiply(n, window_size_, "the snapshot")) {
      fail("the snapshot has ", n, " ids, ", state.counts.size(), " counts and ", rows.rows(), " x ",
           rows.cols(), " values; expected as many counts as ids, at most ", capacity_,
           " of them, and W rows of F values each; restore an unchanged snapshot");
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
        convert_row<T>(rows.row_data(i * window_size_ + r), rows.col_stride(), n_features_,
                       ring(id) + (count - held + r) % window_size_ * n_features_);
      }
      count_of(id) = count;
    }
    n_streams_ = n;
    first_free_ = 0;
  }

 private:
  static constexpr int64_t kAbsent = -1;
  static constexpr int64_t kBookkeepingBytes = 8;
  static constexpr int64_t kAhead = 3;  // rows from asking for a ring to copying it

  // What one row of a push does: it is the count-th of its stream and fills window `output`.
  struct Step {
    int64_t count, output;
  };
  struct Pointers {
    int64_t* ids;
    float* windows;
  };
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };

  int64_t& count_of(int64_t id) { return counts_[static_cast<std::size_t>(id)]; }
  const int64_t& count_of(int64_t id) const { return counts_[static_cast<std::size_t>(id)]; }
  float* ring(int64_t id) const { return slab_.get() + id * window_size_ * n_features_; }

  // The `held` rows of a stream from slot `oldest` on, round the ring.
  void copy_rows(int64_t id, int64_t oldest, int64_t held, float* out) const {
    const int64_t head = std::min(held, window_size_ - oldest);
    const std::size_t row = static_cast<std::size_t>(n_features_) * sizeof(float);
    std::memcpy(out, ring(id) + oldest * n_features_, static_cast<std::size_t>(head) * row);
    std::memcpy(out + head * n_features_, ring(id), static_cast<std::size_t>(held - head) * row);
  }

  void require_open() const {
    if (!slab_) fail("the bank is closed; expected an open one; make a new bank");
  }
  void require_id(int64_t id, int64_t index) const {
    if (id < 0 || id >= capacity_ || count_of(id) == kAbsent) {
      fail("ids[", index, "] is ", id, ", which is no stream of this bank (or repeated in a drop); "
           "expected one of its ", n_streams_, " streams; add() it first");
    }
  }

  int64_t capacity_, window_size_, n_features_;
  int64_t n_streams_ = 0;
  int64_t first_free_ = 0;  // every number below is in use: spares add() the search from 0
  std::unique_ptr<float, Free> slab_;
  std::vector<int64_t> counts_;  // rows ever seen, kAbsent where there is no stream
  std::vector<Step> steps_;      // scratch of push, kept to spare the allocation
  mutable std::mutex mutex_;
};

}  // namespace regimetry
