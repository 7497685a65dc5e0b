"""One self-contained HTML file: a template of this package, its style, figures inline."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from neuromorph.errors import NeuromorphError
from neuromorph.whole_file import whole_file

NEEDED = ("jinja2", "markupsafe", "matplotlib")


def write_document(text: str, path: str | os.PathLike[str]) -> Path:
    """Write ``text`` to ``path``, whole or not at all; folders on the way are made."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as stream:
        stream.write(text)
    return target


def document(
    template: str, fields: Callable[[], Mapping[str, Any]], *, filters: Mapping[str, Callable[..., Any]] | None = None
) -> str:
    """The template filled with ``fields()``, its style, and ``fields()["data"]`` as a block of JSON.

    Raises :class:`NeuromorphError` where matplotlib or jinja2 is not installed.
    """
    try:
        import jinja2
        from markupsafe import Markup

        from neuromorph.report.inline import inline_svg, json_block

        given = fields()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NEEDED:
            raise
        raise NeuromorphError("the page needs matplotlib and jinja2: pip install 'neuromorph[plot]'") from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["inline"] = lambda figure: inline_svg(figure.svg, figure.key, figure.description)
    environment.filters.update(filters or {})
    folder = resources.files("neuromorph.report")
    style = Markup((folder / "page.css").read_text(encoding="utf-8"))
    filled = environment.from_string((folder / template).read_text(encoding="utf-8"))
    return filled.render(**{**given, "style": style, "data": json_block(given["data"])})
