"""The log of a training as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from penpal_fast.errors import PenpalError
from penpal_fast.files import replaced_atomically

MEASURED = (
    "auc_real_corrupted",
    "auc_real_clean",
    "auc_short_corrupted",
    "auc_short_clean",
    "auc_clean_corrupted",
)


def plot_log(log: Path, picture: Path) -> None:
    """Draw the loss and the areas under the ROC curves, over the steps of all stages, into a PNG file.

    Raises:
        PenpalError: Altair or vl-convert is not installed.
    """
    try:
        import altair
        import vl_convert  # noqa: F401  Altair writes PNG files with it
    except ImportError as error:
        raise PenpalError("drawing the log takes Altair: pip install 'penpal-fast[train]'") from error
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    steps = _steps_of_all_stages(entries)
    losses = [{"step": step, "loss": entry["loss"]} for step, entry in zip(steps, entries, strict=True)]
    areas = [
        {"step": step, "AUC": entry[name], "lines": name.removeprefix("auc_").replace("_", " / ")}
        for step, entry in zip(steps, entries, strict=True)
        for name in MEASURED
    ]
    left = altair.Chart(altair.Data(values=losses)).mark_line()
    left = left.encode(x="step:Q", y=altair.Y("loss:Q", scale=altair.Scale(zero=False)))
    right = altair.Chart(altair.Data(values=areas)).mark_line()
    right = right.encode(x="step:Q", y=altair.Y("AUC:Q", scale=altair.Scale(zero=False)), color="lines:N")
    with replaced_atomically(picture) as aside:
        (left | right).save(str(aside), format="png", scale_factor=2)


def _steps_of_all_stages(entries: list[dict[str, float]]) -> list[float]:
    steps, before, last = [], 0.0, {"stage": 1.0, "step": 0.0}
    for entry in entries:
        if entry["stage"] > last["stage"]:
            before += last["step"]
        steps.append(before + entry["step"])
        last = entry
    return steps
