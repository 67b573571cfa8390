"""Frames of any library that narwhals knows: pandas, polars, pyarrow and others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.errors import TableError

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["as_frame", "refuse_twice"]


def as_frame(X: Any) -> "nw.DataFrame[Any] | None":
    """`X` as a narwhals frame, or None if it is no frame.

    Raises
    ------
    TableError
        If it is lazy, has a column name twice, or names of several levels.
    """
    import narwhals as nw

    levels = getattr(getattr(X, "columns", None), "nlevels", 1) if hasattr(X, "iloc") else 1
    if levels != 1:
        raise TableError(
            f"X must have one name for each column; got names of {levels} levels (a pandas MultiIndex). Join "
            "them with X.columns = ['_'.join(map(str, name)) for name in X.columns]."
        )
    try:
        frame = nw.from_native(X, pass_through=True)
        if isinstance(frame, nw.DataFrame):
            frame.columns  # noqa: B018  narwhals looks for names given twice only now
    except nw.exceptions.DuplicateError:
        names = list(getattr(X, "column_names", X.columns))
        refuse_twice(names)
        raise
    if isinstance(frame, nw.LazyFrame):
        raise TableError("X must be a frame with its data; got a lazy one. Call X.collect() first.")
    return frame if isinstance(frame, nw.DataFrame) else None


def refuse_twice(names: Sequence[Any]) -> None:
    """Raise TableError if two columns have the same name."""
    texts = [str(name) for name in names]
    if len(set(texts)) == len(texts):
        return
    repeated = sorted({name for name in texts if texts.count(name) > 1})
    raise TableError(
        f"a table must have each column name once; got {', '.join(map(repr, repeated))} more than once. "
        "Rename or drop the others."
    )
