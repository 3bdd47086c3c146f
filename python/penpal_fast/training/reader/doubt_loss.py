"""What teaches a reader to doubt corrupted lines and wrong texts."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

MIN_DOUBT = 0.01
"""Added to a doubt before its logarithm is taken; most good lines have about as much."""

SLOPE = 1.5
THRESHOLD = -1.2
"""Where the map from doubts to log-odds begins: the logarithm of the doubt at which a line is as likely good as not."""

SLOPES = (0.3, 4.0)


class DoubtLoss(nn.Module):
    """The cross-entropy of telling bad rows from good ones by two doubts per letter: the loss of the text, and that of
    the likeliest way. The map from each doubt to log-odds is learned with the network.
    """

    def __init__(self) -> None:
        """Start with the same map for both doubts."""
        super().__init__()
        self.slope = nn.Parameter(torch.full((2, 1), SLOPE))
        self.threshold = nn.Parameter(torch.full((2, 1), THRESHOLD))

    def forward(
        self, text_losses: torch.Tensor, path_losses: torch.Tensor, bad: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """Return the loss of a batch, a number.

        Args:
            text_losses: Loss of each row's text, divided by its letters, [rows].
            path_losses: Loss of each row's likeliest way, divided by the letters of its text, [rows].
            bad: 1 where the text's doubt is to be large, then where that of the ink is, else 0, [2, rows].
            weights: How much each row counts, [rows].
        """
        doubts = torch.log(torch.stack([text_losses, path_losses]) + MIN_DOUBT)
        log_odds = self.slope.clamp(*SLOPES) * (doubts - self.threshold)
        losses = functional.binary_cross_entropy_with_logits(log_odds, bad, reduction="none")
        return (losses * weights).sum() / weights.sum().clamp(min=1)
