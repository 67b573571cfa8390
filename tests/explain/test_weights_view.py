"""The tutorial is what the library says today, and all that it tells a reader to run runs."""

import re
import runpy
import shlex
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app

pytestmark = pytest.mark.usefixtures("quick_compiler")

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "weights_view.html").read_text("utf-8")
VOID = {"meta", "br", "mspace", "path", "input"}


@pytest.fixture(scope="module")
def built():
    sys.path.insert(0, str(DOCS))
    try:
        return runpy.run_path(str(DOCS / "weights_view.py"))["build"]()
    finally:
        sys.path.remove(str(DOCS))


def blocks(kind):
    return [unescape(block) for block in re.findall(rf'<code class="{kind}">(.*?)</code>', PAGE, re.DOTALL)]


def test_the_page_is_what_the_library_says(built):
    assert built == PAGE, "run make docs, and look at what has changed"


def test_the_page_is_whole_and_loads_nothing():
    class Checker(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open = []

        def handle_starttag(self, tag, attrs):
            if tag not in VOID:
                self.open.append(tag)
            for name, value in attrs:
                assert name not in ("src", "onclick"), (tag, value)
                assert name != "href" or value.startswith("#"), value

        def handle_endtag(self, tag):
            if tag not in VOID:
                assert self.open.pop() == tag

    checker = Checker()
    checker.feed(PAGE)
    assert checker.open == []
    assert "<script" not in PAGE
    formulas = re.findall(r"<math.*?</math>", PAGE, re.DOTALL)
    assert len(formulas) > 200
    for formula in formulas:
        ElementTree.fromstring(formula)  # raises where it is not well-formed
    anchors = set(re.findall(r'href="#(\w+)"', PAGE))
    assert anchors == set(re.findall(r'id="(s\d+)"', PAGE))


def test_its_python_was_run_as_it_stands():
    assert len(blocks("python")) >= 8
    assert "import chainrule" in blocks("python")[0]


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(DOCS.parent / "examples")
    lines = [line for block in blocks("shell") for line in block.splitlines()]
    assert len(lines) >= 6
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "chainrule"
        if arguments[0] == "fit":
            arguments += ["--members", "1", "--epochs", "2", "--quiet"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (line, result.output)
