"""The documents in the hands of those who read them: LaTeX itself, and a browser."""

import shutil
import subprocess

import numpy as np
import pytest
from tests.explain.conftest import draw

from chainrule.explain.derivation import derive
from chainrule.explain.directional import directional
from chainrule.network.network import Network

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_compiler")]

LATEX = shutil.which("pdflatex")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(LATEX is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("number", range(10))
def test_latex_compiles(number, tmp_path):
    d = draw(number)
    compiles(derive(d.network, d.parameters, d.x, d.y, d.weight, seed=d.seed), tmp_path)


@pytest.mark.skipif(LATEX is None, reason="pdflatex is not installed")
def test_latex_of_a_direction_compiles(tmp_path):
    d = draw(0)
    compiles(directional(d.network, d.parameters, d.x, d.y), tmp_path)


@pytest.mark.skipif(LATEX is None, reason="pdflatex is not installed")
def test_latex_of_columns_named_in_any_script_compiles(tmp_path):
    network = Network((8, 2, 1))
    names = ("größe", "вес", "重さ", "50 % & _{}^~\\", "naïve ąłő", "a\n\nb", "€ ½ °", "‘–—’ 😀")
    p, x = network.initialize(0), np.arange(1.0, 9.0)
    compiles(derive(network, p, x, [1.0], "W1[1,1]", names=names), tmp_path)


def compiles(found, tmp_path):
    (tmp_path / "page.tex").write_text(found.latex(), "utf-8")
    done = subprocess.run(
        [LATEX, "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 20_000


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1100, 400])
def test_a_browser_shows_the_formulas(width, tmp_path):
    from matplotlib.image import imread

    d = draw(1)
    found = derive(d.network, d.parameters, d.x, d.y, d.weight, seed=d.seed)
    (tmp_path / "page.html").write_text(found.html(), "utf-8")
    subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--window-size={width},900", "--screenshot=page.png", "page.html"],
        cwd=tmp_path, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    picture = imread(tmp_path / "page.png")[:, :, :3]
    assert picture.shape[:2] == (900, width)
    ink = (picture.min(axis=2) < 0.6).mean()
    assert 0.005 < ink < 0.4
    colours = {tuple(pixel) for pixel in (picture * 7).round().astype(int).reshape(-1, 3)[::7].tolist()}
    assert len(colours) > 12  # roles have colours of their own
    assert np.ptp(picture) > 0.8
