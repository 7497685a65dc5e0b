"""The command line: parse, call, print; one module for each verb."""

from __future__ import annotations

from typing import Any

import click

from neuromorph import __version__
from neuromorph.cli.bench import bench
from neuromorph.cli.calibrate import calibrate
from neuromorph.cli.check import check
from neuromorph.cli.compare import compare
from neuromorph.cli.conformance import conformance
from neuromorph.cli.estimate import estimate
from neuromorph.cli.exchange import export_network, import_file
from neuromorph.cli.listings import backends, chips, doctor
from neuromorph.cli.metrics import metrics
from neuromorph.cli.place import place
from neuromorph.cli.rules import rules
from neuromorph.cli.run import networks, run
from neuromorph.errors import NeuromorphError


class _Commands(click.Group):
    """A group whose deliberate errors are one message and exit code 2, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NeuromorphError as error:
            click.echo(f"neuromorph: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:
            raise  # click ends quietly when nobody reads on
        except OSError as error:
            click.echo(f"neuromorph: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="neuromorph")
def main() -> None:
    """One description of a spiking network: the same spikes on every backend, and what learning costs there."""


for _command in (
    run,
    networks,
    compare,
    check,
    place,
    conformance,
    bench,
    backends,
    doctor,
    chips,
    calibrate,
    rules,
    estimate,
    metrics,
    import_file,
    export_network,
):
    main.add_command(_command)
