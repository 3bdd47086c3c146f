"""The quality network in MLX: a small residual network on the picture of a row."""

from __future__ import annotations

import os
from collections.abc import Sequence

import mlx.core as mx
import mlx.nn as nn

from penpal_fast.network.config import ModelConfig, Shortcut, Tensors
from penpal_fast.network.layers import layers
from penpal_fast.network.mlx_module import save, tensors_of, with_tensors
from penpal_fast.network.pretrained import load
from penpal_fast.network.publishing import model_card, push
from penpal_fast.network.weights import write_tensors


def norm(channels: int, config: ModelConfig) -> nn.Module:
    """Make batch norm, or nothing where it is folded into the convolutions."""
    return nn.BatchNorm(channels, eps=config.batch_norm_epsilon) if config.batch_norm else nn.Identity()


class ConvNorm(nn.Module):
    """A convolution of stride 2 with batch norm, or with a bias where batch norm is folded in."""

    def __init__(self, inputs: int, outputs: int, kernel: int, config: ModelConfig) -> None:
        """Make a layer from `inputs` to `outputs` channels; a kernel of 3 has a padding of 1, a kernel of 1 none."""
        super().__init__()
        bias = not config.batch_norm
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2, bias=bias)
        self.norm = norm(outputs, config)

    def __call__(self, x: mx.array) -> mx.array:
        """Map [B, H, W, inputs] to [B, H / 2, W / 2, outputs]."""
        return self.norm(self.conv(x))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, the first of stride 2, and a shortcut around them (He et al., 2015)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        shortcut: Shortcut = "identity",
        config: ModelConfig | None = None,
    ) -> None:
        """Make a block from `inputs` to `outputs` channels that halves height and width."""
        super().__init__()
        config = config or ModelConfig()
        bias = not config.batch_norm
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=bias)
        self.norm1 = norm(outputs, config)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride=1, padding=1, bias=bias)
        self.norm2 = norm(outputs, config)
        self._new_channels = outputs - inputs
        if shortcut == "projection":
            self.shortcut = ConvNorm(inputs, outputs, 1, config)

    def __call__(self, x: mx.array) -> mx.array:
        """Map [B, H, W, inputs] to [B, H / 2, W / 2, outputs]."""
        if "shortcut" in self:
            shortcut = self.shortcut(x)
        else:
            shortcut = mx.pad(x[:, ::2, ::2, :], [(0, 0), (0, 0), (0, 0), (0, self._new_channels)])
        y = nn.relu(self.norm1(self.conv1(x)))
        return nn.relu(self.norm2(self.conv2(y)) + shortcut)


class QualityClassifier(nn.Module):
    """Tells legible, human-looking handwriting from corrupted handwriting, given the picture of a row."""

    def __init__(self, config: ModelConfig | None = None) -> None:
        """Make a network with random weights, in training mode; `from_pretrained` loads a trained one."""
        super().__init__()
        config = config or ModelConfig()
        self.config = config
        network = layers(config)
        self.stem = ConvNorm(network.stem.inputs, network.stem.outputs, network.stem.kernel, config)
        self.blocks = [
            BasicBlock(block.first.inputs, block.first.outputs, shortcut=config.shortcut, config=config)
            for block in network.blocks
        ]
        self.head = nn.Linear(config.channels[-1], 1)

    def __call__(self, images: mx.array) -> mx.array:
        """Score pictures.

        Args:
            images: float32 [B, 256, 256, 1], 0 for background and 1 for ink.

        Returns:
            Raw logits [B]; `mx.sigmoid` of a logit is the score in [0, 1].
        """
        x = nn.relu(self.stem(images))
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(axis=(1, 2))).squeeze(-1)

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str] | None = None, *, revision: str | None = None
    ) -> QualityClassifier:
        """Load a trained model, in evaluation mode.

        Args:
            source: None for the bundled model, a folder with `config.json` and `weights.safetensors`, or the
                id of a Hugging Face repository with these files, such as "breitburg/penpal-quality-assurance"; "@" and
                a revision pins it.
            revision: Branch, tag or commit of the repository; None for its main branch.

        Raises:
            PenpalError: There is no such folder or repository, or its files do not describe such a network. The error
                lists the expected and the found tensors.
        """
        return cls.from_tensors(*load(source, revision=revision))

    @classmethod
    def from_tensors(cls, config: ModelConfig, tensors: Tensors) -> QualityClassifier:
        """Make a model in evaluation mode from a configuration and the tensors that `tensors` returns."""
        return with_tensors(cls(config), tensors)

    def tensors(self) -> Tensors:
        """Return all tensors as NumPy arrays, by name."""
        return tensors_of(self)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write `config.json` and `weights.safetensors` into a folder, which is created if needed."""
        save(folder, self.config.to_json(), lambda path: write_tensors(path, self.tensors()))

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool | None = None,
        revision: str | None = None,
        commit_message: str = "Upload a model of penpal-fast",
        token: str | None = None,
        create_pr: bool = False,
        license: str | None = None,  # noqa: A002
        tags: Sequence[str] = (),
    ) -> str:
        """Upload the model to the Hugging Face hub, in one commit, so that `from_pretrained` finds it there.

        A repository that has no `README.md` gets a model card with the metadata that the hub shows.

        Args:
            repository: Id of the repository, "owner/name"; it is created if needed.
            private: Whether a new repository is private; None for the owner's default.
            revision: Branch to upload to, created if needed; None for the main branch.
            commit_message: First line of the commit's message.
            token: Access token; None for that of `hf auth login` or HF_TOKEN.
            create_pr: Open a pull request in place of a commit to the branch.
            license: License for the card, such as "mit".
            tags: More tags for the card.

        Returns:
            Address of the commit.

        Raises:
            PenpalError: `repository` is not an id, or the hub refuses or cannot be reached.
        """
        return push(
            repository,
            self.save_pretrained,
            lambda: model_card(repository, self.config, license=license, tags=tags),
            private=private,
            revision=revision,
            message=commit_message,
            token=token,
            create_pr=create_pr,
        )
