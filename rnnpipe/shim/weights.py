"""Weights as bytes, without pickle: safetensors with the facts that rebuild the module.

Reading never runs code from the file, and rejects anything that was not written by :func:`dump`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, TypeAlias

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from rnnpipe.errors import WeightsError

FORMAT_VERSION = 1

#: What ``build(facts)`` needs to recreate a module: sizes, labels, vocabularies. Plain JSON.
Facts: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """The stored tensors by name, the facts, and whether there was a module."""

    tensors: dict[str, Tensor]
    facts: Facts | None
    built: bool


def dump(module: nn.Module | None, facts: Facts | None) -> bytes:
    """Serialize the module's parameters and persistent buffers, and ``facts``. ``None``: no module
    yet."""
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in named_tensors(module).items()
    }
    network = json.dumps({"built": module is not None, "facts": facts}, allow_nan=False)
    # One entry: safetensors writes several in any order, and the same weights shall give the same
    # bytes.
    entry = f"{FORMAT_VERSION} {_checksum(network, tensors)} {network}"
    return safetensors.torch.save(tensors, {_ENTRY: entry})


def parse(data: bytes) -> Stored:
    """Parse the output of :func:`dump`.

    Raises:
        WeightsError: ``data`` is truncated, altered, or not written by :func:`dump`.
    """
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise _refusal("a complete safetensors file", f"none ({error})", _FETCH) from error
    entry = _metadata(data).get(_ENTRY)
    if entry is None:
        raise _refusal("weights written by rnnpipe", "tensors from another source", _FETCH)
    version, _, signed = entry.partition(" ")
    if version != str(FORMAT_VERSION):
        raise _refusal(
            f"format {FORMAT_VERSION}",
            f"format {version}",
            "Use the rnnpipe version that wrote the file.",
        )
    checksum, _, network = signed.partition(" ")
    if checksum != _checksum(network, tensors):
        raise _refusal("the checksum stored with them", "a changed file", _FETCH)
    return Stored(tensors, **json.loads(network))


def load_into(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Copy ``tensors`` into the module, all or none.

    Raises:
        WeightsError: a name, shape or type differs from the module's.
    """
    own = named_tensors(module)
    missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    if missing or unknown:
        raise _refusal(
            f"the {len(own)} tensors of this network",
            f"others: missing {missing}, unknown {unknown}",
            _SAME_SETTINGS,
        )
    for name, tensor in own.items():
        want, got = _describe(tensor), _describe(tensors[name])
        if want != got:
            raise _refusal(f"{want} for {name}", got, _SAME_SETTINGS)
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])


def named_tensors(module: nn.Module | None) -> dict[str, Tensor]:
    """Return parameters and persistent buffers by name; for one with two names, the first.

    Raises:
        WeightsError: there is state that is not a tensor (``get_extra_state``).
    """
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in ({} if module is None else module.state_dict(keep_vars=True)).items():
        if not isinstance(tensor, Tensor):
            raise _refusal(
                f"a tensor for {name}",
                type(tensor).__name__,
                "Store only plain values in the facts, so that loading never runs code.",
            )
        if id(tensor) not in seen:
            seen.add(id(tensor))
            tensors[name] = tensor
    return tensors


_ENTRY = "rnnpipe"
_FETCH = "Copy the file again from its source, or train again."
_SAME_SETTINGS = "Load them into a network with the settings used in training."


def _refusal(want: str, got: str, do: str) -> WeightsError:
    return WeightsError(f"weights: expected {want}, got {got}. {do}")


def _metadata(data: bytes) -> dict[str, str]:
    # safetensors: 8 bytes little-endian length, then that many bytes of JSON.
    size = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = json.loads(data[8 : 8 + size]).get("__metadata__", {})
    return metadata


def _checksum(network: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.blake2b(network.encode(), digest_size=16)
    for name in sorted(tensors):
        digest.update(f"{name} {_describe(tensors[name])}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
