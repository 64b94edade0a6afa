"""The command line: one file per command, no logic of its own, nothing heavy imported before it is needed."""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand

from gatework.cli._options import SECTIONS
from gatework.errors import GateworkError

_COMMANDS = ("compare", "train", "evaluate", "predict", "inspect", "report", "datasets", "learn", "doctor", "bench")
_INTERRUPTED = 130
# What the parser raises for an unknown option, a missing argument or a value of the wrong kind.
_MISUSE: Any = typer.BadParameter.__bases__[0]


def build() -> typer.Typer:
    """The application with every command."""
    app = typer.Typer(
        name="gatework",
        help="Fast, transparent LSTMs: compare, train, evaluate and predict on your own sequences.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback(invoke_without_command=False)(_version)
    for name in _COMMANDS:
        module = importlib.import_module(f"gatework.cli.{name}")
        app.command(name, cls=_Command)(getattr(module, name))
    return app


class _Command(TyperCommand):
    """A command whose help lists its options by section: its own first, then those that name one."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the arguments and the options."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in ("Arguments", "Options", *SECTIONS)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                own = "Arguments" if parameter.param_type_name == "argument" else "Options"
                sections[getattr(parameter, "rich_help_panel", None) or own].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from gatework import __version__

        print(f"gatework {__version__}")
        raise typer.Exit


def _version(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Fast, transparent LSTMs: compare, train, evaluate and predict on your own sequences."""


def main() -> None:
    """Runs the command line; an expected failure is one sentence on standard error and an exit code."""
    # Python searches for cycles after every 700 new objects and once more at the end, and torch alone makes 170,000
    # that stay. To search rarely, and not at the end, saves a command almost a second.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    try:
        code = build()(args=sys.argv[1:] or ["--help"], standalone_mode=False)
    except _MISUSE as error:
        _fail(f"{error.format_message().rstrip('.')}; see gatework --help", 2)
    except GateworkError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped; what was finished is kept, and the same command or --resume goes on from there", _INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _fail(f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}; choose another --out", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(sentence: str, code: int) -> NoReturn:
    print(f"gatework: {sentence}", file=sys.stderr)
    sys.exit(code)
