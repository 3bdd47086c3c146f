"""What the checks of networks share: a model that is loaded late, and the strokes that it sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from penpal_fast.first_points import without_first_points
from penpal_fast.schema import Table


class Identified(Protocol):
    """A model that says what its scores depend on."""

    @property
    def identity(self) -> dict[str, Any]:
        """Its fingerprint, the engine and the batch size."""


Model = TypeVar("Model", bound=Identified)


class ModelCheck(Generic[Model]):
    """A check whose model is made at first use, and again in each process that receives a copy."""

    model_kind: str
    """What the model is called in errors."""

    def __init__(self, make: Callable[[], Model], given: Model | None, *, column: str, drop_first_point: bool) -> None:
        """Take what makes the model, or the model, and how strokes are read.

        Args:
            make: Makes the model; it can be pickled.
            given: The model, if there is one already.
            column: Name of the strokes column.
            drop_first_point: Whether the model sees rows as `without_first_points` returns them.
        """
        self._make = make
        self._model = given
        self._is_given = given is not None
        self._column = column
        self._drop_first_point = drop_first_point

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the settings without the loaded model."""
        if self._is_given:
            kind = self.model_kind
            raise TypeError(f"a check that was given a {kind} cannot be pickled; give it the {kind}'s settings instead")
        return {**self.__dict__, "_model": None}

    @property
    def model(self) -> Model:
        """The model, made at first use."""
        if self._model is None:
            self._model = self._make()
        return self._model

    @property
    def identity(self) -> dict[str, Any]:
        """What the scores depend on: the model's fingerprint, the engine, the batch size, and whether lone first
        points are dropped."""
        return {**self.model.identity, **({"drop_first_point": True} if self._drop_first_point else {})}

    def strokes(self, rows: Table) -> Any:
        """Return the strokes of rows as the model is to see them."""
        strokes = rows.column(self._column)
        return without_first_points(strokes) if self._drop_first_point else strokes
