import re

import pytest

from chainrule.report.classes import DARKEST
from chainrule.report.style import DARK, LIGHT, STYLE


def luminance(colour):
    """Relative luminance. Source: WCAG 2.2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour, paper, share):
    parts = [(int(colour[k : k + 2], 16), int(paper[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in parts)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrasts_suffice_for_reading(colours):
    for ink in ("ink", "soft", "blue", "orange"):
        assert contrast(colours[ink], colours["paper"]) >= 4.5
        assert contrast(colours[ink], colours["tint"]) >= 4.5
    for colour in ("blue", "orange"):
        assert contrast(colours["ink"], mixed(colours[colour], colours["paper"], DARKEST / 100)) >= 4.5


def test_all_colours_are_variables_in_light_and_dark():
    assert LIGHT.keys() == DARK.keys()
    assert STYLE.count("--paper:") == 3, "light, dark, and on paper"
    assert "@media (prefers-color-scheme: dark)" in STYLE
    assert "@media print" in STYLE
    used = set(re.findall(r"var\(--(\w+)\)", STYLE))
    assert used - {"share"} == set(LIGHT)
    rules = re.sub(r"--\w+:#\w+;", "", STYLE)
    assert not re.search(r"#[0-9a-f]{3,8}\b", rules), "no colour but by its name"


def test_the_style_loads_nothing():
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert STYLE.count("{") == STYLE.count("}")
