"""The SageMath kernel: Sage's own IPython extension (preparser, magics) and its rich output."""

from __future__ import annotations

import sys
from typing import Any

import sage.all  # noqa: F401 first: Sage's modules only import in this order
from sage.env import SAGE_VERSION
from sage.misc.latex import latex
from sage.repl.interpreter import SageShellOverride
from sage.repl.ipython_extension import SageJupyterCustomizations
from sage.repl.rich_output.backend_ipython import BackendIPythonNotebook
from sage.repl.rich_output.output_catalog import OutputImageGif, OutputSceneJmol, OutputSceneThreejs
from traitlets import Type

from .shell import WARM_CELLS, Results, Shell, plots, settings, warm

# Typesetting a huge expression takes longer than computing it, and nobody reads it.
LATEX_OF_CHARACTERS = 4000


class Backend(BackendIPythonNotebook):
    """Sage's notebook output, but pictures of scenes instead of pages with scripts."""

    def supported_output(self) -> set[type]:
        """All that the notebook has, without what needs scripts in the reader's browser."""
        return super().supported_output() - {OutputSceneJmol, OutputSceneThreejs}

    def displayhook(self, plain_text: Any, rich_output: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """An animation is an image, not a piece of HTML."""
        if isinstance(rich_output, OutputImageGif):
            return {"image/gif": rich_output.gif.get(), "text/plain": plain_text.text.get_str()}, {}
        return super().displayhook(plain_text, rich_output)


class SageResults(Results):
    """Adds LaTeX to results that know theirs."""

    def compute_format_data(self, result: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The representations of a result."""
        data, metadata = super().compute_format_data(result)
        if set(data) == {"text/plain"} and len(data["text/plain"]) <= LATEX_OF_CHARACTERS:
            if hasattr(type(result), "_latex_"):
                try:
                    data["text/latex"] = rf"$\displaystyle {latex(result)}$"
                except Exception:  # noqa: BLE001 the plain text is there; its author's LaTeX may fail
                    pass
        return data, metadata


class SageShell(SageShellOverride, Shell):
    """The shell with Sage's display."""

    displayhook_class = Type(SageResults)

    def init_display_formatter(self) -> None:
        """Installs the backend."""
        backend = Backend()
        backend.get_display_manager().switch_backend(backend, shell=self)


# Each line loads what most first cells need: factoring, LaTeX, calculus (Maxima), matrices, plots, GAP.
SAGE_CELLS = [
    *WARM_CELLS,
    "factor(2^64+1)",
    "x = var('x'); integrate(sin(x)*x, x)",
    "matrix(ZZ, 2, [1, 2, 3, 4]).eigenvalues()",
    "plot(sin, (0, 1))",
]


def load_sage() -> Shell:
    """The SageMath kernel, warm."""
    shell = SageShell.instance(config=settings())
    shell.title = f"SageMath {SAGE_VERSION}"
    sys.path.insert(1, "")
    SageJupyterCustomizations(shell)
    plots(shell)
    warm(shell, SAGE_CELLS)
    return shell
