"""Protobuf messages, read so that nobody can read them otherwise.

A parser may skip fields that it does not know, let the last of several values win, merge messages,
and cut numbers off at 32 bits. Two parsers that do so differently see two models in one file: the
one that is checked, and the one that runs. So a message is refused unless every field of it is
known, has its own wire type, and stands once unless it is a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5

_LONGEST_TAG = 5
"""Bytes of a 32-bit number; what lies above these bits, a parser may drop."""

_LONGEST_NUMBER = 10


class Field(NamedTuple):
    """One field of a message.

    Attributes
    ----------
    number : int
    value : memoryview
        Its content: a message or text, or a number as it is encoded.
    whole : memoryview
        The same with the tag, and the length if there is one.
    """

    number: int
    value: memoryview
    whole: memoryview


class Message:
    """What a kind of message may hold.

    Parameters
    ----------
    name : str
        What errors call it.
    once : mapping of int to int
        Number and wire type of fields that stand at most once.
    lists : mapping of int to int
        Of fields that may stand again; lists of numbers may also be packed into bytes.
    """

    def __init__(self, name: str, once: Mapping[int, int], lists: Mapping[int, int]) -> None:
        self.name = name
        self._once = {number << 3 | kind for number, kind in once.items()}
        self._tags = self._once | {number << 3 | kind for number, kind in lists.items()}
        self._tags |= {number << 3 | BYTES for number in lists}

    def fields(self, message: memoryview) -> Iterator[Field]:
        """Yield the fields in their order.

        Raises
        ------
        ValueError
            The bytes are no such message, or could be read in two ways.
        """
        position, end, seen = 0, len(message), set()
        while position < end:
            begin = position
            tag, position = _number(message, position, _LONGEST_TAG)
            if tag not in self._tags:
                raise ValueError(f"{self.name} has a field {tag >> 3} of wire type {tag & 7}")
            if tag in self._once:
                if tag in seen:
                    raise ValueError(f"{self.name} has the field {tag >> 3} twice")
                seen.add(tag)
            kind = tag & 7
            if kind == BYTES:
                length, start = _number(message, position, _LONGEST_TAG)
                position = start + length
            elif kind == VARINT:
                start = position
                _, position = _number(message, position, _LONGEST_NUMBER)
            else:
                start, position = position, position + (8 if kind == EIGHT_BYTES else 4)
            if position > end:
                raise ValueError(f"{position - end} bytes of {self.name} are missing")
            yield Field(tag >> 3, message[start:position], message[begin:position])


def _number(message: memoryview, position: int, longest: int) -> tuple[int, int]:
    """Return a number and the position behind it; it may have ``longest`` bytes."""
    value = shift = 0
    for byte in message[position : position + longest]:
        position += 1
        if byte < 0x80:
            return value | byte << shift, position
        value |= (byte & 0x7F) << shift
        shift += 7
    raise ValueError(f"byte {position} ends inside a number, or the number is too long")


def number(value: memoryview) -> int:
    """Return the number in a field of the wire type VARINT; it may have 64 bits."""
    return _number(value, 0, _LONGEST_NUMBER)[0]


def numbers(value: memoryview) -> list[int]:
    """Return the numbers of a packed list."""
    found, position = [], 0
    while position < len(value):
        one, position = _number(value, position, _LONGEST_NUMBER)
        found.append(one)
    return found


def as_field(number: int, parts: list[memoryview | bytes]) -> list[memoryview | bytes]:
    """Return a field of bytes, made of parts that lie one after the other, as such parts."""
    length = sum(map(len, parts))
    return [varint(number << 3 | BYTES) + varint(length), *parts]


def as_number(number: int, value: int) -> bytes:
    """Return a field with a number of at least 0."""
    return varint(number << 3 | VARINT) + varint(value)


def varint(value: int) -> bytes:
    """Return a number of at least 0 in groups of seven bits, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
