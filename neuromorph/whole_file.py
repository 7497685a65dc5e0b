"""Files that are whole or absent: written beside their place under another name, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from neuromorph.errors import InputError


@contextmanager
def whole_file(path: str | os.PathLike[str], *, binary: bool = False) -> Iterator[IO[Any]]:
    """Open a new file that takes the name ``path`` when the block ends well, and leaves nothing when it does not.

    Raises :class:`InputError` where the folder is missing or may not be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        stream: IO[Any] = temporary.open("xb") if binary else temporary.open("x", encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"cannot write {os.fspath(target)!r}: {error.strerror or error}") from None
    try:
        with stream:
            yield stream
        temporary.replace(target)
    except IsADirectoryError:
        temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {os.fspath(target)!r}: it is a folder") from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
