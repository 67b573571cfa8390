import polars as pl

from chainrule.tables.casting import recast
from chainrule.tables.encoders import CategoryColumn, fit_encoder


def test_what_is_said_to_be_a_category_is_one_even_where_its_texts_spell_dates() -> None:
    frame = pl.DataFrame({"day": ["2024-01-01", "2024-01-02"] * 15, "zip": [1.0, 2.0] * 15})
    cast = recast(frame, {"day": "category", "zip": "category"})
    assert cast.dtypes == [pl.Categorical, pl.Categorical]
    columns = fit_encoder(cast).columns
    assert [column.levels for column in columns if isinstance(column, CategoryColumn)] == [
        ("2024-01-01", "2024-01-02"),
        ("1", "2"),
    ]


def test_whole_numbers_are_dates_however_they_came() -> None:
    for days in ([20230205, None, 20231231], [20230205.0, None, 20231231.0]):
        dates = recast(pl.DataFrame({"day": days}), {"day": "date"})["day"]
        assert dates.dt.to_string("%d.%m.%Y").to_list() == ["05.02.2023", None, "31.12.2023"]
