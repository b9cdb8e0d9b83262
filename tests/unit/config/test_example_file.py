"""config/passport.example.yaml shows every setting, its real default, and a comment on each."""

from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from passport_lti.config import Config, lines, load

EXAMPLE = Path(__file__).parents[3] / "config" / "passport.example.yaml"
SAMPLES = {"coursera": "main", "platforms": "campus"}
"""The names under which the example shows one entry of each kind."""
ILLUSTRATED = {"platforms.campus.deployment_ids"}
"""Optional settings that the example fills in, since hardly anybody leaves them out."""

VALUES, LINES = lines.parse(EXAMPLE.read_text())


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (dict, Union, UnionType):
        return [model for part in get_args(annotation) for model in models_in(part)]
    return []


def settings(model: type[BaseModel], path: lines.Path = ()) -> dict[lines.Path, FieldInfo]:
    """Every single setting below a model, with the sample names in place of `*`."""
    found: dict[lines.Path, FieldInfo] = {}
    for name, field in model.model_fields.items():
        inner = models_in(field.annotation)
        here = (*path, name, *([SAMPLES[name]] if not path and name in SAMPLES else []))
        if inner:
            found |= settings(inner[0], here)
        else:
            found[here] = field
    return found


SETTINGS = settings(Config)


def shown(path: lines.Path) -> Any:
    value: Any = VALUES
    for key in path:
        value = value[key]
    return value


def comment(path: lines.Path) -> str:
    line = EXAMPLE.read_text().splitlines()[LINES[path] - 1]
    return line.partition(" #")[2].strip()


def leaves(value: Any, path: lines.Path = ()) -> set[lines.Path]:
    if not isinstance(value, dict):
        return {path}
    return {leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))}


def test_it_shows_every_setting_and_nothing_else() -> None:
    assert leaves(VALUES) == set(SETTINGS)
    assert len(SETTINGS) > 45


@pytest.mark.parametrize("path", SETTINGS, ids=".".join)  # type: ignore[arg-type]
def test_it_shows_the_default_and_says_what_it_means(path: lines.Path) -> None:
    field = SETTINGS[path]
    assert comment(path), "a comment on the same line"
    if field.is_required():
        assert "required" in comment(path)
    elif ".".join(map(str, path)) not in ILLUSTRATED:
        default = field.get_default(call_default_factory=True)
        value = shown(path)
        if isinstance(default, timedelta):
            units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
            value = timedelta(**{units[value[-1]]: int(value[:-1])})
        assert value == (list(default) if isinstance(default, tuple) else default)
        assert "required" not in comment(path)


def test_it_is_a_valid_configuration() -> None:
    environ = {
        "PASSPORT_LTI_SECRET_KEY": "x" * 32,
        "COURSERA_API_KEY": "key",
        "COURSERA_API_SECRET": "secret",
    }
    config = load(EXAMPLE, environ)
    assert set(config.platforms) == {"campus"}
    assert yaml.safe_load(EXAMPLE.read_text()) == VALUES
