"""How the command line speaks: answers on stdout, one line per error on stderr, an exit code for each kind."""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from semblance.errors import GateRefused, InputError, Interrupted, SemblanceError
from semblance.interruption import listening


@dataclass(slots=True)
class Manner:
    """How one call is to speak: set by its options, read when the answer or the error is told."""

    json: bool = False
    debug: bool = False
    told: bool = False

    def tell(self, facts: dict[str, Any], text: str) -> None:
        """The answer: one JSON object for machines, or sentences for people."""
        self.told = True
        click.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False) if self.json else text)

    def tell_error(self, error: SemblanceError) -> int:
        """The error in one line, on stdout too where a machine still waits for its one object; the exit code."""
        code = error.exit_code
        if self.json and not self.told:
            self.tell({"error": type(error).__name__, "message": str(error), "exit_code": code}, "")
        click.echo(f"semblance: {error}", err=True)
        return code


class Verbs(click.Group):
    """Verbs in the order of use; Ctrl-C anywhere becomes Interrupted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            known = getattr(stopped, "__notes__", ["run the same command again"])
            raise Interrupted(f"interrupted before the end; {known[-1]}.") from None


def run_verbs(verbs: click.Group, arguments: Sequence[str] | None) -> int:
    """Run one command line and return its exit code. Unforeseen errors go on to Python, told in one line."""
    manner = Manner()
    if "--debug" not in (sys.argv if arguments is None else arguments):
        sys.excepthook = _tell_unforeseen
        if not sys.warnoptions:  # a library's warning may quote a value
            warnings.simplefilter("ignore")
    try:
        with listening():
            code = verbs.main(args=arguments, prog_name="semblance", standalone_mode=False, obj=manner)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SemblanceError, OSError) as error:
        if manner.debug and not isinstance(error, GateRefused):
            traceback.print_exc()
        return manner.tell_error(error if isinstance(error, SemblanceError) else _refused_by_system(error))
    return int(code or 0)


def _refused_by_system(error: OSError) -> SemblanceError:
    """What the operating system would not do, in one sentence."""
    where = f"{error.filename}: " if error.filename else ""
    return InputError(f"{where}{error.strerror or type(error).__name__}; check the path, its rights and the disk.")


def _tell_unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A mistake of ours. Its own text stays unsaid: it could quote a patient's value."""
    place = ""
    while trace is not None:
        place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    click.echo(
        f"semblance: unforeseen {kind.__name__}{place}; run again with --debug and report what it shows.", err=True
    )
