// Docstrings of StreamBank, apart so that its binding stays readable.
#pragma once

constexpr const char* kBankDoc =
    R"(StreamBank(n_streams, window_size, n_features, capacity=None, numbers=None, dtype='float32')
--

The last W rows of many live series, in one block of memory, and S numbers with each.

Streams are numbered; those from 0 to n_streams - 1 exist from the start. A push has two steps, so
that rows and numbers change together or not at all: `stage`, which changes nothing, and `commit`.

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
    bytes (8 of float64), of which streams without rows do not use theirs yet.
numbers : numpy.ndarray, shape (S,), float64, optional
    The numbers of a stream that begins; none by default.
dtype : {"float32", "float64"}, default "float32"
    What rows are kept as.

Raises
------
regimetry.errors.DataError
    Impossible sizes, or a block larger than the machine's memory.

Notes
-----
Thread safety: every method takes the bank's lock, so calls from several threads queue up; a
stream's rows keep their order only if one thread pushes them.
)";

constexpr const char* kStageDoc = R"(stage(self, ids, rows, threads=1)
--

Return the windows that would be full, were one row added to each of the streams `ids`.

Parameters
----------
ids : numpy.ndarray, shape (B,), int64
    In any order; an id may be repeated, its rows are then taken in order.
rows : numpy.ndarray, shape (B, F), float32 or float64
    Any strides.
threads : int, default 1
    At most so many threads; fewer are used below 1 MiB of windows each.

Returns
-------
ready_ids : numpy.ndarray, shape (R,), int64
    The id of each row after which its stream has seen W rows, in the order of `ids`: as if the
    rows were pushed one by one, so a repeated id may stand here as often.
windows : numpy.ndarray, shape (R, W, F), of the bank's dtype
    The window after that row, oldest row first. Contiguous, the caller's own.

Raises
------
TypeError
    An argument is no array.
regimetry.errors.DataError
    An id that does not exist, wrong shapes or dtypes, a value that is not finite in float32 (the
    message names the row), or a closed bank.

Notes
-----
The bank stays as it is. Thread safety: locked; runs without the GIL.
)";

constexpr const char* kCommitDoc = R"(commit(self, ids, rows, changed=None, numbers=None)
--

Add one row to each of the streams `ids`, and put the numbers of those that change, at once.

Parameters
----------
ids : numpy.ndarray, shape (B,), int64
    In any order; an id may be repeated, its rows are then taken in order.
rows : numpy.ndarray, shape (B, F), float32 or float64
    Any strides; converted to the bank's dtype as they are written.
changed : numpy.ndarray, shape (n,), int64, optional
    Streams whose numbers change.
numbers : numpy.ndarray, shape (n, S), float64, optional
    Their numbers from now on.

Raises
------
TypeError
    An argument is no array.
regimetry.errors.DataError
    As for `stage`. The bank is then unchanged: all rows and numbers or none.

Notes
-----
Thread safety: locked; runs without the GIL.
)";

constexpr const char* kNumbersDoc = R"(numbers(self, ids)
--

Return the numbers that belong to streams.

Parameters
----------
ids : numpy.ndarray, shape (n,), int64
    Streams that exist.

Returns
-------
numpy.ndarray, shape (n, S), float64
    A copy: what `commit` put last, or what a stream begins with.

Raises
------
regimetry.errors.DataError
    An id that does not exist, or a closed bank.

Notes
-----
Thread safety: locked.
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
    (n,), ``rows``, of the bank's dtype (n, W, F), oldest first (a stream with fewer than W rows has
    zeros behind them), and ``numbers``, float64 (n, S), where there are any.

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
