import datetime as dt
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import TableError
from chainrule.tables.date_columns import (
    CLOCKS,
    CYCLES,
    FORMATS,
    DateColumn,
    cycles_of,
    days_of,
    fit_dates,
    parse_dates,
    spelling_of,
)
from chainrule.tables.numeric_columns import NumericColumn

MOMENTS = [
    dt.datetime(2024, 1, 13, 1, 2, 3),
    dt.datetime(2023, 2, 28, 23, 59, 59, 500_000),
    dt.datetime(2019, 12, 31, 12, 30, 15, 123_456),
    dt.datetime(2001, 5, 7, 0, 0, 59),
]


def texts(*values, name="day"):
    return pl.Series(name, values, pl.String)


def spelt(moment, spelling):
    """What `spelling` makes of a moment, in Python's words for it."""
    words = {"%+": "%Y-%m-%dT%H:%M:%S.%f+00:00"}.get(spelling, spelling)
    return moment.strftime(words.replace("%.f", ".%f").replace("%#z", "+00:00"))


def as_exactly_as(spelling, moment):
    if spelling in ("%Y-%m", "%Y/%m", "%B %Y"):
        moment = moment.replace(day=1)
    if spelling in CLOCKS:
        moment = moment.replace(1970, 1, 1)
    if "%H" not in spelling and "%I" not in spelling and spelling != "%+":
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if "%S" not in spelling and spelling != "%+":
        return moment.replace(second=0, microsecond=0)
    return moment if "%.f" in spelling or spelling == "%+" else moment.replace(microsecond=0)


def fitted(dates, weight=None, spelling=""):
    return fit_dates("day", dates, weight, spelling, "robust", 0)


# Spellings


