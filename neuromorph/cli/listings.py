"""``neuromorph backends``, ``doctor`` and ``chips``."""

from __future__ import annotations

from typing import Any

import click

from neuromorph.cli.shared import JSON_OPTION, console, write_json


@click.command()
@JSON_OPTION
def backends(json_path: str | None) -> None:
    """Which backends there are, whether they can run here, and what each lacks."""
    from neuromorph import registry
    from neuromorph.report.listings import backends_table

    rows = []
    for name in registry.backend_names():
        found = registry.availability(name)
        gaps: dict[str, Any] = {}
        note = ""
        if found.available:
            capabilities = registry.load(name).capabilities
            gaps = {feature: {"reason": gap.reason, "owner": gap.owner} for feature, gap in capabilities.gaps.items()}
            note = capabilities.note
        rows.append(
            {
                "backend": name,
                "available": found.available,
                "reason": found.reason,
                "remedy": found.remedy,
                "versions": dict(found.versions),
                "note": note,
                "gaps": gaps,
            }
        )
    if json_path is not None:
        write_json({"rows": rows}, json_path)
    if json_path != "-":
        console().print(backends_table(rows))


@click.command()
@JSON_OPTION
def doctor(json_path: str | None) -> None:
    """Python, packages and backends of this machine, and what to do about what is missing."""
    from neuromorph.doctor import diagnose

    diagnosis = diagnose()
    if json_path is not None:
        write_json(diagnosis.to_json(), json_path)
    if json_path == "-":
        return
    click.echo(f"Python {diagnosis.python} on {diagnosis.platform}")
    for name, version in diagnosis.packages.items():
        click.echo(f"  {name:<14}{version}")
    click.echo("Backends")
    for name, found in diagnosis.backends.items():
        versions = ", ".join(f"{part} {version}" for part, version in found.versions.items())
        said = f"ready ({versions}) {found.reason}".rstrip() if found.available else f"not available: {found.reason}"
        click.echo(f"  {name:<14}{said}")
    if diagnosis.advice:
        click.echo("Remedies")
    for line in diagnosis.advice:
        click.echo(f"  {line}")


@click.command()
@click.argument("words", nargs=-1, metavar="[[show] NAME|FILE]...")
@JSON_OPTION
def chips(words: tuple[str, ...], json_path: str | None) -> None:
    """Known chips and boards: their size, and what can be estimated of them.

    With names or paths of hardware files, every number of these with its unit, source and status. NAME.SET is a chip
    with one of its cost sets, such as loihi1.sanafe.
    """
    from neuromorph.chip import Size, chip_names, load_chip
    from neuromorph.report.listings import chip_table, chips_table

    asked = words[1:] if words[:1] == ("show",) else words
    if words and not asked:
        raise click.UsageError(
            f"chips show needs a name or the path of a hardware file; known: {', '.join(chip_names())}"
        )
    loaded = [load_chip(name) for name in asked or chip_names()]
    if json_path is not None:
        write_json({"rows": [{**item.to_json(), "size": Size.of(item).to_json()} for item in loaded]}, json_path)
    if json_path == "-":
        return
    for table in [chip_table(chip) for chip in loaded] if asked else [chips_table(loaded)]:
        console().print(table)
