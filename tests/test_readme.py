"""The README's Python runs, and it names files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_python_blocks_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert float(printed.split()[0]) > 0.97, "the README promises R² of about 0.98"
    assert "by hand, automatic and finite differences agree" in printed
    assert len(BLOCKS) == 5


def test_named_files_exist() -> None:
    links = re.findall(r"\]\(([^):]+)\)", README)
    named = links + re.findall(r"(?:examples|benchmarks|docs)/[\w./]+\w", README)
    assert len(named) >= 6
    for name in named:
        assert (ROOT / name).exists(), name
