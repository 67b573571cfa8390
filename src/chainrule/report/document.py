"""What every page of ours is wrapped in: one file, which needs nothing else to be read."""

from chainrule.report.style import STYLE
from chainrule.report.texts import esc

__all__ = ["document"]

# Nothing is ever loaded and no script runs, whatever the table holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(title: str, body: str, style: str = "") -> str:
    """A whole page, light and dark, for screens of any width; the title is plain text, the body HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="color-scheme" content="light dark"><title>{esc(title)}</title>'
        f"<style>{STYLE}{style}</style></head>\n<body>{body}</body></html>\n"
    )
