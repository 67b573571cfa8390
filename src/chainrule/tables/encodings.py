"""Bytes that are text: UTF-8 as it is, other encodings turned into UTF-8 if the bytes show which it is."""

import codecs
import re
import warnings

from chainrule.errors import FileError
from chainrule.tables.sources import Source

__all__ = ["as_utf8"]

_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_UTF8 = "Save it as UTF-8"


def as_utf8(source: Source) -> Source:
    """`source` itself if it is UTF-8, else its text in UTF-8, with a warning that says what it was.

    UTF-16 and UTF-32 are known by their mark, UTF-16 also by the zero bytes of Latin letters. What is not
    UTF-8 is Windows-1252 if all its bytes mean something there and those above 127 stand alone, as accented
    letters do; Latin-1 is the same for all printable characters.

    Raises
    ------
    FileError
        If it is neither, or no text at all.
    """
    head = source.head(4096)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return _decoded(source, encoding)
    # Where each second byte is zero, it is the upper half of a character.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.7 * (len(head) // 2) and min(even, odd) <= 0.05 * len(head):
        return _decoded(source, "UTF-16-LE" if odd > even else "UTF-16-BE")
    if _is_utf8(source):
        return source
    return _western(source)


def _decoded(source: Source, encoding: str) -> Source:
    try:
        text = source.whole().decode(encoding)
    except UnicodeDecodeError as error:
        raise FileError(
            f"{source.name} must be whole {encoding} text, as it begins; got {error.reason} at byte "
            f"{error.start:,}. {_UTF8}."
        ) from None
    if "\0" in text:
        raise _zero_byte(source.name, text[: text.index("\0")].count("\n") + 1)
    _tell(source.name, encoding.removesuffix("-LE").removesuffix("-BE"))
    return Source(source.name, None, text.encode())


def _is_utf8(source: Source) -> bool:
    """Whether all of it is UTF-8; FileError at a zero byte, which no text has."""
    decode = codecs.getincrementaldecoder("utf-8")()
    lines, valid = 1, True
    for piece in source.pieces():
        if 0 in piece:
            raise _zero_byte(source.name, lines + piece.count(b"\n", 0, piece.index(0)))
        lines += piece.count(b"\n")
        try:
            if valid and not (piece.isascii() and decode.getstate()[0] == b""):
                decode.decode(piece)
        except UnicodeDecodeError:
            valid = False
    return valid and decode.getstate()[0] == b""


def _western(source: Source) -> Source:
    """Text in Windows-1252, the usual one in Western Europe and America where it is not UTF-8."""
    data = source.whole()
    replaced = data.decode("utf-8", "replace")
    mostly_utf8 = len(re.findall("[^\x00-\x7f\ufffd]", replaced)) > replaced.count("\ufffd")
    # Greek, Cyrillic or Chinese words are runs of such bytes; a few bytes mean nothing in Windows-1252.
    high = len(re.findall(rb"[\x80-\xff]", data))
    in_runs = sum(map(len, re.findall(rb"[\x80-\xff]{3,}", data)))
    if mostly_utf8 or in_runs > high / 2 or re.search(rb"[\x81\x8d\x8f\x90\x9d]", data):
        raise _not_utf8(source.name, data)
    _tell(source.name, "Windows-1252")
    return Source(source.name, None, data.decode("cp1252").encode())


def _tell(name: str, encoding: str) -> None:
    warnings.warn(
        f"{name} is read as {encoding} text, because it is not UTF-8. {_UTF8} if letters are wrong.",
        UserWarning,
        stacklevel=7,
    )


def _zero_byte(name: str, line: int) -> FileError:
    return FileError(f"{name} must be text; got a zero byte in line {line}. Check what wrote it.")


def _not_utf8(name: str, data: bytes) -> FileError:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return FileError(
            f"{name} must be UTF-8 text; got byte {data[error.start]:#04x} in line {line}, and it is no text "
            f"in Windows-1252 either. {_UTF8}, for example: iconv -f WINDOWS-1251 -t UTF-8."
        )
    raise AssertionError(f"{name} changed while it was read")
