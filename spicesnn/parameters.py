"""The one base of all validated, frozen parameter objects."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spicesnn.errors import ParameterError


def parameter(
    default: Any = ...,
    *,
    unit: str,
    doc: str,
    source: str | None = None,
    **bounds: Any,
) -> Any:
    """Declare a parameter with its unit, meaning, source and bounds.

    Args:
        default: the default value; left out, the parameter must be given.
        unit: SI unit, `"1"` for pure numbers.
        doc: one line that says what it is.
        source: where the default comes from; left out, it is our choice.
        **bounds: Pydantic bounds such as `gt`, `ge`, `lt`, `le`.
    """
    source = source or ("given with the value" if default is ... else "our choice")
    return Field(
        default,
        description=f"{doc} [{unit}]",
        json_schema_extra={"unit": unit, "source": source},
        **bounds,
    )


class Parameters(BaseModel):
    """Frozen, validated parameters; an unknown name is answered with the nearest ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **values: Any) -> None:
        """Validate the values.

        Raises:
            ParameterError: a name is unknown or a value is out of bounds.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ParameterError(self._explain(error)) from None

    @classmethod
    def _explain(cls, error: ValidationError) -> str:
        lines = []
        for item in error.errors():
            name = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                near = get_close_matches(name, cls.model_fields, n=3, cutoff=0.4)
                hint = f"did you mean {' or '.join(near)}?" if near else "leave it out."
                lines.append(f"{cls.__name__} has no parameter {name!r}; {hint}")
                continue
            own = item.get("ctx", {}).get("error")
            if isinstance(own, ParameterError):
                # Of a check of the parameters together: it says itself what is where.
                lines.append(str(own))
                continue
            field = cls.model_fields.get(name)
            meaning = f" ({field.description})" if field and field.description else ""
            if item["type"] == "missing":
                # Pydantic's input is then everything else that was given.
                lines.append(f"{cls.__name__}.{name}{meaning} is missing: give it.")
            elif not name:
                # Of the whole object, whose input is everything that was given.
                lines.append(f"{cls.__name__}: {item['msg']}.")
            else:
                lines.append(
                    f"{cls.__name__}.{name}{meaning} = {item.get('input')!r}: {item['msg']}."
                )
        return "\n".join(lines)

    @property
    def identity(self) -> str:
        """Hash of class and values: the identity used by caches and golden decks."""
        text = f"{type(self).__name__}:{self.model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]
