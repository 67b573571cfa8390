"""The style of the page: light and dark, for screens of any width and for paper."""

__all__ = ["DARK", "LIGHT", "STYLE"]

# Blue and orange are told apart by all kinds of colour vision; each has a contrast of 4.5 or more on paper.
LIGHT = {
    "paper": "#ffffff",
    "tint": "#f5f6f8",
    "ink": "#1c2128",
    "soft": "#57606a",
    "line": "#d8dde3",
    "blue": "#0a5fb0",
    "orange": "#b04a00",
}
DARK = {
    "paper": "#14171c",
    "tint": "#1d2229",
    "ink": "#e6e9ed",
    "soft": "#a2abb6",
    "line": "#363e48",
    "blue": "#74b6f8",
    "orange": "#ffa163",
}


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


STYLE = f"""
:root {{ color-scheme: light dark; {_variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
* {{ box-sizing: border-box; }}
html {{ -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }}
body {{ margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }}
main, header, footer {{ max-width: 54rem; margin: 0 auto; padding: 0 1.25rem; overflow-wrap: anywhere; }}
header {{ padding-top: 3.5rem; }}
h1, h2, h3 {{ font-family: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif;
  font-weight: 600; line-height: 1.2; text-wrap: balance; }}
h1 {{ font-size: clamp(1.9rem, 6vw, 2.75rem); letter-spacing: -0.015em; margin: 0 0 1rem; }}
h2 {{ font-size: 1.55rem; margin: 3.5rem 0 0.75rem; padding-top: 1.25rem;
  border-top: 1px solid var(--line); }}
h3 {{ font-size: 1.2rem; margin: 2.25rem 0 0.5rem; }}
p, ul, ol {{ max-width: 42rem; margin: 0 0 1rem; }}
ul {{ padding-left: 1.2rem; }}
li {{ margin: 0 0 0.4rem; }}
a {{ color: var(--blue); text-underline-offset: 0.2em; }}
:focus-visible {{ outline: 2px solid var(--blue); outline-offset: 2px; }}
.eyebrow {{ color: var(--soft); font-size: 0.875rem; margin-bottom: 0.5rem; }}
.lead {{ font-size: 1.2rem; line-height: 1.55; }}
.soft, caption, figcaption, small, footer {{ color: var(--soft); }}
.soft {{ font-size: 0.9375rem; line-height: 1.5; }}
nav {{ font-size: 0.9375rem; margin-top: 1.5rem; }}
nav a {{ display: inline-block; margin: 0 1.1rem 0.3rem 0; text-decoration: none; }}
nav a:hover {{ text-decoration: underline; }}
.tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 0.75rem;
  margin: 1.5rem 0; padding: 0; }}
.tiles div {{ background: var(--tint); border-radius: 0.6rem; padding: 0.9rem 1rem; }}
.tiles dt {{ font-size: 0.875rem; color: var(--soft); }}
.tiles dd {{ margin: 0.15rem 0 0; font-size: 1.6rem; line-height: 1.25; font-variant-numeric: tabular-nums; }}
.tiles small {{ display: block; font-size: 0.75rem; line-height: 1.5; white-space: nowrap; }}
.figures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr));
  gap: 2rem 2.5rem; margin: 1.5rem 0; }}
figure {{ margin: 0; max-width: 34rem; break-inside: avoid; }}
figcaption {{ font-size: 0.9375rem; line-height: 1.5; margin-top: 0.6rem; }}
svg {{ display: block; width: 100%; height: auto; overflow: visible; }}
svg text {{ fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }}
svg .name {{ fill: var(--ink); font-size: 12px; }}
svg .grid {{ stroke: var(--line); stroke-width: 0.75; }}
svg .axis {{ stroke: var(--soft); stroke-width: 1; }}
svg .dashed {{ stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 3; fill: none; }}
svg .line {{ fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }}
svg .cloud {{ fill: none; stroke-width: 3.5; stroke-linecap: round; stroke-opacity: 0.6; }}
svg .point {{ fill: none; stroke-width: 8; stroke-linecap: round; }}
svg .whisker {{ stroke: var(--ink); stroke-width: 1.25; }}
svg .line.one, svg .cloud.one, svg .point.one {{ stroke: var(--blue); }}
svg .line.two, svg .point.two {{ stroke: var(--orange); }}
svg .bar.one, svg .spot.one {{ fill: var(--blue); }}
svg .bar.two {{ fill: var(--orange); }}
svg .spot {{ stroke: var(--paper); stroke-width: 1; }}
.wide {{ overflow-x: auto; margin: 1.25rem 0; }}
table {{ border-collapse: collapse; font-size: 0.9375rem; line-height: 1.45; width: 100%;
  font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; padding-bottom: 0.4rem; font-size: 0.875rem; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.5rem 1rem 0.5rem 0; font-weight: 400;
  border-bottom: 1px solid var(--line); overflow-wrap: normal; }}
th:last-child, td:last-child {{ padding-right: 0; }}
thead th {{ font-size: 0.875rem; color: var(--soft); vertical-align: bottom; }}
th small {{ display: block; font-size: 0.8125rem; min-width: 7.5rem; }}
.n {{ text-align: right; white-space: nowrap; }}
.fold td {{ color: var(--soft); font-style: italic; }}
.matrix table {{ width: auto; }}
.matrix td, .matrix td:last-child {{ text-align: right; padding: 0.5rem 0.7rem; }}
.matrix .hit {{ background: color-mix(in srgb, var(--blue) var(--share), transparent); }}
.matrix .miss {{ background: color-mix(in srgb, var(--orange) var(--share), transparent); }}
.matrix tbody th {{ white-space: nowrap; }}
.matrix thead th {{ padding-left: 0.7rem; text-align: right; }}
.grave {{ border-left: 3px solid var(--orange); padding-left: 0.9rem; list-style: none;
  margin-left: -1.2rem; }}
pre {{ background: var(--tint); border-radius: 0.6rem; padding: 0.9rem 1rem; overflow-x: auto;
  line-height: 1.6; overflow-wrap: normal; }}
code {{ font: 0.875em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
footer {{ margin-top: 4rem; padding-bottom: 3rem; font-size: 0.875rem; }}
@media print {{
  body {{ font-size: 10pt; }} nav {{ display: none; }} header {{ padding-top: 0; }}
  h2, h3 {{ break-after: avoid; }} .wide, pre {{ overflow: visible; }} tr {{ break-inside: avoid; }}
  pre {{ white-space: pre-wrap; }}
  :root {{ {_variables(LIGHT)} }}
}}
""".strip()