@pytest.mark.parametrize("spelling", FORMATS)
def test_each_spelling_is_found_and_read(spelling):
    column = texts(*(spelt(moment, spelling) for moment in MOMENTS), None)
    found = spelling_of(column)
    dates = parse_dates(column, found, lenient=False)
    assert dates.to_list() == [*(as_exactly_as(spelling, moment) for moment in MOMENTS), None]
    assert dates.dtype == pl.Datetime("us")
    assert parse_dates(column, spelling, lenient=False).equals(dates)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2024-01-15T10:30:00Z"], dt.datetime(2024, 1, 15, 10, 30)),
        (["2024-01-15T10:30Z"], dt.datetime(2024, 1, 15, 10, 30)),
        (["2024-01-15T10:30:00.25+02:00"], dt.datetime(2024, 1, 15, 8, 30, 0, 250_000)),
        (["2024-01-15T10:30:00-0530"], dt.datetime(2024, 1, 15, 16, 0)),
        (["2024-01-15 10:30:00+02", "2024-07-15 10:30:00+03"], dt.datetime(2024, 1, 15, 8, 30)),
        (["2024-01-15 10:30:00 UTC"], dt.datetime(2024, 1, 15, 10, 30)),
        (["2024-01-15T10:30:00.123456789"], dt.datetime(2024, 1, 15, 10, 30, 0, 123_456)),
        (["2024-1-5"], dt.datetime(2024, 1, 5)),
        (["5.1.2024 9:05"], dt.datetime(2024, 1, 5, 9, 5)),
        (["  2024-01-05 "], dt.datetime(2024, 1, 5)),
        (["5 january 2024"], dt.datetime(2024, 1, 5)),
        (["1/31/2024 1:05 PM"], dt.datetime(2024, 1, 31, 13, 5)),
        (["1/31/24", "1/1/99"], dt.datetime(2024, 1, 31)),
        (["05.02.23", "31.12.99"], dt.datetime(2023, 2, 5)),
        (["05.02.23 10:30"], dt.datetime(2023, 2, 5, 10, 30)),
        (["Sun 05 Feb 2023", "Mon 6 Feb 2023"], dt.datetime(2023, 2, 5)),
        (["Sunday, February 5, 2023"], dt.datetime(2023, 2, 5)),
        (["2023-02", "2023-11"], dt.datetime(2023, 2, 1)),
        (["Feb 2023", "June 2023"], dt.datetime(2023, 2, 1)),
        (["0001-01-01", "9999-12-31"], dt.datetime(1, 1, 1)),
        (["9:05", "23:59"], dt.datetime(1970, 1, 1, 9, 5)),
        (["10:30:15", "01:02:03.5"], dt.datetime(1970, 1, 1, 10, 30, 15)),
        (["1:30 pm", "12:00 AM"], dt.datetime(1970, 1, 1, 13, 30)),
        (["9999-12-31T23:59:59.999999"], dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_how_dates_are_written(values, expected):
    column = texts(*values)
    assert parse_dates(column, spelling_of(column), lenient=False)[0] == expected


@pytest.mark.parametrize(
    "values",
    [
        ["1.2.3", "1.2.4", "10.12.14"],
        ["1.2.3.4", "192.168.0.1", "10.10.10.10"],
        ["1-2-3", "4-5-6"],
        ["555-123-4567", "555-321-9876"],
        ["123-45-6789", "987-65-4321"],
        ["030/12345", "040/3456"],
        ["+1 555 123 2024", "+44 20 7946 2024"],
        ["12-5", "3-4"],
        ["5-10", "10-20"],
        ["1/2", "3/4"],
        ["A-1-2", "B-2-4"],
        ["10:30", "25:45"],
        ["2:1", "3:10"],
        ["10:30:15:01", "01:02:03:04"],
        ["2023", "2024"],
        ["20230101", "20240205"],
        ["2023-01", "2023-13"],
        ["10.12.14", "1.2.15", "3.4.16"],
        ["2024-W05", "2024-W06"],
        ["Room 12", "Room 13"],
        ["24-01-15", "24-02-16"],
        ["2024-02-30", "2023-02-29"],
        ["2024-13-01", "2024-00-10"],
        ["1/2/3 10:30:00.2024", "1/2/3 10:30:00.2025"],
        ["", " "],
        ["Rome", "Oslo"],
        [None, None],
        [],
    ],
)
def test_what_is_no_date(values):
    assert spelling_of(texts(*values)) is None


@pytest.mark.parametrize(
    ("first", "other", "spelling", "words"),
    [
        ("03/04/2024", "13/04/2024", "%m/%d/%Y", "month/day/year, as in '03/04/2024'; day/month/year"),
        ("03-04-2024", "04-13-2024", "%d-%m-%Y", "day/month/year, as in '03-04-2024'; month/day/year"),
        ("3/4/24", "13/4/24", "%m/%d/%y", "month/day/year, as in '3/4/24'; day/month/year"),
        ("3/4/2024 10:30", "13/4/2024 10:30", "%m/%d/%Y %H:%M", "month/day/year"),
    ],
)
def test_month_or_day_first(first, other, spelling, words):
    with pytest.warns(UserWarning, match=f"column 'day' is read as {words}.*Write dates as 2024-12-31"):
        assert spelling_of(texts(first)) == spelling
    turned = spelling.translate({ord("m"): "d", ord("d"): "m"})
    assert spelling_of(texts(*[first] * 300, other)) == turned, "one date shows how all are meant"
    assert spelling_of(texts(first.replace("3", "4"))) == spelling, "both are the same day"


# Slips


def test_a_slip_or_two_are_missing_with_a_warning():
    column = texts("unknown", *(f"2024-01-{day:02}" for day in range(1, 21)), "2024-02-30", None)
    assert spelling_of(column[:-2]) == "%Y-%m-%d"
    assert spelling_of(column) is None, "2 of 22 are more than 5 in 100"
    with pytest.warns(UserWarning, match=r"'day' holds dates, but for 2 values \(first 'unknown' in row 1\)"):
        dates = parse_dates(column, "%Y-%m-%d", lenient=True)
    assert np.flatnonzero(dates.is_null()).tolist() == [0, 21, 22]


def test_slips_beyond_the_sample_count():
    good = [f"2024-01-{1 + n % 28:02}" for n in range(4000)]
    bad = [f"{value}?" if n % 20 < 2 and n % 4 else value for n, value in enumerate(good)]
    assert spelling_of(texts(*good)) == "%Y-%m-%d"
    assert spelling_of(texts(*bad)) == "%Y-%m-%d", "5 in 100"
    worse = [f"{value}?" if n % 20 < 3 and n % 4 else value for n, value in enumerate(good)]
    assert spelling_of(texts(*worse)) is None, "10 in 100"


@pytest.mark.parametrize(
    ("spelling", "example"),
    [
        ("%Y-%m-%d", "'2024-12-31'"),
        ("%d.%m.%Y %H:%M", "'31.12.2024 23:59'"),
        ("%+", "'2024-12-31T23:59:59+00:00'"),
        ("%b %d, %Y %I:%M %p", "'Dec 31, 2024 11:59 PM'"),
        ("%Y-%m-%d %H:%M:%S%.f%#z", "'2024-12-31 23:59:59.5+00:00'"),
        ("%d-%b-%y", "'31-Dec-24'"),
        ("%H:%M", "'23:59'"),
    ],
)
def test_slips_are_refused_after_training_with_an_example(spelling, example):
    column = texts(None, spelt(MOMENTS[0], spelling), "2024-31-12 or so")
    with pytest.raises(TableError) as caught:
        parse_dates(column, spelling, lenient=False)
    assert str(caught.value) == (
        f"column 'day' must hold dates such as {example}, as in training; got '2024-31-12 or so' in row 3. "
        "Correct it, or mark missing values with read_table(…, missing=['2024-31-12 or so']), or as None."
    )
    assert parse_dates(texts(example.strip("'")), spelling, lenient=False).null_count() == 0


@pytest.mark.parametrize(
    ("spelling", "slip"),
    [
        ("%m/%d/%Y", "1/31/24"),
        ("%Y-%m-%d", "24-01-31"),
        ("%m/%d/%y", "1/31/4"),
        ("%Y-%m-%d", "2024-1-31 10:30"),
    ],
)
def test_a_year_has_as_many_digits_as_in_training(spelling, slip):
    with pytest.raises(TableError, match=f"got '{slip}' in row 1"):
        parse_dates(texts(slip), spelling, lenient=False)


def test_a_long_slip_is_cut():
    with pytest.raises(TableError, match=r"got 'x{39}…' in row 1"):
        parse_dates(texts("x" * 10_000), "%Y-%m-%d", lenient=False)


# Days and cycles


@given(st.lists(st.datetimes() | st.none(), min_size=1))
def test_days_since_1970(moments):
    days = days_of(pl.Series(moments, dtype=pl.Datetime("us")))
    start, day = dt.datetime(1970, 1, 1), dt.timedelta(1)
    expected = [np.nan if moment is None else (moment - start) / day for moment in moments]
    np.testing.assert_allclose(days, expected, rtol=1e-15)


def test_elapsed_days_are_scaled_numbers():
    dates = pl.Series([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 3), None])
    column = fitted(dates, spelling="%Y-%m-%d")
    day = (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days
    assert column.elapsed == NumericColumn("day", day + 1, 2, "sometimes")
    assert (column.name, column.spelling) == ("day", "%Y-%m-%d")
    assert column.number_names == ("day (elapsed)",)
    assert column.plain_names[-1] == "day is missing"
    assert fit_dates("day", dates, None, "", "quantile", 1).elapsed.edges == (), "two are told by the number"
    later = pl.concat([dates, pl.Series([dt.datetime(2024, 1, 6)])])
    assert fit_dates("day", later, None, "", "quantile", 2).elapsed.edges == (day, day + 2, day + 5)


@pytest.mark.parametrize(
    ("moments", "cycles"),
    [
        (["2024-01-01 10:00"], ()),
        (["2024-01-01 10:00", "2024-01-01 11:00"], ("time of day",)),
        (["2024-01-01 10:00", "2024-01-02 10:00"], ("day of week", "day of year")),
        (["2024-01-01 10:00", "2024-01-08 10:00"], ("day of year",)),
        (["2024-01-01 10:00", "2024-02-02 12:00"], tuple(CYCLES)),
        (["2024-01-01 10:00", None], ()),
        ([None, None], ()),
    ],
)
def test_cycles_that_do_not_differ_are_left_out(moments, cycles):
    dates = texts(*moments).str.to_datetime("%Y-%m-%d %H:%M", time_unit="us")
    column = fitted(dates)
    assert column.cycles == cycles
    waves = [name for name in column.plain_names if name != "day is missing"]
    assert waves == [f"day ({cycle}, {wave})" for cycle in cycles for wave in ("sin", "cos")]
    assert cycles_of(column, days_of(dates)).shape == (len(moments), 2 * len(cycles))


def test_months_have_no_day_of_the_week():
    column = texts("2024-01", "2024-02", "2023-07")
    assert fitted(parse_dates(column, "%Y-%m", lenient=False), spelling="%Y-%m").cycles == ("day of year",)


def test_rows_without_weight_do_not_count():
    dates = pl.Series([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1), dt.datetime(2030, 5, 5, 12), None])
    assert fitted(dates, np.array([1.0, 1, 0, 0])) == fitted(dates[:2])


