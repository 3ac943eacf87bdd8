"""What ``spacy rnn doctor`` looks at: versions, extras, threads, GPU, plugins."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Literal

import torch
from packaging.requirements import Requirement

import rnnpipe
from rnnpipe.contracts.distributions import OURS
from rnnpipe.contracts.registry import installed_plugins

#: What each extra is for.
EXTRAS = {
    "fast": "CRFs and LSTMs compiled for a CPU",
    "plots": "pictures",
    "images": "PNG files",
    "translation": "BLEU and chrF",
    "subwords": "byte pair encoding",
}


@dataclass(frozen=True)
class Finding:
    """state: ``"advice"``: it works and could be better; ``"problem"``: something does not work."""

    state: Literal["ok", "advice", "problem"]
    what: str
    found: str
    do: str = ""


def look() -> list[Finding]:
    """Return what was found, each with what to do about it."""
    return [*_packages(), *_extras(), *_threads(), *_gpu(), *_plugins()]


def _packages() -> Iterator[Finding]:
    yield Finding("ok", "Python", f"{platform.python_version()} on {platform.platform()}")
    installed = _version(OURS)
    if installed != rnnpipe.__version__:
        found = f"code {rnnpipe.__version__}, installed as {installed or 'nothing'}"
        yield Finding("problem", OURS, found, "Install it again: pip install -e .")
    else:
        yield Finding("ok", OURS, installed)
    for requirement in _requirements(""):
        yield _package(requirement, "problem", f"pip install '{_bare(requirement)}'")


def _extras() -> Iterator[Finding]:
    for extra, purpose in EXTRAS.items():
        for requirement in _requirements(extra):
            finding = _package(requirement, "advice", f"pip install 'rnnpipe[{extra}]'")
            do = f"For {purpose}: {finding.do}" if finding.do else ""
            yield Finding(finding.state, f"{finding.what} ({extra})", finding.found, do)


def _package(requirement: Requirement, worse: Literal["advice", "problem"], do: str) -> Finding:
    found = _version(requirement.name)
    if found is None:
        return Finding(worse, requirement.name, "not installed", do)
    if not requirement.specifier.contains(found, prereleases=True):
        return Finding("problem", requirement.name, f"{found}, not {requirement.specifier}", do)
    if requirement.name == "numba":
        try:
            importlib.import_module("numba")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be told
            return Finding("problem", "numba", f"{found}, cannot be imported: {error}", do)
    return Finding("ok", requirement.name, found)


def _requirements(extra: str) -> list[Requirement]:
    """Of an extra alone, or of the package for ``""``."""
    wanted = [Requirement(text) for text in requires(OURS) or []]
    plain = [requirement for requirement in wanted if _applies(requirement, "")]
    if not extra:
        return plain
    return [r for r in wanted if r not in plain and _applies(r, extra)]


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _bare(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _threads() -> Iterator[Finding]:
    threads, cores = torch.get_num_threads(), _cores()
    setting = os.environ.get("OMP_NUM_THREADS")
    found = f"{threads} on {cores} cores; OMP_NUM_THREADS is {setting or 'not set'}"
    if threads > cores:
        do = f"Threads compete for cores. Set OMP_NUM_THREADS={cores} before Python starts."
        yield Finding("advice", "torch threads", found, do)
    else:
        yield Finding("ok", "torch threads", found)
    if threads > 1:
        do = "Small networks gain little from more than one thread: compare with OMP_NUM_THREADS=1."
        yield Finding("advice", "small networks", f"{threads} threads", do)
    if hasattr(os, "register_at_fork"):
        found = "safe: rnnpipe sets worker processes to one thread"
    else:
        found = "workers are spawned and load the pipeline again"
    yield Finding("ok", "nlp.pipe(n_process=2)", found)


def _cores() -> int:
    """Those that this process may use, of those that there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpu() -> Iterator[Finding]:
    if not torch.cuda.is_available():
        if shutil.which("nvidia-smi") is None:
            yield Finding("ok", "GPU", "none; everything runs on the CPU")
        elif torch.version.cuda is None:
            do = "Install a build for CUDA, as pytorch.org says, if you want to use the GPU."
            yield Finding("advice", "GPU", f"torch {torch.__version__} is built for CPUs", do)
        else:
            do = "Check that the driver supports CUDA " + torch.version.cuda + " or newer."
            yield Finding("problem", "GPU", "torch does not see it", do)
        return
    yield Finding("ok", "GPU", f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}")
    from thinc.compat import has_cupy_gpu

    if has_cupy_gpu:
        yield Finding("ok", "cupy", "sees the GPU")
    else:
        major = (torch.version.cuda or "12").partition(".")[0]
        do = f"spaCy needs it for --gpu-id 0: pip install cupy-cuda{major}x"
        yield Finding("problem", "cupy", "not installed, or does not see the GPU", do)


def _plugins() -> Iterator[Finding]:
    plugins = installed_plugins()
    broken = [plugin for plugin in plugins if plugin.error]
    for plugin in broken:
        origin = f"{plugin.distribution} {plugin.version}"
        do = f"Repair, update or uninstall {plugin.distribution}."
        yield Finding("problem", f"plugin {origin}", plugin.error or "", do)
    if not broken:
        names = ", ".join(sorted({plugin.distribution for plugin in plugins})) or "none"
        yield Finding("ok", "plugins", names)
