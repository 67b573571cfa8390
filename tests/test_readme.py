"""The README's Python runs, and it names files that exist."""

import re
from pathlib import Path

import pytest

import chainrule

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("every", "promised"),
    [(20, 0.95), pytest.param(1, 0.97, marks=pytest.mark.long)],  # of every twentieth diamond less is learnt
)
def test_python_blocks_run(
    every: int, promised: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read = chainrule.read_table
    monkeypatch.setattr(chainrule, "read_table", lambda path: read(path)[::every])
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert float(printed.split()[0]) > promised, "the README promises R² of about 0.98 for all diamonds"
    assert "by hand, automatic and finite differences agree" in printed
    assert len(BLOCKS) == 6


def test_named_files_exist() -> None:
    links = re.findall(r"\]\(([^):]+)\)", README)
    named = links + re.findall(r"(?:examples|benchmarks|docs)/[\w./]+\w", README)
    assert len(named) >= 6
    for name in named:
        assert (ROOT / name).exists(), name
