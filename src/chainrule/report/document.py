"""The frame of every page: one file, which needs nothing else to be read."""

from chainrule.report.style import STYLE
from chainrule.report.texts import esc

__all__ = ["document", "section"]

# Nothing is ever loaded and no script runs, whatever the table holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, body: str, style: str = "") -> str:
    """A page of a title, which is plain text, and a body, which is HTML; ``style`` is added to ours."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="color-scheme" content="light dark"><title>{esc(title)}</title>'
        f"<style>{STYLE}{style}</style></head>\n<body>{body}</body></html>\n"
    )


def section(anchor: str, title: str, body: str) -> str:
    """A part of the page that can be linked to; title and body are HTML already."""
    return f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{title}</h2>{body}</section>'