def test_where_in_a_cycle_a_moment_is():
    column = DateColumn("day", "", NumericColumn("day", 0.0, 1.0, "never"), tuple(CYCLES))
    monday, noon = dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 12)
    thursday = dt.datetime(2024, 1, 4)
    waves = cycles_of(column, days_of(pl.Series([monday, noon, thursday, None])))
    np.testing.assert_allclose(waves[:2, :2], [[0, 1], [0, -1]], atol=1e-6)
    np.testing.assert_allclose(waves[0, 2:4], [0, 1], atol=1e-6)  # the week begins on Monday
    np.testing.assert_allclose(waves[2, 2:4], [np.sin(6 * np.pi / 7), np.cos(6 * np.pi / 7)], atol=1e-6)
    assert waves[3].tolist() == [0] * 6
    np.testing.assert_allclose(np.hypot(waves[:3, ::2], waves[:3, 1::2]), 1, rtol=1e-6)


@given(st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9000, 1, 1)), st.integers(-500, 500))
def test_cycles_come_again(moment, weeks):
    column = DateColumn("day", "", NumericColumn("day", 0.0, 1.0, "never"), ("time of day", "day of week"))
    both = pl.Series([moment, moment + dt.timedelta(weeks=weeks)])
    one, other = cycles_of(column, days_of(both))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_largest_years():
    dates = pl.Series([dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23)])
    column = fitted(dates)
    assert np.isfinite([column.elapsed.center, column.elapsed.scale]).all()
    assert np.isfinite(cycles_of(column, days_of(dates))).all()


def test_digits_alone_are_dates_only_where_asked_for():
    column = texts("20241231", "20240229")
    assert spelling_of(column) is None
    assert parse_dates(column, "%Y%m%d", lenient=False)[1] == dt.datetime(2024, 2, 29)


def test_a_clear_column_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert spelling_of(texts("2024-03-04", "2024-04-03")) == "%Y-%m-%d"
        assert spelling_of(texts("3.4.2024")) == "%d.%m.%Y", "with points the day is first"
