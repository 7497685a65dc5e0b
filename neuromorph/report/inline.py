"""Figures made ready to stand inside a page: identifiers of their own, colours of the page's theme, a description."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from neuromorph.report.canvas import INK, MUTED, RIGHT, RULE, SERIES, WRONG

# Colours of figures to custom properties of page.css; a colour that is not listed stays as drawn.
THEME = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    RIGHT: "--right",
    WRONG: "--wrong",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)},
}


def inline_svg(svg: bytes, key: str, description: str) -> Markup:
    """SVG of a figure as an element of an HTML page; ``key`` makes its identifiers unique on that page."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, count=1, flags=re.DOTALL)  # page.css has it
    head, body = text.split(">", 1)
    width = re.search(r' width="([\d.]+)pt"', head)
    box = re.search(r' viewBox="[^"]+"', head)
    if width is None or box is None:
        raise ValueError("this SVG has no width in points or no viewBox")
    pixels = round(float(width.group(1)) * 4 / 3)
    opening = (
        f'<svg{box.group()} role="img" aria-label="{escape(description)}" style="--width: {pixels}px" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    body = re.sub(r' id="', f' id="{key}-', body)
    body = re.sub(r'href="#', f'href="#{key}-', body)
    body = body.replace("url(#", f"url(#{key}-")
    for colour, name in THEME.items():
        body = body.replace(f": {colour}", f": var({name})")
    return Markup(opening + body)  # drawn by this package; names in it are outlines of letters


def json_block(data: Mapping[str, Any]) -> Markup:
    """Plain data as JSON that may stand inside a script element; what JSON cannot say (NaN) becomes null."""
    text = json.dumps(_plain(data), ensure_ascii=True, allow_nan=False, indent=1)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # no character that HTML knows is left


def _plain(value: Any) -> Any:
    """Data of types that JSON knows; NumPy's numbers as Python's."""
    match value:
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case str() | None | bool():
            return value
        case Sequence():
            return [_plain(item) for item in value]
        case float():
            return float(value) if math.isfinite(value) else None
        case int():
            return int(value)
        case _:
            return _plain(value.tolist())
