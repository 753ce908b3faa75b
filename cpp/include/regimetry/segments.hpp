// Where windows may begin: none crosses an instrument, a time gap or a missing value.
//
// One pass over the rows finds the runs of rows that belong together; the starts follow from them.
//
// Thread safety: functions of their arguments only.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "regimetry/error.hpp"
#include "regimetry/geometry.hpp"
#include "regimetry/matrix_view.hpp"

namespace regimetry {

// Rows [begin, end) with nothing missing between them.
struct Segment {
  int64_t begin, end;
};

// A column of 64-bit integers that somebody else owns, of any byte stride; null for none at all.
class Column {
 public:
  Column() = default;
  Column(const int64_t* data) : Column(data, static_cast<std::ptrdiff_t>(sizeof(int64_t))) {}
  Column(const void* data, std::ptrdiff_t stride)
      : data_(static_cast<const char*>(data)), stride_(stride) {}

  bool present() const { return data_ != nullptr; }
  int64_t operator[](int64_t row) const {
    return MatrixView<int64_t>::load(data_ + static_cast<std::ptrdiff_t>(row) * stride_);
  }

 private:
  const char* data_ = nullptr;
  std::ptrdiff_t stride_ = 0;
};

class SegmentFinder {
 public:
  // Either of the two may be missing. max_gap is in the unit of the timestamps.
  SegmentFinder(Column instruments, Column timestamps, int64_t max_gap)
      : instruments_(instruments), timestamps_(timestamps), max_gap_(max_gap) {
    if (timestamps.present() && max_gap < 0) {
      fail("max_gap is ", max_gap, "; expected at least 0; pass the longest pause inside a window");
    }
  }

  // Rows must come in order, from 0.
  void add(int64_t row, bool usable) {
    bool joined = row > 0;
    if (instruments_.present() && (row == 0 || instruments_[row] != instruments_[row - 1])) {
      joined = false;
      begin_instrument(row);
    } else if (row > 0 && timestamps_.present()) {
      joined = !gap_before(row);
    }
    if (!joined || !usable) close(row);
    if (usable && open_ < 0) open_ = row;
  }

  // Whether all rows belong to one instrument and follow each other.
  bool cuts_nothing() const { return !instruments_.present() && !timestamps_.present(); }

  std::vector<Segment> finish(int64_t rows) {
    close(rows);
    return std::move(segments_);
  }

 private:
  void close(int64_t end) {
    if (open_ >= 0) segments_.push_back({open_, end});
    open_ = -1;
  }

  bool gap_before(int64_t row) const {
    const int64_t before = timestamps_[row - 1], now = timestamps_[row];
    if (now < before) {
      fail("timestamps fall from ", before, " to ", now, " at row ", row,
           "; expected time order within an instrument; sort the rows by instrument, then time");
    }
    // Unsigned: the distance of two 64-bit times may not fit into a signed one.
    return static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(before) >
           static_cast<std::uint64_t>(max_gap_);
  }

  // An instrument that comes back means rows sorted by time: every segment would be cut to bits.
  void begin_instrument(int64_t row) {
    const auto [at, fresh] = seen_.emplace(instruments_[row], row);
    if (!fresh) {
      fail("instrument ", instruments_[row], " of row ", row, " was at row ", at->second,
           " already, with another between; expected the rows of an instrument together; sort the "
           "rows by instrument, then time");
    }
  }

  Column instruments_, timestamps_;
  int64_t max_gap_;
  int64_t open_ = -1;
  std::vector<Segment> segments_;
  std::unordered_map<int64_t, int64_t> seen_;
};

// Marks the rows of a block whose values are all finite in float32, along the closer axis.
template <class T>
void mark_usable(const MatrixView<T>& block, std::uint8_t* usable) {
  const int64_t n = block.rows();
  std::fill(usable, usable + n, std::uint8_t{1});
  const std::ptrdiff_t rs = block.row_stride(), cs = block.col_stride();
  const char* start = block.row_data(0);
  const bool by_column = block.is_column_major();
  const int64_t outer = by_column ? block.cols() : n, inner = by_column ? n : block.cols();
  const std::ptrdiff_t outer_stride = by_column ? cs : rs, inner_stride = by_column ? rs : cs;
  for (int64_t i = 0; i < outer; ++i, start += outer_stride) {
    const char* at = start;
    for (int64_t j = 0; j < inner; ++j, at += inner_stride) {
      usable[by_column ? j : i] &= static_cast<std::uint8_t>(is_usable(MatrixView<T>::load(at)));
    }
  }
}

inline std::vector<Segment> find_segments(int64_t rows, SegmentFinder finder) {
  if (finder.cuts_nothing()) return rows > 0 ? std::vector<Segment>{{0, rows}} : std::vector<Segment>{};
  for (int64_t t = 0; t < rows; ++t) finder.add(t, true);
  return finder.finish(rows);
}

template <class T>
std::vector<Segment> find_segments(const MatrixView<T>& values, SegmentFinder finder) {
  if (values.cols() == 0) return find_segments(values.rows(), std::move(finder));
  constexpr int64_t kBlock = 512;
  std::array<std::uint8_t, kBlock> usable;
  for (int64_t first = 0; first < values.rows(); first += kBlock) {
    const int64_t n = std::min(kBlock, values.rows() - first);
    mark_usable(values.slice(first, n), usable.data());
    for (int64_t t = 0; t < n; ++t) finder.add(first + t, usable[static_cast<std::size_t>(t)] != 0);
  }
  return finder.finish(values.rows());
}

// How many windows the segments hold; each segment starts its own count of strides.
inline int64_t count_starts(const std::vector<Segment>& segments, int64_t window_size,
                            int64_t stride) {
  int64_t n = 0;
  for (const Segment& s : segments) {
    if (s.end - s.begin >= window_size) n += count_windows(s.end - s.begin, window_size, stride);
  }
  return n;
}

// Writes count_starts() ascending starts.
inline void fill_starts(const std::vector<Segment>& segments, int64_t window_size, int64_t stride,
                        int64_t* out) {
  for (const Segment& s : segments) {
    if (s.end - s.begin < window_size) continue;
    const int64_t n = count_windows(s.end - s.begin, window_size, stride);
    for (int64_t i = 0; i < n; ++i) *out++ = s.begin + i * stride;
  }
}

}  // namespace regimetry
