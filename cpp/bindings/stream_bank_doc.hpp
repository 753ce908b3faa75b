// Docstrings of StreamBank, apart so that its binding stays readable.
#pragma once

constexpr const char* kBankDoc = R"(StreamBank(n_streams, window_size, n_features, capacity=None)
--

The last W rows of many live series, in one block of memory.

Streams are numbered; those from 0 to n_streams - 1 exist from the start.

Parameters
----------
n_streams : int
    Streams to begin with, >= 0.
window_size : int
    W >= 1, the rows of a window.
n_features : int
    F >= 1, the values of a row.
capacity : int, optional
    The most streams there can be; n_streams by default. The block takes capacity * W * F * 4
    bytes, of which streams without rows do not use theirs yet.

Raises
------
regimetry.errors.DataError
    Impossible sizes, or a block larger than the machine's memory.

Notes
-----
Thread safety: every method takes the bank's lock, so calls from several threads queue up; a
stream's rows keep their order only if one thread pushes them.
)";

constexpr const char* kPushDoc = R"(push(self, ids, rows, threads=1)
--

Add one row to each of the streams `ids` and return the windows that are full.

Parameters
----------
ids : numpy.ndarray, shape (B,), int64
    In any order; an id may be repeated, its rows are then taken in order.
rows : numpy.ndarray, shape (B, F), float32 or float64
    Any strides; converted to float32 as they are written.
threads : int, default 1
    At most so many threads; fewer are used below 1 MiB of windows each.

Returns
-------
ready_ids : numpy.ndarray, shape (R,), int64
    The id of each row after which its stream has seen W rows, in the order of `ids`: as if the
    rows were pushed one by one, so a repeated id may stand here as often.
windows : numpy.ndarray, shape (R, W, F), float32
    The window after that row, oldest row first. Contiguous, the caller's own.

Raises
------
TypeError
    An argument is no array.
regimetry.errors.DataError
    An id that does not exist, wrong shapes or dtypes, a value that is not finite in float32 (the
    message names the row), or a closed bank. The bank is then unchanged: all rows or none.

Notes
-----
Thread safety: locked; runs without the GIL.
)";

constexpr const char* kAddDoc = R"(add(self, count=1)
--

Make new, empty streams.

Parameters
----------
count : int, default 1
    How many.

Returns
-------
numpy.ndarray, shape (count,), int64
    Their ids: the lowest free ones, so those of dropped streams may come back.

Raises
------
regimetry.errors.DataError
    More than the capacity leaves, or a closed bank.

Notes
-----
Thread safety: locked.
)";

constexpr const char* kDropDoc = R"(drop(self, ids)
--

Remove streams and free their ids.

Parameters
----------
ids : numpy.ndarray, shape (B,), int64
    Streams that exist, each once.

Raises
------
regimetry.errors.DataError
    An id that does not exist or is repeated, or a closed bank. The bank is then unchanged.

Notes
-----
Thread safety: locked.
)";

constexpr const char* kResetDoc = R"(reset(self, ids=None)
--

Empty streams, which go on to exist.

Parameters
----------
ids : numpy.ndarray, shape (B,), int64, optional
    All streams by default.

Raises
------
regimetry.errors.DataError
    An id that does not exist, or a closed bank. The bank is then unchanged.

Notes
-----
Thread safety: locked.
)";

constexpr const char* kCountsDoc = R"(counts(self, ids)
--

Count the rows streams have seen since they were made or reset, in 64 bits.

Parameters
----------
ids : numpy.ndarray, shape (B,), int64
    Streams that exist.

Returns
-------
numpy.ndarray, shape (B,), int64
    Rows seen; a stream is ready from W on.

Raises
------
regimetry.errors.DataError
    An id that does not exist, or a closed bank.

Notes
-----
Thread safety: locked.
)";

constexpr const char* kSnapshotDoc = R"(snapshot(self)
--

Copy the state of all streams into plain arrays and numbers.

Returns
-------
dict
    ``kind`` str, ``version``, ``window_size``, ``n_features`` int, ``ids`` and ``counts``, int64
    (n,), and ``rows``, float32 (n, W, F), oldest first; a stream with fewer than W rows has zeros
    behind them.

Raises
------
regimetry.errors.DataError
    A closed bank.

Notes
-----
Thread safety: locked.
)";

constexpr const char* kRestoreDoc = R"(restore(self, snapshot)
--

Put a snapshot back in place of all streams.

Parameters
----------
snapshot : dict
    What `snapshot` returned, of the same W and F, with ids below this bank's capacity.

Raises
------
regimetry.errors.DataError
    Another kind, version or shape, a missing or impossible entry, or a closed bank. The bank is
    then unchanged.

Notes
-----
Thread safety: locked.
)";

constexpr const char* kCloseDoc = R"(close(self)
--

Give the memory back at once. Every later call raises `DataError`; windows that were returned stay.

Notes
-----
Thread safety: locked.
)";
