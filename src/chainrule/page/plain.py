"""Numbers and cells as JSON has them."""

from base64 import b64encode
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Numbers with five digits; None for what is not finite. Arrays become lists."""
    if value is None:
        return None
    if isinstance(value, np.ndarray) and value.ndim:
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    number = float(value)
    return float(f"{number:.5g}") if np.isfinite(number) else None


def spread(numbers: np.ndarray, most: int) -> np.ndarray:
    """At most so many of them, evenly spread."""
    if len(numbers) <= most:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, most).astype(int)]


def in_bytes(values: np.ndarray) -> str:
    """Numbers from 0 to 255 as bytes in base64."""
    whole = np.nan_to_num(values, nan=0, posinf=255, neginf=0).clip(0, 255).astype(np.uint8)
    return b64encode(np.ascontiguousarray(whole).tobytes()).decode()


def cell(value: Any) -> str:
    """A cell of a table as a person reads it."""
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return "" if value is None else str(value)
