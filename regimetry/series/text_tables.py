"""Tables of text, such as CSV, by pandas, once encoding, header and decimal sign are known."""

from __future__ import annotations

import codecs
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from regimetry.errors import DataError, DataWarning
from regimetry.series.file_options import FileOptions
from regimetry.series.frames import is_text, native_of
from regimetry.series.layout import is_mostly_numbers, is_unnamed
from regimetry.series.numbers import decimal_of_texts, numbers_of_texts
from regimetry.series.plain_frames import require_unique
from regimetry.series.text_header import Header, read_header

if TYPE_CHECKING:
    import pandas as pd

_HEAD_BYTES = 1 << 20
_SAMPLE = 1000  # values of a column that may decide
_OTHER_KINDS = {
    b"PK\x03\x04": "an Excel workbook, or another archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save the sheet as CSV",
    b"PAR1": "Parquet; its name must end in .parquet",
    b"<!doctype": "a web page; fetch the table itself",
    b"<html": "a web page; fetch the table itself",
    b"<?xml": "XML; save it as CSV",
    b"{": "JSON; save it as CSV",
    b"[{": "JSON; save it as CSV",
}
_MISSING = ["", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
            "-nan", "-NaN", "1.#QNAN", "-1.#IND"]  # fmt: skip
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_text(
    file: BinaryIO, source: str, options: FileOptions, as_text: Collection[str] = ()
) -> pd.DataFrame:
    """Read a table of text.

    Parameters
    ----------
    file : binary file
        From its beginning; it can seek.
    source : str
        Its name, for messages.
    options : FileOptions
    as_text : collection of str
        Columns that are kept as they stand: no number, nor a word for a missing value.

    Returns
    -------
    pandas.DataFrame
        T rows; a column without a name is called as pandas does.

    Raises
    ------
    DataError
        It is no text, has no line of names, or lines of several lengths.

    Warns
    -----
    DataWarning
        The encoding or the decimal sign was decided by all rows.
    """
    head = file.read(_HEAD_BYTES)
    for mark, kind in _OTHER_KINDS.items():
        if head.lstrip()[: len(mark)].lower() == mark.lower():
            raise DataError(f"{source} is {kind}.")
    encoding = options.encoding or _encoding_of(head, source)
    try:
        return _TextFile(file, source, options, encoding, as_text).read(head)
    except UnicodeError as error:
        if encoding != "utf-8" or options.encoding is not None:
            raise DataError(
                f"{source} is no text in {encoding} ({error}). Say its encoding: --encoding."
            ) from error
    frame = _TextFile(file, source, options, "cp1252", as_text).read(head)
    _say(f"{source} is not UTF-8, and is read as cp1252; --encoding names another")
    return frame


def _encoding_of(head: bytes, source: str) -> str:
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        raise DataError(
            f"{source} holds zero bytes, as no text in UTF-8 does. If it is UTF-16, say so: "
            "--encoding utf-16-le."
        )
    return "utf-8"


def _say(text: str) -> None:
    warnings.warn(text, DataWarning, stacklevel=4)


@dataclass(frozen=True)
class _TextFile:
    """A file whose encoding is known; the attributes are those of :func:`read_text`."""

    file: BinaryIO
    source: str
    options: FileOptions
    encoding: str
    as_text: Collection[str]

    def read(self, head: bytes) -> pd.DataFrame:
        """Read the names by the first bytes, then the rows."""
        decoder = codecs.getincrementaldecoder(self.encoding)()
        text = decoder.decode(head, final=len(head) < _HEAD_BYTES).removeprefix("\ufeff")
        header = read_header(text, self.options.separator, self.source)
        names = self.options.renamed(header.names)
        require_unique([name for name in names if name])
        names = [name or f"Unnamed: {i}" for i, name in enumerate(names)]
        decimal = self.options.decimal
        frame = self._rows(header, names, decimal or ".")
        if decimal is None and header.separator != "," and self._has_commas(frame):
            decimal = ","
            frame = self._rows(header, names, decimal)
            _say(f"{self.source} is read with decimal commas")
        if decimal == ",":
            frame = self._with_commas_read(frame)
        empty = [name for name in names if is_unnamed(name) and frame[name].isna().all()]
        return frame.drop(columns=empty)

    def _rows(self, header: Header, names: list[str], decimal: str) -> pd.DataFrame:
        import pandas as pd

        kept = [name for name in names if name in self.as_text]
        self.file.seek(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)  # of fields left out
                frame = pd.read_csv(
                    self.file,
                    sep=r"\s+" if header.separator == " " else header.separator,
                    header=None,
                    names=names,
                    index_col=False,
                    skiprows=header.lines,
                    skipinitialspace=True,
                    encoding=self.encoding,
                    decimal=decimal,
                    low_memory=False,
                    dtype=dict.fromkeys(kept, str),
                    keep_default_na=False,
                    na_values={name: [""] if name in self.as_text else _MISSING for name in names},
                )
        except pd.errors.EmptyDataError as error:
            raise DataError(f"{self.source} has no rows.") from error
        except UnicodeError:
            raise
        except (OSError, ValueError, pd.errors.ParserWarning) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise DataError(
                f"{self.source} cannot be read as a table ({reason.rstrip('.')}). Every line must "
                "have as many fields as the first, which names the columns. Remove titles and "
                "remarks."
            ) from error
        return frame

    def _has_commas(self, frame: pd.DataFrame) -> bool:
        """Return whether the numbers that pandas left as text show decimal commas."""
        native = native_of(frame)
        columns = [native[name].to_list() for name in native.columns if is_text(native[name])]
        some = [text for column in columns for text in column[:: len(column) // _SAMPLE + 1]]
        # What some values show, the others must follow: one that does not is refused with its row.
        sign = decimal_of_texts(some) or decimal_of_texts(chain.from_iterable(columns))
        if sign == "":
            raise DataError(
                f"{self.source} has numbers as 1,234, whose comma could stand before the decimals "
                "or between thousands. Say which: --decimal , or --decimal ."
            )
        return sign == ","

    def _with_commas_read(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with the columns that pandas left as text read with decimal commas."""
        native = native_of(frame)
        texts = [
            name
            for name in native.columns
            if name not in self.as_text and is_mostly_numbers(native[name])
        ]
        found = {name: numbers_of_texts(frame[name].tolist(), ",") for name in texts}
        return frame.assign(
            **{name: values for name, (values, read) in found.items() if read.all()}
        )
