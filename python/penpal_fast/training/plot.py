"""The log of a training as a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = (
    "auc_real_corrupted",
    "auc_real_clean",
    "auc_short_corrupted",
    "auc_short_clean",
    "auc_clean_corrupted",
)


def plot_log(log: Path, picture: Path) -> None:
    """Draw the loss and the areas under the ROC curves, over the steps, into a PNG file.

    Raises:
        PenpalError: Altair or vl-convert is not installed.
    """
    try:
        import altair
        import vl_convert  # noqa: F401  Altair writes PNG files with it
    except ImportError as error:
        raise PenpalError("drawing the log takes Altair: pip install 'penpal-fast[train]'") from error
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    losses = [{"step": entry["step"], "loss": entry["loss"]} for entry in entries]
    areas = [
        {"step": entry["step"], "AUC": entry[name], "lines": name.removeprefix("auc_").replace("_", " / ")}
        for entry in entries
        for name in MEASURED
    ]
    left = altair.Chart(altair.Data(values=losses)).mark_line()
    left = left.encode(x="step:Q", y=altair.Y("loss:Q", scale=altair.Scale(zero=False)))
    right = altair.Chart(altair.Data(values=areas)).mark_line()
    right = right.encode(x="step:Q", y=altair.Y("AUC:Q", scale=altair.Scale(zero=False)), color="lines:N")
    with replaced_atomically(picture) as aside:
        (left | right).save(str(aside), format="png", scale_factor=2)
