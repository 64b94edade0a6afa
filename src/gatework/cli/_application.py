"""The application: every command, and what becomes of an error that one raises."""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import os
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, NoReturn, Optional

import typer
from typer.core import TyperCommand, TyperGroup

from gatework._registry import add_plugin
from gatework._threads import wait_passively
from gatework.cli import _declared, _options
from gatework.cli._interrupts import raise_lost_ones
from gatework.cli._plain_values import read_plainly
from gatework.cli._terminal import guard
from gatework.cli._unknown import unknown_option
from gatework.errors import GateworkError, UsageError
from gatework.formatting import printable, wrapped
from gatework.options import TASKS

_GROUPS = {
    "Train": ("record", "compare", "train", "tune"),
    "Use a run": ("evaluate", "predict", "align", "inspect", "report", "export", "serve"),
    "What there is": ("datasets", "recipes"),
    "Learn": ("learn", "playground"),
    "Check": ("check", "doctor", "bench"),
}
COMMANDS = tuple(name for names in _GROUPS.values() for name in names)
_DECLARED = {
    "train": _declared.of_training,
    "check": _declared.of_training,
    "tune": _declared.of_training,
    "compare": _declared.of_comparing,
    "predict": _declared.of_predicting,
    "evaluate": _declared.of_evaluating,
}
_ABOUT = "Fast, transparent LSTMs: compare, train, evaluate and predict on your own sequences."
_INTERRUPTED = 130
_STOPPED = "stopped; what was finished is kept, and the same command goes on from there"
_GOING_ON = ("compare", "train", "tune")
_EXAMPLE_WIDTH = 70
# How a command other than `train` is called for what a command line of `train` learns.
_EXAMPLES: dict[str, Callable[[str], str]] = {
    "check": lambda line: line.replace(" train ", " check ", 1).removesuffix(" --out RUN"),
    "tune": lambda line: re.sub(" --out RUN$", " --out FOLDER", line.replace(" train ", " tune ", 1)),
    "compare": lambda line: re.sub(r" train (\w+) (\S+)(.*) --out RUN$", r" compare \2 --task \1\3 --out FOLDER", line),
}
# What a person mends by another place to read from or to write to.
_PLACES = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# A file or folder as it is called before it is whole.
_TEMPORARY = re.compile(r"\.([^/\\]+)\.\d+\.\w+\.tmp$")
# What torch, cuDNN, cuBLAS and Triton say where memory is short.
_SHORT = ("out of memory", "ALLOC_FAILED", "can't allocate memory", "not enough memory")
# A required argument as the parser writes it, which is no choice.
_REQUIRED = re.compile(r"^\{([^|]+)\}(\.\.\.)?$")
_WORDS = {
    r"^Missing (?:argument|option) '(.+?)(?:\.\.\.)?'": r"\1 is missing",
    r"^Got unexpected extra arguments?(?:\(s\))? \((.+)\)": r'"\1" is too much: what has blanks needs quotes',
    r"^No such command '(.+)'": r'there is no command "\1"',
    r"^Option '(.+)' requires an argument": r"\1 needs a value",
    r"Input should be a valid integer, .*": "a whole number is expected",
    r"Input should be a valid number, .*": "a number is expected",
}
# What the parser raises for an unknown option, a missing argument or a value of the wrong kind.
_MISUSE: Any = typer.BadParameter.__bases__[0]


