import codecs

import pytest

from chainrule.errors import FileError
from chainrule.tables.reading import read_table

TEXT = "name,n\nZoë,1\nçédille €,2\n"


@pytest.fixture
def file(tmp_path):
    def write(content):
        (tmp_path / "t.csv").write_bytes(content)
        return tmp_path / "t.csv"

    return write


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_utf8_is_read_without_a_word(file, mark):
    frame = read_table(file(mark + TEXT.encode()))
    assert frame.columns == ["name", "n"]
    assert frame["name"].to_list() == ["Zoë", "çédille €"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (TEXT.encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-32"), "UTF-32"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32"),
        (TEXT.encode("cp1252"), "Windows-1252"),
    ],
)
def test_other_encodings_are_told(file, data, words):
    with pytest.warns(UserWarning, match=rf"t.csv' is read as {words} text, because it is not UTF-8") as told:
        frame = read_table(file(data))
    assert frame.rows() == [("Zoë", 1), ("çédille €", 2)]
    assert [warning.filename for warning in told] == [__file__]


def test_latin_1_is_read_like_windows_1252(file):
    with pytest.warns(UserWarning, match="Windows-1252"):
        assert read_table(file("a,b\ncréée,1\n".encode("latin-1")))["a"].to_list() == ["créée"]


def test_a_late_letter_decides(file):
    data = b"a,b\n" + b"x,1\n" * 400_000 + "é,2\n".encode("cp1252")
    with pytest.warns(UserWarning, match="Windows-1252"):
        assert read_table(file(data))["a"][-1] == "é"


def test_letters_may_lie_across_pieces(file):
    data = b"a,b\n" + b"xy" * (1 << 19) + "ééé,2\n".encode()
    for shift in range(3):
        assert read_table(file(data[:4] + b"z" * shift + data[4:]))["a"][0][-3:] == "ééé"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("a,b\n1,Привет, мир\n".encode("cp1251"), r"must be UTF-8 text; got byte 0xcf in line 2.*iconv"),
        (("Zoë,é\n" * 9).encode() + b"caf\xe9,1\n", r"got byte 0xe9 in line 10"),
        (b"a,b\n1,x\x81\n", "got byte 0x81 in line 2"),
        (b"a,b\n1,2\n3,\0\n", "must be text; got a zero byte in line 3"),
        (TEXT.encode("utf-16") + b"x", "must be whole UTF-16 text"),
        ("a,b\n\0,1\n".encode("utf-16"), "must be text; got a zero byte in line 2"),
        (b"a,b\n" + b"1,2\n" * 500_000 + b"3,\0\n", "zero byte in line 500002"),
    ],
)
def test_what_is_refused(file, data, words):
    with pytest.raises(FileError, match=words):
        read_table(file(data))
