"""The names that other libraries give to the tensors of a residual network, and ours for them."""

from __future__ import annotations

import re

from penpal_fast.network.config import Tensors

# Containers that frameworks put around a network's modules; they do not say which module it is.
_CONTAINERS = re.compile(
    r"\b(model|module|net|network|backbone|encoder|features|modules|_orig_mod)\.|\.layers\b(?=\.\d)"
)
_BLOCK = re.compile(r"(?:blocks|layers|stages|block|layer|stage|res|resblocks)[._]?(\d{1,4})\.(?:0\.)?(.+)")
_SHORTCUT = r"(?:shortcut|downsample|projection|proj|skip)"

_OUTSIDE_BLOCKS = {
    "stem.conv": re.compile(r"(?:stem\.)?(?:conv1?|conv_in|0|stem|stem_conv)"),
    "stem.norm": re.compile(r"(?:stem\.)?(?:norm1?|bn1?|batch_?norm1?|1|stem_(?:norm|bn))"),
    "head": re.compile(r"(?:head|fc|linear|classifier|output|out)(?:\.(?:\d|fc|linear))?"),
}
_IN_BLOCKS = {
    "conv1": re.compile(r"conv_?1"),
    "conv2": re.compile(r"conv_?2"),
    "norm1": re.compile(r"(?:norm|bn|batch_?norm)_?1"),
    "norm2": re.compile(r"(?:norm|bn|batch_?norm)_?2"),
    "shortcut.norm": re.compile(rf"{_SHORTCUT}(?:\.(?:norm\d?|bn\d?|1)|_(?:norm|bn))"),
    "shortcut.conv": re.compile(rf"{_SHORTCUT}(?:\.(?:conv\d?|0|proj))?"),
}
_PARAMETERS = {"gamma": "weight", "beta": "bias"}


def canonical_names(tensors: Tensors) -> Tensors | None:
    """Rename to the names of `QualityClassifier`; None if a name is unknown or two names become the same."""
    parts = {name: _CONTAINERS.sub("", name).rpartition(".") for name in tensors}
    block_numbers = {int(match[1]) for module, _, _ in parts.values() if (match := _BLOCK.fullmatch(module))}
    block_index = {number: index for index, number in enumerate(sorted(block_numbers))}
    named: Tensors = {}
    for name, values in tensors.items():
        module, _, parameter = parts[name]
        module_name = _canonical_module(module, block_index)
        canonical = f"{module_name}.{_PARAMETERS.get(parameter, parameter)}"
        if module_name is None or canonical in named:
            return None
        named[canonical] = values
    return named


def _canonical_module(module: str, block_index: dict[int, int]) -> str | None:
    if block := _BLOCK.fullmatch(module):
        inner = _matching(block[2], _IN_BLOCKS)
        return inner and f"blocks.{block_index[int(block[1])]}.{inner}"
    return _matching(module, _OUTSIDE_BLOCKS)


def _matching(module: str, patterns: dict[str, re.Pattern[str]]) -> str | None:
    return next((name for name, pattern in patterns.items() if pattern.fullmatch(module)), None)
