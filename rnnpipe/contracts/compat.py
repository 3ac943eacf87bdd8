"""Every private name of torch, thinc, spaCy and confection that this package uses.

Any release of theirs may change such a name without notice. A test looks through the package for
private names outside this module, and tests/contracts/test_compat.py checks for each one here that
it still does what we rely on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import requires, version
from pkgutil import resolve_name
from typing import Any

from packaging.requirements import Requirement

#: Each name, and what of ours depends on it.
PRIVATE = {
    "torch._VF.gru": "GRU layers on a GPU",
    "torch._VF.lstm": "LSTM layers on a GPU",
    "torch._VF.rnn_relu": "RNN layers on a GPU",
    "torch._VF.rnn_tanh": "RNN layers on a GPU",
    "torch._foreach_add_": "the optimizer step and dynamic evaluation",
    "torch._foreach_addcmul_": "the optimizer step of RAdam",
    "torch._foreach_copy_": "temporary weights, such as averages",
    "torch._foreach_lerp_": "averages of weights and dynamic evaluation",
    "torch._foreach_mul_": "the optimizer step of RAdam and dynamic evaluation",
    "torch._foreach_norm": "the clipping of gradients",
    "torch._fused_adamw_": "the optimizer step of Adam",
    "thinc.shims.Shim._model": "all networks, and rnnpipe.train",
    "spacy.cli.app": "the command spacy rnn",
    "spacy.cli._util.parse_config_overrides": "overrides of a config on the command line",
    "spacy.language.Language._link_components": "listeners under rnnpipe.train",
    "spacy.pipeline.tok2vec.Tok2VecListener._batch_id": "frozen tok2vecs under rnnpipe.train",
    "spacy.pipeline.TrainablePipe._rehearsal_model": "nlp.rehearse",
    "spacy.language.create_pipe(name, config)": "paths of components in messages on settings",
    "spacy.util.resolve_dot_names(section)": "paths of corpora in messages on settings",
    "confection._registry.fill(config)": "paths in messages on settings",
    "confection._registry.resolve(config)": "paths in messages on settings",
}


def private(name: str) -> Any:
    """Return what a private name stands for. Call it when a module is imported, not in a loop.

    Raises:
        ImportError: the installed version has no such name.

    """
    try:
        return resolve_name(name)
    except (AttributeError, ImportError) as error:
        raise ImportError(broken(name, "no such name")) from error


def broken(name: str, got: str) -> str:
    """Return the message for a private name that is not as it was in the tested versions."""
    package = name.partition(".")[0]
    tested = next(r for r in map(Requirement, requires("rnnpipe") or []) if r.name == package)
    return (
        f"{name}: expected the interface of {tested}, got {got} in {package} {version(package)}. "
        f"Needed for: {PRIVATE[name]}. Install a tested version."
    )


def has_network(shim: Any) -> bool:
    """Return whether one of thinc's shims holds a network; ours has none before initialisation."""
    return getattr(shim, "_model", shim) is not None


def link_listeners(nlp: Any) -> None:
    """Introduce listeners to the components that they listen to, as spaCy's ``init_nlp`` does."""
    nlp._link_components()


def forget_batch(listener: Any) -> None:
    """Make a listener of an earlier training run read from the documents again."""
    listener._batch_id = None


def asked_by_confection() -> bool:
    """Return whether confection has called the function that calls this one."""
    return str(sys._getframe(2).f_globals.get("__name__")).startswith("confection.")


def config_in_progress() -> tuple[str, Mapping[str, Any]]:
    """Return the part of a config that is being read right now, after its path.

    confection hands neither to the functions that a config names, and spaCy hands confection one
    part of a config at a time. Both stand on the call stack, as arguments of ``registry.fill`` and
    ``.resolve`` and of the functions of spaCy that call these. Should later versions call them
    otherwise, confection's own errors come instead, or paths begin further down.
    """
    config: Mapping[str, Any] = {}
    frame = sys._getframe(1)
    while frame is not None:
        place = frame.f_globals.get("__name__"), frame.f_code.co_name
        if place in (("confection._registry", "fill"), ("confection._registry", "resolve")):
            config = frame.f_locals.get("config", config)  # Promise.resolve has none
        elif config and place == ("spacy.language", "create_pipe"):
            return f"components.{frame.f_locals['name']}", frame.f_locals["config"]
        elif config and place == ("spacy.util", "resolve_dot_names"):
            return frame.f_locals["section"], config
        elif config and place[0] != "confection._registry":
            break
        frame = frame.f_back  # type: ignore[assignment]
    return "", config
