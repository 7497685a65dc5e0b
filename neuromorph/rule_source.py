"""Where a learning rule comes from on the command line: the named rules, or a Python file."""

from __future__ import annotations

import difflib
import inspect
import json
import os
import re
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuromorph.errors import InputError, NeuromorphError
from neuromorph.plasticity import LearningRule
from neuromorph.plasticity.catalogue import NAMED_RULES

FORMS = "a named rule, or FILE.py:NAME with a LearningRule or a function that makes one"


@dataclass(frozen=True, kw_only=True)
class FoundRule:
    """A rule with what its documentation says of it."""

    name: str  # as it was asked for
    rule: LearningRule
    summary: str = ""  # one sentence
    equation: str = ""  # as the documentation writes it, with the names of parameters
    source: str = ""  # the papers
    parameters: Mapping[str, Any]  # of the function that made it, the defaults included


def named_rules() -> list[FoundRule]:
    """Every rule of :data:`neuromorph.plasticity.NAMED_RULES` with its default parameters, in order."""
    return [_made(function.__name__, function, {}) for function in NAMED_RULES]


def find_rule(text: str, settings: Sequence[str] = ()) -> FoundRule:
    """The rule that ``text`` names, with ``settings`` as ``A_plus=0.01`` for the function that makes it.

    Names are those of the functions in :mod:`neuromorph.plasticity`, in any case of letters. Raises
    :class:`InputError` where there is no such rule or parameter, :class:`RuleError` where the rule refuses a value.

    >>> find_rule("stdp", ["A_plus=0.5"]).rule.dw_sum.products[0].coefficient
    0.5
    """
    head, colon, name = text.rpartition(":")
    if colon and head.endswith(".py"):
        return _from_python(Path(head), name, settings)
    for function in NAMED_RULES:
        if function.__name__.lower() == text.lower():
            return _made(function.__name__, function, _values(function, settings))
    names = [function.__name__ for function in NAMED_RULES]
    near = difflib.get_close_matches(text.lower(), [known.lower() for known in names], n=1)
    hint = f"; did you mean {next(known for known in names if known.lower() == near[0])!r}?" if near else ""
    raise InputError(f"there is no rule {text!r}; known: {', '.join(names)}; give {FORMS}{hint}")


def _from_python(path: Path, name: str, settings: Sequence[str]) -> FoundRule:
    if not path.is_file():
        raise InputError(f"{os.fspath(path)!r}: there is no such file; give {FORMS}")
    folder = os.fspath(path.resolve().parent)
    sys.path.insert(0, folder)  # as when the file is run by itself
    try:
        held = runpy.run_path(os.fspath(path))
    except NeuromorphError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{os.fspath(path)!r} could not be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)
    found = held.get(name)
    if isinstance(found, LearningRule):
        if settings:
            raise InputError(f"{name!r} of {os.fspath(path)!r} is a rule already: parameters are set of functions only")
        return FoundRule(name=name, rule=found, parameters={})
    if callable(found):
        return _made(name, found, _values(found, settings))
    rules = ", ".join(key for key, value in held.items() if isinstance(value, LearningRule)) or "none"
    raise InputError(f"{os.fspath(path)!r} holds no rule called {name!r}; the rules in it: {rules}; give {FORMS}")


def _made(name: str, function: Callable[..., Any], values: Mapping[str, Any]) -> FoundRule:
    try:
        rule = function(**values)
    except TypeError as error:
        raise InputError(f"{name} cannot be called so: {error}") from None
    if not isinstance(rule, LearningRule):
        raise InputError(f"{name} makes no LearningRule but {rule!r}; give {FORMS}")
    text = (inspect.getdoc(function) or "").partition(">>>")[0].strip()
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    return FoundRule(
        name=name,
        rule=rule,
        summary=" ".join(text.partition("\n\n")[0].split()),
        equation=_equation(text),
        source=_papers(text),
        parameters={**defaults, **values},
    )


def _values(function: Callable[..., Any], settings: Sequence[str]) -> dict[str, Any]:
    """Settings as arguments: numbers and mappings as JSON has them, ``inf``, else text."""
    known = list(inspect.signature(function).parameters)
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in known:
            raise InputError(f"set a parameter as NAME=VALUE, got {setting!r}; known: {', '.join(known)}")
        values[name] = _value(text)
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _equation(text: str) -> str:
    """What the documentation sets as code and begins with a target."""
    parts = [" ".join(part.split()) for part in re.findall(r"``(d[dwt] = [^`]+)``", text)]
    return "; ".join(dict.fromkeys(parts))


def _papers(text: str) -> str:
    """The last sentences of the documentation, each with the year of a paper."""
    # A sentence ends with its paragraph, or after a word in small letters, a number, a bracket, code or a unit, and not
    # after "J. Neurosci."
    sentences = [
        sentence
        for paragraph in text.split("\n\n")
        for sentence in re.split(
            r"(?:(?<=[a-z0-9)`\"]\.)(?<!al\.)(?<![A-Z][a-z]{4}\.)(?<!Neurosci\.)(?<!Comput\.)|(?<=Hz\.)) (?=[A-Z])",
            " ".join(paragraph.split()),
        )
    ]
    papers: list[str] = []
    for sentence in reversed(sentences):
        if not re.search(r"\b(?:1[89]|20)\d\d\b", sentence):
            break
        papers.insert(0, sentence)
    return " ".join(papers)
