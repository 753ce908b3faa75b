"""Tables as people have them: files and frames of the same bars, and what must come out of each."""

import datetime
import decimal
import gzip
import warnings
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from regimetry.errors import DataWarning

T = 48
VALUES = np.column_stack(
    [
        (100 * np.exp(0.01 * np.random.default_rng(0).standard_normal(T).cumsum())).round(2),
        (0.01 + np.random.default_rng(1).random(T) / 50).round(5),
    ]
)
NAMES = ["close", "range"]
DAYS = pd.bdate_range("2019-12-27", periods=T)
MONTHS = pd.date_range("2000-01-01", periods=T, freq="MS")
MINUTES = pd.date_range("2020-02-01 23:40", periods=T, freq="min")
SECONDS = DAYS.astype("datetime64[s]").astype(np.int64)
ISO = [*DAYS.strftime("%Y-%m-%d")]


def quiet(call, *arguments, **named):
    """Call, and return the result with the notes; no other warning is let through."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", DataWarning)
        found = call(*arguments, **named)
    return found, [str(one.message) for one in caught]


class Case(NamedTuple):
    """A file of text.

    Attributes
    ----------
    content : bytes
    times : sequence or None
        What its rows are of, rising; None where it has no times.
    flags : dict
        Options of the command line.
    says : tuple of str
        Parts of the notes, in any order; there are no others.
    name : str
    streams : bool
        Whether `stream` reads it line by line as it is.
    newest_first : bool
    """

    content: bytes
    times: object = DAYS
    flags: dict = MappingProxyType({})
    says: tuple = ()
    name: str = "t.csv"
    streams: bool = True
    newest_first: bool = False


def text(times, name="Date", *, sep=",", comma=False, names=NAMES, values=None, end="\n"):
    """Lines of a table; `times` is a list of columns where `name` is one of names."""
    columns = [times] if isinstance(name, str) else times
    head = [name] if isinstance(name, str) else name
    numbers = [[str(v).replace(".", ",") if comma else str(v) for v in row] for row in VALUES]
    rows = zip(*columns, *zip(*(values or numbers), strict=True), strict=True)
    lines = [[*head, *names], *([str(field) for field in row] for row in rows)]
    return end.join(sep.join(line) for line in lines) + end


def turned(content):
    head, *rows = content.splitlines()
    return "\n".join([head, *rows[::-1]]) + "\n"


DAY_FIRST = "is read day first, since then the rows are in order"
COMMAS = "is read with decimal commas"
JOINED = "are read together as the time"
NEWEST = "the rows come newest first"

TIMES = {
    "ISO": ("Trade Date", ISO, DAYS),
    "no name": ("", ISO, DAYS),
    "to the minute": ("Gmt time", MINUTES.strftime("%d.%m.%Y %H:%M:00.000"), MINUTES),
    "dots": ("<DATE>", DAYS.strftime("%Y.%m.%d"), DAYS),
    "German": ("Datum", DAYS.strftime("%d.%m.%Y"), DAYS),
    "American": ("Date", DAYS.strftime("%m/%d/%Y"), DAYS),
    "without zeros": ("t", [f"{d.month}/{d.day}/{d.year}" for d in DAYS], DAYS),
    "short years": ("t", DAYS.strftime("%d/%m/%y"), DAYS),
    "names of months": ("Date", DAYS.strftime("%d %b %Y"), DAYS),
    "day and month": ("Date", DAYS.strftime("%d-%b-%Y"), DAYS),
    "half days": ("Date", MINUTES.strftime("%m/%d/%Y %I:%M %p"), MINUTES),
    "months, day first": ("Date", MONTHS.strftime("%d/%m/%Y"), MONTHS),
    "months, ISO": ("Month", MONTHS.strftime("%Y-%m"), MONTHS),
    "UTC": ("DateTime (UTC)", MINUTES.strftime("%Y-%m-%dT%H:%M:%SZ"), MINUTES),
    "zone": (
        "when",
        (MINUTES + pd.Timedelta("2h")).strftime("%Y-%m-%d %H:%M:%S+02:00"),
        MINUTES,
    ),
    "mixed precision": (
        "t",
        [("%s.%06d" if i % 2 else "%s%.0s") % (m.isoformat(), i) for i, m in enumerate(MINUTES)],
        [m + pd.Timedelta(i if i % 2 else 0, "us") for i, m in enumerate(MINUTES)],
    ),
    "seconds": ("Open time", SECONDS, DAYS),
    "milliseconds": ("k", SECONDS * 1000, DAYS),
    "nanoseconds": ("ts", SECONDS * 10**9, DAYS),
    "yyyymmdd": ("DATE", DAYS.strftime("%Y%m%d"), DAYS),
}
"""The name of a column, its values, and what they mean."""

SHOWN = {  # notes on the order of day and month
    "months, day first": (DAY_FIRST,),
    **dict.fromkeys(["to the minute", "half days"], ("in order; not",)),
}
NEED_A_LATER_DAY = {"German", "to the minute", "American", "without zeros", "short years",
                    "half days", "months, day first"}  # fmt: skip
"""A stream refuses their lines until a day above 12 has shown the order."""

PAIR = (["Date", "Time"], [MINUTES.strftime("%Y-%m-%d"), MINUTES.strftime("%H:%M")])
MT5 = (["<DATE>", "<TIME>"], [MINUTES.strftime("%Y.%m.%d"), MINUTES.strftime("%H:%M:%S")])
STOOQ = (["<DATE>", "<TIME>"], [MINUTES.strftime("%Y%m%d"), MINUTES.strftime("%H%M%S")])
PEOPLE = [[f"${c:,.2f}", f"{r * 100:.3f}%"] for c, r in VALUES]
GERMAN = [[f"1.{c:06.2f}".replace(".", ";").replace(";", ".", 1).replace(";", ","),
           str(r).replace(".", ",")] for c, r in VALUES]  # fmt: skip

FILES = {
    **{
        f"times: {kind}": Case(
            text(times, name).encode(),
            moments,
            says=SHOWN.get(kind, ()),
            streams=kind not in NEED_A_LATER_DAY,
        )
        for kind, (name, times, moments) in TIMES.items()
    },
    **{
        f"newest first: {kind}": Case(
            turned(text(times, name)).encode(),
            moments,
            says=(*SHOWN.get(kind, ()), NEWEST),
            streams=False,
            newest_first=True,
        )
        for kind, (name, times, moments) in TIMES.items()
    },
    "tabs": Case(text(ISO, sep="\t").encode(), name="t.tsv"),
    "tabs in .TXT": Case(text(ISO, sep="\t").encode(), name="T.TXT"),
    "bars": Case(text(ISO, sep="|").encode()),
    "blanks": Case(text(ISO, sep="  ").encode(), name="t.txt", streams=False),
    "blanks that are said": Case(text(ISO, sep="  ").encode(), flags={"--separator": "space"}),
    "a separator that is said": Case(text(ISO, sep=":").encode(), flags={"--separator": ":"}),
    "tab that is said": Case(text(ISO, sep="\t").encode(), flags={"--separator": "tab"}),
    "spaces after commas": Case(text(ISO, sep=", ").encode()),
    "quotes": Case(text([f'"{t}"' for t in ISO], '"Date"').encode()),
    "CRLF": Case(text(ISO, end="\r\n").encode()),
    "CR": Case(text(ISO, end="\r").encode(), streams=False),
    "Excel, with its mark": Case(b"\xef\xbb\xbf" + text(ISO, sep=";").encode()),
    "Excel, with its separator": Case(b"sep=;\n" + text(ISO, sep=";").encode(), streams=False),
    "semicolons and points": Case(text(ISO, sep=";").encode()),
    "semicolons and commas": Case(
        text(ISO, sep=";", comma=True).encode(), says=(COMMAS,), streams=False
    ),
    "commas that are said": Case(text(ISO, sep=";", comma=True).encode(), flags={"--decimal": ","}),
    "quoted commas that are said": Case(
        text(
            ISO,
            values=[[f'"{c}"'.replace(".", ","), f'"{r}"'.replace(".", ",")] for c, r in VALUES],
        ).encode(),
        flags={"--decimal": ","},
    ),
    "cp1252": Case(
        text(ISO, names=["Schluß", "range"]).encode("cp1252"),
        flags={"--rename": "Schluß=close"},
        says=("is read as cp1252",),
        streams=False,
    ),
    "cp1252 that is said": Case(
        text(ISO, names=["Schluß", "range"]).encode("cp1252"),
        flags={"--rename": "Schluß=close", "--encoding": "cp1252"},
    ),
    "UTF-16": Case(text(ISO, sep="\t").encode("utf-16"), name="t.txt", streams=False),
    "UTF-16 that is said": Case(
        text(ISO).encode("utf-16-be"), flags={"--encoding": "utf-16-be"}, streams=False
    ),
    "gzip": Case(gzip.compress(text(ISO).encode()), name="t.CSV.GZ", streams=False),
    "new names": Case(
        text(ISO, "d", names=["PX_LAST", "HL"]).encode(),
        flags={"--rename": "PX_LAST=close,HL=range,d=day"},
    ),
    "yfinance": Case(
        text(ISO, "Price").replace("\n", "\nTicker,SPY,SPY\nDate,,\n", 1).encode(), streams=False
    ),
    "yfinance by ticker": Case(
        text(ISO, "Ticker", names=["SPY", "SPY"])
        .replace("\n", "\nPrice,close,range\nDate,,\n", 1)
        .encode(),
        streams=False,
    ),
    "a separator at the end": Case(text(ISO).replace("\n", ",\n").encode()),
    "a separator at the end of rows": Case(
        text(ISO).replace("\n", ",\n").replace(",\n", "\n", 1).encode(), streams=False
    ),
    "Date and Time": Case(text(PAIR[1], PAIR[0]).encode(), MINUTES, says=(JOINED,)),
    "MetaTrader": Case(text(MT5[1], MT5[0], sep="\t").encode(), MINUTES, says=(JOINED,)),
    "Stooq": Case(text(STOOQ[1], STOOQ[0]).encode(), MINUTES, says=(JOINED,), name="spx.txt"),
    "Date and Time, newest first": Case(
        turned(text(PAIR[1], PAIR[0])).encode(),
        MINUTES,
        says=(JOINED, NEWEST),
        streams=False,
        newest_first=True,
    ),
    "for people": Case(
        text(ISO, sep="\t", values=PEOPLE).encode(),
        says=("read as numbers, though they are text",),
        flags={"--decimal": "."},
    ),
    "a format that is said": Case(
        text(DAYS.strftime("%d%m%Y"), "stamp").encode(),
        flags={"--time-column": "stamp", "--time-format": "%d%m%Y"},
    ),
    "an order that is said": Case(
        text(MONTHS.strftime("%d/%m/%Y")).encode(), MONTHS, flags={"--day-first": "true"}
    ),
    "no times": Case(
        text(["a"] * T, "note").encode(),
        None,
        says=("No column reads as a time", "left out, since they are not numbers: note"),
    ),
}

REFUSED = {
    "no names": (b"2020-01-01,1.5,2\n2020-01-02,1,2\n", "where the names of the columns belong"),
    "Binance": (b"1499040000000,0.1,0.8\n1499040060000,0.1,0.8\n", "Write a line of names above"),
    "numbers alone": (b"1.5,1.5,1.5\n1,2,3\n1,2,3\n", "Write a line of names above them"),
    "a title": (b"SPY, daily\n" + text(ISO).encode(), "If it is a title, remove it (sed 1d FILE"),
    "a title of words": (b"Kurse\n" + text(ISO, sep=";").encode(), "If it is a title, remove it"),
    "a title with commas": (b"a, b\n" + text(ISO, sep=";").encode(), "If it is a title"),
    "remarks": (b"# a\n# b\n" + text(ISO).encode(), "Remove titles and remarks"),
    "units": (
        text(ISO).replace("\n", "\n,EUR,points\n", 1).encode(),
        "Line 2 of {} holds EUR, points: neither numbers nor times. If it says the units of the "
        "columns, remove it (sed 2d FILE | regimetry VERB - does)",
    ),
    "several instruments": (
        b"Price,Close,Close,Open,Open\nTicker,A,B,A,B\nDate,,,,\n2020-01-01,1,2,3,4\n",
        "Write one row per time and instrument",
    ),
    "a name twice": (text(ISO, names=["close"] * 2).encode(), "Two columns are called 'close'"),
    "lines of several lengths": (b"d,close,range\n2020-01-01,1,2\n2020-01-02,1,2,3\n", "as many"),
    "empty": (b"", "is empty"),
    "blank": (b"\n \n", "is empty"),
    "no rows": (b"date,close\n", "has no rows"),
    "a workbook": (b"PK\x03\x04...", "is an Excel workbook"),
    "an old workbook": (b"\xd0\xcf\x11\xe0...", "is an Excel workbook; save the sheet as CSV"),
    "a web page": (b"\n<!DOCTYPE html><html>no such symbol</html>", "is a web page"),
    "JSON": (b'{"error": "limit"}', "is JSON"),
    "Parquet": (b"PAR1...", "its name must end in .parquet"),
    "UTF-16 without its mark": (text(ISO).encode("utf-16-le"), "--encoding utf-16-le"),
    "half a gzip": (gzip.compress(text(ISO).encode())[:-9], "cannot be read"),
    "thousands or decimals": (b"d;close;range\n2020-01-01;1,234;1\n", "--decimal , or --decimal ."),
    "out of order": (
        b"date,close,range\n2020-01-01,1,1\n2020-01-03,2,2\n2020-01-02,3,4\n",
        "Row 2 goes back in time",
    ),
    "repeated": (
        b"date,close,range\n2020-01-03,1,1\n2020-01-03,2,2\n2020-01-02,3,4\n",
        "Row 1 repeats the time",
    ),
    "two orders": (
        b"date,close,range\n01/01/2000,1,1\n01/02/2000,2,2\n01/03/2000,3,4\n",
        "--day-first true or false",
    ),
    "no time": (
        b"date,close,range\n2020-01-01,1,1\n2020-01-02,2,2\nsoon,3,4\n",
        "Row 2, column 'date' holds 'soon'",
    ),
}
"""Files, and what is said of them; {} is the name of the file."""

FRAME = pd.DataFrame(VALUES, columns=NAMES, index=DAYS)


def _held(column):
    """The frame, with `close` in another kind of column."""
    return FRAME.assign(close=column)


class Stream:
    """Wears the Arrow PyCapsule interface and nothing else."""

    def __arrow_c_stream__(self, requested_schema=None):
        return POLARS.to_arrow().__arrow_c_stream__(requested_schema)


POLARS = pl.from_pandas(FRAME).with_columns(d=pl.Series(DAYS))
CLOSE = FRAME["close"]

FRAMES = {
    "dates as index": FRAME.set_index(pd.Index([d.date() for d in DAYS])),
    "text as index": FRAME.set_index(pd.Index(DAYS.strftime("%d.%m.%Y"), name="d")),
    "strings as index": FRAME.set_index(pd.Index(ISO, dtype="string")),
    "categories as index": FRAME.set_index(pd.CategoricalIndex(ISO)),
    "zoned index": FRAME.set_index(DAYS.tz_localize("Europe/Berlin")),
    "Arrow index": FRAME.set_index(pd.Index(pd.array(DAYS, dtype="timestamp[us][pyarrow]"))),
    "periods": FRAME.set_index(DAYS.to_period("D")),
    "epochs as index": FRAME.set_index(pd.Index(SECONDS)),
    "nullable epochs as index": FRAME.set_index(pd.Index(SECONDS, dtype="Int64")),
    "dates as column": FRAME.reset_index(drop=True).assign(day=[d.date() for d in DAYS]),
    "periods as column": FRAME.reset_index(drop=True).assign(day=DAYS.to_period("D")),
    "days and times": FRAME.reset_index(drop=True).assign(day=ISO, time=[datetime.time(16)] * T),
    "a header of two levels": FRAME.set_axis(
        pd.MultiIndex.from_product([NAMES, ["SPY"]], names=["Price", "Ticker"]), axis=1
    ),
    "the ticker first": FRAME.set_axis(pd.MultiIndex.from_product([["SPY"], NAMES]), axis=1),
    "decimals": _held([decimal.Decimal(str(value)) for value in CLOSE]),
    "objects": _held(CLOSE.astype(object)),
    "nullable": _held(CLOSE.astype("Float64")),
    "Arrow in pandas": _held(CLOSE.astype("double[pyarrow]")),
    "sparse": _held(pd.arrays.SparseArray(CLOSE)),
    "long doubles": _held(CLOSE.astype(np.longdouble)),
    "categories of numbers": _held(pd.Categorical(CLOSE)),
    "text": _held([f"{value:,.2f}" for value in CLOSE]),
    "polars dates": POLARS.with_columns(pl.col("d").cast(pl.Date)),
    "polars zone": POLARS.with_columns(pl.col("d").dt.replace_time_zone("Asia/Tokyo")),
    "polars lazy": POLARS.lazy(),
    "polars decimals": POLARS.with_columns(pl.col("close").cast(pl.Decimal(18, 2))),
    "polars beside other kinds": POLARS.with_columns(
        a=pl.Series([[1]] * T),
        b=pl.Series([{"x": 1}] * T),
        c=pl.Series([None] * T),
        f=pl.Series([1] * T).cast(pl.Duration("ms")),
        g=pl.Series([None] * T, dtype=pl.Date),
        h=pl.Series([b"x"] * T),
    ),
    "Arrow": POLARS.to_arrow(),
    "Arrow batch": POLARS.to_arrow().to_batches()[0],
    "a capsule": Stream(),
}
"""The same bars by day, held otherwise."""

UNREADABLE = {
    "two columns of a name": (FRAME.assign(x=1.0).set_axis(["close", "range", "close"], axis=1),
                              "Two columns are called 'close'"),
    "1 and '1'": (FRAME.assign(a=1.0, b=2.0).set_axis([*NAMES, 1, "1"], axis=1),
                  "Two columns are called '1'"),
    "two in Arrow": (pa.table([[1.0], [1.0]], names=["close", "close"]), "close' 2 times"),
    "several tickers": (pd.concat([FRAME, FRAME], axis=1).set_axis(
        pd.MultiIndex.from_product([["A", "B"], NAMES]), axis=1), "several levels"),
    "None": (None, "a matrix of T rows"),
    "text": ("close", "a matrix of T rows"),
    "ragged": ([[1, 2], [3]], "are no matrix"),
    "records": (FRAME.to_records(), "give pandas.DataFrame"),
    "objects": (VALUES.astype(object), "data.astype"),
    "one column": (CLOSE, "series.to_frame"),
}  # fmt: skip
"""What no reader takes, and why."""

WITHOUT_THE_COLUMNS = {
    "numbers for names": (pd.DataFrame(VALUES), "Columns 'close', 'range' are missing"),
    "times for numbers": (_held(DAYS), "Column 'close' holds values of type Datetime"),
    "lists for numbers": (_held([[1]] * T), r"Row 0, column 'close' holds \[1\]"),
    "complex": (_held(CLOSE.astype(complex)), "numbers are needed"),
    "nothing": (FRAME.iloc[:0], "0 rows"),
    "no columns": (pl.DataFrame(), "'close', 'range' are missing"),
}
"""What the model does not take, and why."""
