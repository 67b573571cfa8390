"""Tables as the peers of accuracy.py take them."""

import numpy as np
import pandas as pd

MISSING = "(missing)"


class Columns:
    """A table as a peer takes it; what is learned comes from the training part alone.

    Numbers stay numbers. What is no number, or is declared, becomes a category: of pandas ("category"), or a
    text in which missing is a level of its own ("text"). With ``fill``, missing numbers become the median.
    Beyond ``levels`` levels, the rarest count as missing.
    """

    def __init__(
        self, declared: tuple[str, ...], style: str, fill: bool = False, levels: int | None = None
    ) -> None:
        self.declared, self.style, self.fill, self.levels = declared, style, fill, levels

    def fit(self, X: pd.DataFrame) -> pd.DataFrame:
        """Learn levels and medians. Columns get plain names: some peers refuse brackets."""
        self.names = {name: f"c{place}" for place, name in enumerate(X.columns)}
        self.dtypes: dict[str, pd.CategoricalDtype] = {}
        self.medians: dict[str, float] = {}
        for name, column in X.items():
            if name in self.declared or not _is_number(column):
                counts = _texts(column).value_counts()
                self.dtypes[name] = pd.CategoricalDtype(sorted(counts.index[: self.levels]))
            elif self.fill:
                median = pd.to_numeric(column).median()
                self.medians[name] = 0.0 if pd.isna(median) else float(median)
        return self.apply(X)

    def apply(self, X: pd.DataFrame) -> pd.DataFrame:
        """The table by what was learned."""
        columns = {}
        for name, column in X.items():
            if name in self.dtypes:
                column = _texts(column)
                if self.style == "category":
                    column = column.where(column.isin(self.dtypes[name].categories))
                    column = column.astype(self.dtypes[name])
                else:
                    column = column.fillna(MISSING)
            else:
                column = _numbers(column)
                column = column.fillna(self.medians[name]) if self.fill else column
            columns[self.names[name]] = column
        return pd.DataFrame(columns)

    @property
    def texts(self) -> list[str]:
        """Names of the categories in the encoded table."""
        return [self.names[name] for name in self.dtypes]


def _is_number(column: pd.Series) -> bool:
    kinds = pd.api.types
    return not kinds.is_bool_dtype(column) and (
        kinds.is_numeric_dtype(column)
        or kinds.is_datetime64_any_dtype(column)
        or kinds.is_timedelta64_dtype(column)
    )


def _numbers(column: pd.Series) -> pd.Series:
    """Times as seconds; the rest as it is, with nothing but missing values as NaN."""
    if column.dtype.kind == "M":
        column = column - pd.Timestamp(0, tz=getattr(column.dtype, "tz", None))
    return column.dt.total_seconds() if column.dtype.kind == "m" else pd.to_numeric(column)


def _texts(column: pd.Series) -> pd.Series:
    """Texts as objects; NaN where missing."""
    return column.astype(object).where(column.notna(), np.nan).map(str, na_action="ignore")
