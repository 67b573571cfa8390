"""Headers of Parquet's pages, looked at before polars reads them: a count below zero would end the process.

Polars sets memory aside for as many values as a page's header says, whatever its column has. What
cannot be followed here is left to polars, which raises an error for it.
"""

import io
from collections.abc import Iterator
from typing import IO, Any

__all__ = ["impossible_page"]

_LARGEST_FOOTER = 1 << 24  # bytes; of larger ones the walk would take longer than the reading
_HEADER = 1 << 10  # bytes that hold a page's header but for long statistics
_DEEPEST = 16
_TRUE, _FALSE, _BYTE, _I16, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = (
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
)

# Numbers of fields: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
_ROW_GROUPS, _COLUMNS, _META_DATA = 4, 1, 3
_NUM_VALUES, _COMPRESSED_SIZE, _DATA_OFFSET, _DICTIONARY_OFFSET = 5, 7, 9, 11
_PAGE_SIZES = (2, 3)
_DATA_PAGE, _DICTIONARY_PAGE, _DATA_PAGE_V2 = 5, 7, 8
_COUNTS = {_DATA_PAGE: (1,), _DICTIONARY_PAGE: (1,), _DATA_PAGE_V2: (1, 2, 3, 5, 6)}


def impossible_page(file: IO[bytes]) -> str | None:
    """What is impossible about the first page whose header is; None if there is none such."""
    try:
        for number, chunk in enumerate(_chunks(file), start=1):
            for said in _impossible(file, chunk):
                return f"a page of its column chunk {number} has {said}"
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, OSError):
        return None
    return None


def _chunks(file: IO[bytes]) -> Iterator[dict[int, Any]]:
    """The metadata of each column in each group of rows."""
    end = file.seek(-8, io.SEEK_END)
    length = int.from_bytes(file.read(4), "little")
    if not 0 < length <= min(end, _LARGEST_FOOTER):
        return
    file.seek(end - length)
    for group in _struct(_Bytes(file.read(length)))[_ROW_GROUPS]:
        for column in group[_COLUMNS]:
            yield column[_META_DATA]


def _impossible(file: IO[bytes], chunk: dict[int, Any]) -> Iterator[str]:
    """What is impossible in the headers of the pages of a column chunk."""
    place = min(chunk[_DATA_OFFSET], chunk.get(_DICTIONARY_OFFSET) or chunk[_DATA_OFFSET])
    end = place + chunk[_COMPRESSED_SIZE]
    while place < end:
        file.seek(place)
        data = _Bytes(file.read(_HEADER))
        header = _struct(data)
        sizes = [header[size] for size in _PAGE_SIZES]
        if min(sizes) < 0 or place + data.place + sizes[-1] > end:
            yield f"a size of {min(sizes) if min(sizes) < 0 else sizes[-1]} bytes"
            return
        for kind, fields in _COUNTS.items():
            counts = [header[kind][field] for field in fields] if kind in header else [0]
            most = chunk[_NUM_VALUES] if kind != _DICTIONARY_PAGE else counts[0]
            if min(counts) < 0 or counts[0] > most:
                got = min(counts) if min(counts) < 0 else counts[0]
                yield f"a count of {got}, where its column has {chunk[_NUM_VALUES]} values"
                return
        place += data.place + sizes[-1]


class _Bytes:
    """Bytes, read from the front, in Thrift's compact protocol."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def byte(self) -> int:
        self.place += 1
        return self.data[self.place - 1]

    def skip(self, length: int) -> None:
        if self.place + length > len(self.data):
            raise IndexError
        self.place += length

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def signed(self) -> int:
        number = self.varint()
        return (number >> 1) ^ -(number & 1)


def _struct(data: _Bytes, depth: int = 0) -> dict[int, Any]:
    """Fields by number."""
    if depth > _DEEPEST:
        raise ValueError
    fields: dict[int, Any] = {}
    number = 0
    while (head := data.byte()) != 0:
        number = number + (head >> 4) if head >> 4 else data.signed()
        kind = head & 0x0F
        # A truth value is in the kind itself, but in lists.
        fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else _value(data, kind, depth)
    return fields


def _value(data: _Bytes, kind: int, depth: int) -> Any:
    if _I16 <= kind <= _I64:
        return data.signed()
    if kind == _STRUCT:
        return _struct(data, depth + 1)
    if kind in (_LIST, _SET):
        head = data.byte()
        length = head >> 4 if head >> 4 < 15 else data.varint()
        return [_value(data, head & 0x0F, depth + 1) for _ in range(length)]
    if kind == _MAP:
        length = data.varint()
        kinds = data.byte() if length else 0
        return [
            (_value(data, kinds >> 4, depth + 1), _value(data, kinds & 0x0F, depth + 1))
            for _ in range(length)
        ]
    if kind not in (_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY):
        raise ValueError
    data.skip({_DOUBLE: 8, _BINARY: 0}.get(kind, 1) or data.varint())
    return None
