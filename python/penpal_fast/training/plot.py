"""The log of a training as a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically

if TYPE_CHECKING:
    from pathlib import Path


def plot_log(log: Path, picture: Path) -> None:
    """Draw the loss and what was measured, over the steps, into a PNG file. Needs Matplotlib.

    Raises:
        PenpalError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PenpalError("drawing the log takes Matplotlib: pip install 'penpal-fast[train]'") from error
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    steps = [entry["step"] for entry in entries]
    figure = Figure(figsize=(9, 4), layout="constrained")
    loss, measured = figure.subplots(1, 2)
    loss.plot(steps, [entry["loss"] for entry in entries])
    loss.set(xlabel="step", ylabel="loss (BCE, mean since the last entry)")
    for name in (
        "auc_real_corrupted",
        "auc_real_clean",
        "auc_short_corrupted",
        "auc_short_clean",
        "auc_clean_corrupted",
    ):
        measured.plot(steps, [entry[name] for entry in entries], label=name.removeprefix("auc_").replace("_", " / "))
    measured.set(xlabel="step", ylabel="area under the ROC curve")
    measured.legend()
    with replaced_atomically(picture) as aside:
        figure.savefig(aside, format="png", dpi=120)
