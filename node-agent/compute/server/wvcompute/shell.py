"""IPython without a terminal: results, displays and tracebacks go to the server as messages."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from .frames import Message

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# One message must fit into a frame; base64 and JSON make it longer.
BUNDLE_BYTES = 12 * 1024 * 1024
TRACEBACK_CHARACTERS = 64 * 1024
_DROPPED = ("application/pdf",)


def bundle(data: dict[str, Any]) -> tuple[dict[str, str], int]:
    """Text for each representation (images in base64), and how many bytes were left out because of the size."""
    texts: dict[str, str] = {}
    for kind, value in data.items():
        if kind in _DROPPED:
            continue
        if isinstance(value, bytes):
            is_text = kind.startswith("text/") or kind == "image/svg+xml"
            value = value.decode("utf-8", "replace") if is_text else base64.b64encode(value).decode("ascii")
        elif not isinstance(value, str):
            value = json.dumps(value, default=repr)
        texts[str(kind)[:128]] = value
    cut = 0
    # The plain text goes last: it is what everybody can show.
    for kind in sorted(texts, key=lambda name: (name == "text/plain", -len(texts[name]))):
        if sum(map(len, texts.values())) <= BUNDLE_BYTES:
            break
        if kind == "text/plain":
            cut += len(texts[kind]) - BUNDLE_BYTES
            texts[kind] = texts[kind][:BUNDLE_BYTES]
        else:
            cut += len(texts.pop(kind))
    return texts, cut


def shorten(text: str, limit: int) -> str:
    """Keeps both ends of a text that is too long: the cause of an error stands in the last line."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 4]}\n… {len(text) - limit} characters …\n{text[-(limit - limit // 4) :]}"


class Results(DisplayHook):
    """The value of the last expression becomes a `result`."""

    def write_output_prompt(self) -> None:
        """No prompt."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        """Sends the representations."""
        data, cut = bundle(format_dict)
        self.shell.tell({"t": "result", "data": data, "cut": cut})

    def finish_displayhook(self) -> None:
        """Nothing to finish: messages are whole."""


class Displays(DisplayPublisher):
    """display(…), plots and the like become a `display`."""

    def publish(self, data: dict[str, Any], metadata: Any = None, source: Any = None, **_: Any) -> None:
        """Sends the representations."""
        texts, cut = bundle(data)
        self.shell.tell({"t": "display", "data": texts, "cut": cut})

    def clear_output(self, wait: bool = False) -> None:
        """What was shown stays: a session's output is a record."""


def _page(shell: InteractiveShell, data: Any, *_: Any, **__: Any) -> None:
    """`name?` writes its text instead of starting a pager."""
    text = data.get("text/plain", "") if isinstance(data, dict) else str(data)
    print(_COLOURS.sub("", text))


class Shell(InteractiveShell):
    """IPython's shell with `tell` as its only way out. `failed` is the last exception shown in this cell."""

    displayhook_class = Type(Results)
    display_pub_class = Type(Displays)
    # Through a pseudo-terminal, as IPython would, output comes late and in colours.
    system = InteractiveShell.system_raw
    title = "Python"
    tell: Callable[[Message], None] = staticmethod(lambda message: None)
    failed: str | None = None

    def init_virtualenv(self) -> None:
        """There is none in the jail."""

    def init_hooks(self) -> None:
        """Adds the pager that prints."""
        super().init_hooks()
        self.set_hook("show_in_pager", _page, 99)

    def enable_gui(self, gui: Any = None) -> None:
        """There is no screen."""

    def ask_exit(self) -> None:
        """`exit` ends the session when the cell has ended."""
        self.exit_now = True

    def _showtraceback(self, etype: type, evalue: BaseException, stb: Any) -> None:
        text = stb if isinstance(stb, str) else "\n".join(stb)
        try:
            message = str(evalue)
        except Exception:  # noqa: BLE001 an exception's own text may fail
            message = "(its text cannot be made)"
        self.failed = etype.__name__
        self.tell({
            "t": "error",
            "name": etype.__name__[:256],
            "message": shorten(_COLOURS.sub("", message), TRACEBACK_CHARACTERS),
            "traceback": shorten(_COLOURS.sub("", text), TRACEBACK_CHARACTERS),
        })


def settings() -> Config:
    """No colours, no history on disk, no slow completer."""
    config = Config()
    config.InteractiveShell.colors = "NoColor"
    config.InteractiveShell.banner1 = ""
    config.InteractiveShell.enable_html_pager = False
    config.HistoryManager.enabled = False
    config.Completer.use_jedi = False
    return config


def restore(shell: Shell, before: dict[str, Any]) -> None:
    """Forgets the cells of the warm-up: the first cell of a user is number 1 and finds no names of ours."""
    shell.user_ns.clear()
    shell.user_ns.update(before)
    shell.user_ns["_oh"].clear()
    shell.displayhook._ = shell.displayhook.__ = shell.displayhook.___ = ""
    shell.history_manager.reset(new_session=False)
    shell.history_manager.input_hist_parsed[:] = [""]
    shell.history_manager.input_hist_raw[:] = [""]
    shell.execution_count = 1
    shell.failed = None
    shell.exit_now = False
    shell.last_execution_result = None
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)


def warm(shell: Shell, cells: list[str]) -> None:
    """Runs cells for what they import and cache, and forgets them. Their output goes nowhere."""
    before = dict(shell.user_ns)
    kept, null = (sys.stdout, sys.stderr), open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    tell, shell.tell = shell.tell, lambda message: None
    try:
        sys.stdout = sys.stderr = null
        for cell in cells:
            shell.run_cell(cell, store_history=True)
        shell.complete("", "imp", 3)
    finally:
        shell.tell = tell
        (sys.stdout, sys.stderr) = kept
        null.close()
        restore(shell, before)


def plots(shell: Shell) -> None:
    """Plots come as PNG without a word from the user, where matplotlib is installed."""
    try:
        import matplotlib_inline.backend_inline  # noqa: F401
        from matplotlib import font_manager  # noqa: F401 builds its list of fonts once, for all children
    except ImportError:
        return
    shell.enable_matplotlib("inline")


WARM_CELLS = ["2+3", "print('x')", "1/0", "display('x')", "!true"]
_PLOT = "import matplotlib.pyplot as p; p.plot([1, 2]); p.show()"


def load_python() -> Shell:
    """The plain Python kernel, warm."""
    shell = Shell.instance(config=settings())
    shell.title = f"Python {sys.version.split()[0]}"
    sys.path.insert(1, "")
    plots(shell)
    warm(shell, [*WARM_CELLS, _PLOT])
    return shell
