import time
import warnings

import pytest

from chainrule.errors import TableError
from chainrule.tables.dialects import sniff
from chainrule.tables.sources import Source


def dialect(text, missing=()):
    return sniff(Source("'t.csv'", None, text.encode()), missing)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("1,5;2,5\n3,25;4,5\n5,5;x\n", ";"),
        ("a\tb c\n1,2\tx y\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("id;text\n1;well, yes\n2;no, never, no\n", ";"),
        ("id,text\n1,a;b\n2,c;d;e\n", ","),
        ('id,"a;b;c"\n1,2\n', ","),
        ("a  b   c\n1 2 3\n 10   20 30 \n", " "),
        ("full name\nJane Doe\nJohn Roe\n", ","),
        ("one\n1\n2\n", ","),
        ("a b\n1 2\n3\n", ","),
        ("a,b\n1,2\n3\n4\n5\n", ","),
    ],
)
def test_separators(text, separator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert dialect(text).separator == separator


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("a,b\n'x,y','z'\n", "'"),
        ("a,b\n'it''s','z'\n", "'"),
        ("a,b\nit's,that's\nhe's,she's\n", '"'),
        ("a,b\n'tis,'twas\n'x','y'\n", '"'),
        ("a,b\n'x','\"'\n", '"'),
    ],
)
def test_quotes(text, quote):
    assert dialect(text).quote == quote


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "name,2020\nx,1\ny,2\nx,3\n",
        "name,2019,2020\nx,1,2\ny,3,4\n",
        "0,1,2\n0.5,3,1\n2,2,1\n",
        ",0,1\n0,1,2\n1,3,4\n",
        "day,value\n2024-01-01,x\n2024-01-02,y\n",
        "yes,no\ntrue,false\nfalse,false\n",
        "color,size\nred,S\nblue,M\nred,L\n",
        "country,2020-01-01,2020-01-02\nItaly,1,2\n",
        "a,b\n?,2\n3,n/a\n",
        "x\n",
    ],
)
def test_a_header_is_seen(text):
    found = dialect(text)
    assert found.header
    assert len(found.names) == text.partition("\n")[0].count(",") + 1


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,3.4,virginica\n",
        "1,2\n3,4\n",
        "1,2,3\n4,5,6\n",
        "?,2\n3,4\n5,6\n",
        ",2.5\n3,4\n5,6\n",
        "2024-01-01,x\n2024-01-02,y\n",
        "true,x\nfalse,y\n",
        "red,yes\nblue,no\nred,no\nblue,yes\n",
        "x,7\ny,8\n",
    ],
)
def test_a_missing_header_is_told(text):
    with pytest.warns(UserWarning, match=r"t.csv' has no header: its first row, .* looks like data"):
        found = dialect(text)
    assert not found.header
    assert found.names[:2] == ("column_1", "column_2")


def test_marks_of_missing_values_are_no_names():
    with pytest.warns(UserWarning, match="has no header"):
        assert not dialect("unbekannt,2\n3,4\n5,6\n", missing=["unbekannt"]).header


def test_names_without_a_text_are_positions():
    assert dialect("a,,column_2,\nx,y,z,w\n").names == ("a", "column_2_", "column_2", "column_4")


def test_names_come_once():
    with pytest.raises(TableError, match="must have each column name once; got 'b' more than once"):
        dialect("b,a, b\n1,2,3\n")


def test_columns_with_fractions_are_known_in_advance():
    text = "x,n,t,late\n" + "1.5,1,1.x,1\n,2,2.0,2\n" * 10 + "2,3,4,0.5\n"
    assert dialect(text).fractions == {"x", "late"}
    assert dialect(text.replace(",", ";")).fractions == set()


def test_quotes_that_do_not_pair_take_no_time():
    text = 'length 5",b\n' + '"x","y"\n' * 200_000
    start = time.perf_counter()
    assert dialect(text).names == ('length 5"', "b")
    assert time.perf_counter() - start < 3


def test_a_sample_ends_between_rows():
    text = "a,b\n" + '"x\n\ny,z",2\n' * 50_000
    assert dialect(text)[:3] == (",", '"', True)
    assert dialect("a,b\n" + '"' + "x\n,;" * 200_000 + '",2\ny,3\n').names == ("a", "b")
