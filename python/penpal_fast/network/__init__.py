"""The quality network in MLX and everything about its files."""

from penpal_fast.network.config import ModelConfig
from penpal_fast.network.model import BasicBlock, QualityClassifier

__all__ = ["BasicBlock", "ModelConfig", "QualityClassifier"]