def build(arguments: Sequence[str] = ()) -> typer.Typer:
    """The application with every command, or with the one that a command line calls, as the others cost time.

    Args:
        arguments: The command line, which says for which task it is, and so which options a command has.
    """
    app = typer.Typer(
        name="gatework",
        cls=_Group,
        help=_ABOUT,
        add_completion=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback(invoke_without_command=False)(_version)
    for name in arguments[:1] if arguments[:1] and arguments[0] in COMMANDS else COMMANDS:
        module = importlib.import_module(f"gatework.cli.{name}")
        if name == "recipes":
            app.add_typer(module.build(), name=name)
            continue
        command = getattr(module, name)
        if name not in _DECLARED:
            app.command(name, cls=_Command)(command)
            continue
        declared = _DECLARED[name](arguments[1:]) if name in arguments[:1] else _options.Declared()
        about = f"{declared.about}\n\n" if declared.about else ""
        app.command(
            name, cls=_Command, help=about + cleandoc(command.__doc__), epilog=_examples(name, declared.example)
        )(_options.with_declared(command, declared))
    return app


def _examples(command: str, example: str) -> str | None:
    """Command lines as the help of a command shows them below the options, one a line.

    Args:
        command: The command's name.
        example: Command lines of `train`, as tasks have them.
    """
    if not example:
        return None
    lines = [_continued(_EXAMPLES.get(command, str)(line)) for line in example.splitlines()]
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _continued(line: str) -> str:
    """A command line as a shell reads it, on so many lines that each fits a terminal of 80 columns."""
    # An option and its value stay together: a line ends before a flag alone.
    held = re.sub(r" (?!--)", "\N{NO-BREAK SPACE}", line)
    lines = textwrap.wrap(held, _EXAMPLE_WIDTH, break_long_words=False, break_on_hyphens=False)
    return " \\\n      ".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def _without_braces(required: re.Match[str]) -> str:
    # A name that says itself what may be repeated needs no dots behind it.
    return required[1] if "..." in required[1] else required[1] + (required[2] or "")


class _Group(TyperGroup):
    """The list of commands, each with the whole first sentence of its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads a command line up to the command."""
        read_plainly(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in order."""
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands, group by group."""
        for title, names in _GROUPS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(title):
                rows = [(name, (c.short_help or c.help or "").split("\n\n")[0]) for name, c in commands if c]
                formatter.write_dl([(f"{name:<{max(map(len, COMMANDS))}}", text) for name, text in rows])


class _Command(TyperCommand):
    """A command whose help lists its options by section: its own first, then the declared ones by their titles."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments as a usage line has them: required ones as they are, not in braces."""
        return [_REQUIRED.sub(_without_braces, piece) for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads what stands behind the command."""
        read_plainly(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes the arguments and the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
                title = getattr(parameter, "rich_help_panel", None) or kind
                sections.setdefault(title, []).append((_options.without_qualified(record[0]), record[1]))
        # --help, which the parser adds last, stands with the command's own options.
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
    plugin: Optional[Path] = typer.Option(  # noqa: UP045
        None, help="A Python file of yours that registers tasks, data sets or recipes; also GATEWORK_PLUGINS=FILE."
    ),
) -> None:
    """Fast, transparent LSTMs: compare, train, evaluate and predict on your own sequences."""


def _words() -> list[str]:
    """The words of the command line; while a shell completes one, those that stand there, as options depend on them."""
    asked = os.environ if "_GATEWORK_COMPLETE" in os.environ else {}
    typed = asked.get("_TYPER_COMPLETE_ARGS") or asked.get("COMP_WORDS")
    return typed.split()[1:] if typed else sys.argv[1:]


def _without_plugins(arguments: Sequence[str]) -> list[str]:
    """A command line without --plugin, whose files are noted: they are known before the options are."""
    words, others = iter(arguments), []
    for word in words:
        name, is_joined, file = word.partition("=")
        if name != "--plugin":
            others.append(word)
        elif file := file if is_joined else next(words, ""):
            add_plugin(file)
        else:
            raise UsageError("--plugin names no file; give one that registers a task, a data set or a recipe")
    return others


def main() -> None:
    """Runs the command line; whatever fails is one sentence on standard error and an exit code.

    `GATEWORK_DEBUG=1` shows the traceback of what nobody expected.
    """
    # Python searches for cycles after every 700 new objects and once more at the end, and torch alone makes 170,000
    # that stay. To search rarely, and not at the end, saves a command almost a second.
    gc.set_threshold(100_000)
    wait_passively()
    guard()
    raise_lost_ones()
    atexit.register(gc.freeze)
    arguments: list[str] = []
    try:
        arguments = _without_plugins(_words()) or ["--help"]
        code = build(arguments)(args=arguments, prog_name="gatework", standalone_mode=False)
    except _MISUSE as error:
        _fail(f"{_misuse(error, arguments)}; {_way_out(arguments)}", 2)
    except GateworkError as error:
        if error.__cause__ is not None and os.environ.get("GATEWORK_DEBUG"):
            raise
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail(_STOPPED if _goes_on(arguments) else "stopped", _INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except BaseException as error:  # what polars panics with is no Exception
        if isinstance(error, SystemExit) or os.environ.get("GATEWORK_DEBUG"):
            raise
        _fail(_unexpected(error, arguments), 1)
    if code == _INTERRUPTED:  # the parser turns Ctrl-C into this code
        _fail(_STOPPED if _goes_on(arguments) else "stopped", _INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _goes_on(arguments: Sequence[str]) -> bool:
    """Whether the command, once stopped, goes on when it is given again."""
    return bool(arguments) and arguments[0] in _GOING_ON


def _has(arguments: Sequence[str], option: str) -> bool:
    """Whether an option stands on a command line, its value behind it or joined to it by "="."""
    return any(word.partition("=")[0] == option for word in arguments)


def _unexpected(error: BaseException, arguments: Sequence[str]) -> str:
    """What nobody expected, as one sentence."""
    said = str(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(words in said for words in _SHORT)):
        return _short_of_memory(said, arguments)
    if isinstance(error, OSError) and error.errno in _PLACES:
        # Only what is written has another place; what was read may be gone or closed to this person.
        is_written = error.errno in _FULL or _has(arguments, "--out")
        way = "choose another --out" if is_written else "name a file or folder that this account can read"
        what = (error.strerror or str(error)).lower()
        if error.filename is None and error.errno in _FULL:
            # As of standard output, which may go to a file.
            return f"what is written has no place ({what}); free some room, or write to another disk"
        name = _TEMPORARY.sub(r"\1", os.fsdecode(error.filename or "a file"))
        return f"{name}: {what}; {way}"
    what = " ".join(f"{type(error).__name__}: {said}".split())[:300]
    return f"this should not have happened ({what}); GATEWORK_DEBUG=1 before the command shows where"


def _short_of_memory(said: str, arguments: Sequence[str]) -> str:
    """What is short of memory, by what torch or NumPy says of it, and what helps."""
    is_gpu = re.search("cuda|cudnn|cublas", said, re.IGNORECASE) is not None
    amounts = []
    if asked := re.search(r"allocate ([\d.]+ \w+)", said):
        amounts.append(f"{_binary(asked[1])} asked for")
    if free := re.search(r"capacity of ([\d.]+ \w+) of which ([\d.]+ \w+) is free", said):
        amounts.append(f"{free[2]} of {free[1]} free")
    where = f"{'the GPU' if is_gpu else 'this machine'} is short of memory" + f" ({', '.join(amounts)})" * bool(amounts)
    if _has(arguments, "--resume"):
        return f"{where}; end what else uses it, then give the same command"
    if is_gpu:
        return f"{where}; end what else uses it, take a smaller --batch-size, or train on the processor (--device cpu)"
    less = "a smaller --batch-size or --hidden" if _goes_on(arguments) else "fewer rows at a time"
    return f"{where}; end what else uses it, or take {less}"


def _binary(amount: str) -> str:
    """An amount of memory in a person's unit: torch says bytes of the processor's, and GiB of a GPU's."""
    count, _, unit = amount.partition(" ")
    if unit != "bytes":
        return amount
    power = max(0, int(count).bit_length() - 1) // 10
    return f"{int(count) / 1024**power:.2f} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[min(power, 6)]}"


def _misuse(error: Any, arguments: Sequence[str]) -> str:
    """What is wrong with a command line, in a person's words instead of the parser's."""
    if hasattr(error, "possibilities"):
        return unknown_option(error.option_name, error.possibilities or (), next(iter(arguments), ""))
    sentence = str(error.format_message()).rstrip(".")
    for pattern, words in _WORDS.items():
        sentence = re.sub(pattern, words, sentence)
    return sentence


def _way_out(arguments: Sequence[str]) -> str:
    """Where a person that misused the command line finds what is right."""
    word = next((word for word in arguments[1:2] if word in TASKS), "")
    command = " ".join(filter(None, (*(word for word in arguments[:1] if word in COMMANDS), word)))
    return f"see gatework {command and command + ' '}--help"


def _fail(sentence: str, code: int) -> NoReturn:
    print(wrapped(f"gatework: {printable(sentence)}", sys.stderr), file=sys.stderr)
    sys.exit(code)
