"""From a file to a `Config`, or to every problem at once, each with file, line and key."""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from passport_lti.config import lines
from passport_lti.config.settings import Config
from passport_lti.errors import ConfigError

DEFAULT_PATH = "config/passport.yaml"
_REFERENCE = re.compile(r"\$(\$)?\{([^}]*)(\}?)")


def config_path(argument: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file to read: `--config`, else $PASSPORT_LTI_CONFIG, else config/passport.yaml."""
    return Path(argument or environ.get("PASSPORT_LTI_CONFIG") or DEFAULT_PATH)


def load(path: Path | str, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration file. Raises ConfigError with every problem in it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        hint = "start from config/passport.example.yaml" if not Path(path).exists() else ""
        why = error.strerror or "unreadable"
        raise ConfigError([f"{path}:1: file: {why}{', ' + hint if hint else ''}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}:1: file: not a UTF-8 text file"]) from None
    return check(text, str(path), environ)


def check(text: str, name: str, environ: Mapping[str, str]) -> Config:
    """As `load`, for a text that is already read; `name` stands in the messages."""
    try:
        values, where = lines.parse(text)
    except lines.Broken as error:
        raise ConfigError([f"{name}:{error.line}: file: {error}"]) from None
    if not isinstance(values, dict):
        what = "is empty" if values is None else "is not a list of settings"
        raise ConfigError([f"{name}:1: file: {what}, expected tool:, coursera:, platforms: ..."])
    problems: list[tuple[int, str]] = []

    def add(path: lines.Path, what: str) -> None:
        known = path
        while known not in where and known:
            known = known[:-1]
        problems.append((where.get(known, 1), f"{dotted(path)}: {what}"))

    values = _expanded(values, (), environ, add)
    unexpanded = {what.split(":", 1)[0] for _, what in problems}
    config = None
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=True):
            path, what = _explained(problem, values)
            if dotted(path) not in unexpanded:
                add(path, what)
    for path, what in (*_contradictions(values), *(_alike(config) if config else ())):
        if dotted(path) not in unexpanded:
            add(path, what)
    if problems or config is None:
        raise ConfigError([f"{name}:{line}: {what}" for line, what in sorted(set(problems))])
    return config


def dotted(path: lines.Path) -> str:
    """`platforms.campus.deployment_ids[0]` for a path of keys and positions."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".") or "file"


def _expanded(value: Any, path: lines.Path, environ: Mapping[str, str], add: Any) -> Any:
    """Strings with their `${...}` filled in; what can't be is reported and left out."""
    if isinstance(value, dict):
        return {k: _expanded(v, (*path, k), environ, add) for k, v in value.items()}
    if isinstance(value, list):
        return [_expanded(v, (*path, i), environ, add) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match[str]) -> str:
        escaped, name, closed = match.groups()
        if escaped:
            return "${" + name + closed
        if not closed:
            add(path, "a ${ is not closed, expected ${NAME}; $${ stands for ${")
            return ""
        if name.startswith("file:"):
            try:
                return Path(name[5:]).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError, ValueError):
                add(path, f"the file {name[5:]} can't be read, expected a readable text file")
                return ""
        name, dash, default = name.partition(":-")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            add(path, "expected ${NAME}, ${NAME:-default} or ${file:/path}")
            return ""
        if dash:
            return environ.get(name) or default
        if name not in environ:
            add(path, f"the environment variable {name} is not set")
        return environ.get(name, "")

    return _REFERENCE.sub(replacement, value)


def _explained(problem: Any, values: Any) -> tuple[lines.Path, str]:
    """A pydantic problem in one sentence that never shows the value itself."""
    path = tuple(part for part in problem["loc"] if part != "[key]")
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = sorted(_fields_at(path[:-1]))
        near = difflib.get_close_matches(str(path[-1]), known, 1)
        hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
        return path, f"unknown key, {hint}"
    if kind == "missing":
        return path, "is required"
    if kind == "value_error":
        text = str(context["error"])
        key, colon, rest = text.partition(": ")
        if colon and key in _fields_at(path):
            return (*path, key), rest
        return path, text
    if kind == "literal_error":
        return path, f"expected {context['expected']}"
    if kind in ("string_too_short", "too_short"):
        least = context["min_length"]
        if path[:1] in (("coursera",),) and len(path) == 1:
            return path, "expected at least one connection to Coursera"
        unit = "characters" if isinstance(problem["input"], str) else "entries"
        return path, "must not be empty" if least == 1 else f"expected {least} {unit} or more"
    if kind in ("string_too_long", "too_long"):
        unit = "characters" if isinstance(problem["input"], str) else "entries"
        return path, f"expected at most {context['max_length']} {unit}"
    if kind in ("greater_than_equal", "less_than_equal"):
        word = "at least" if kind == "greater_than_equal" else "at most"
        return path, f"expected {word} {context.get('ge', context.get('le'))}"
    if kind == "string_pattern_mismatch":
        return path, "a name has only lower-case letters, digits, - and _"
    expected = {
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "bool_type": "true or false",
        "string_type": "text",
        "tuple_type": "a list such as [a, b]",
        "dict_type": "a list of settings (name: value)",
        "model_type": "a list of settings (name: value)",
        "model_attributes_type": "a list of settings (name: value)",
    }.get(kind, str(problem["msg"]).lower())
    return path, f"expected {expected}"


def _fields_at(path: lines.Path) -> set[str]:
    """The names of the settings that may stand at a path."""
    shape: Any = Config
    for key in path:
        fields = getattr(shape, "model_fields", None)
        if fields is not None:
            if key not in fields:
                return set()
            shape = fields[key].annotation
            continue
        arguments = [a for a in get_args(shape) if hasattr(a, "model_fields")]
        shape = arguments[-1] if arguments else None
    if not hasattr(shape, "model_fields"):
        arguments = [a for a in get_args(shape) if hasattr(a, "model_fields")]
        shape = arguments[0] if len(arguments) == 1 and get_args(shape)[0] is not str else None
    is_settings = isinstance(shape, type) and issubclass(shape, BaseModel)
    return set(shape.model_fields) if is_settings else set()


def _contradictions(values: dict[str, Any]) -> list[tuple[lines.Path, str]]:
    """What each part allows and the whole does not; reads the raw values, broken ones too."""
    found: list[tuple[lines.Path, str]] = []
    seen: dict[tuple[str, str], str] = {}
    platforms, connections = values.get("platforms"), values.get("coursera")
    for name, platform in platforms.items() if isinstance(platforms, dict) else ():
        if not isinstance(platform, dict):
            continue
        wanted = platform.get("coursera")
        if isinstance(connections, dict) and isinstance(wanted, str) and wanted not in connections:
            names = ", ".join(sorted(connections))
            what = f"expected one of {names}" if names else "expected a connection under coursera:"
            found.append((("platforms", name, "coursera"), what))
        sso, partner = platform.get("sso"), _at(connections, wanted)
        if isinstance(sso, dict) and sso.get("mode") == "saml" and partner.get("saml") is None:
            what = f"saml needs to know Coursera as service provider: add coursera.{wanted}.saml"
            if partner:
                found.append((("platforms", name, "sso", "mode"), what))
        issuer, client_id = platform.get("issuer"), platform.get("client_id")
        if isinstance(issuer, str) and isinstance(client_id, str):
            first = seen.setdefault((issuer, client_id), name)
            if first != name:
                what = f"has the issuer and client_id of {first}, expected each pair only once"
                found.append((("platforms", name, "client_id"), what))
    return found


def _at(connections: Any, name: Any) -> dict[str, Any]:
    known = isinstance(connections, dict) and isinstance(name, str)
    found = connections.get(name) if known else None
    return found if isinstance(found, dict) else {}


def _alike(config: Config) -> list[tuple[lines.Path, str]]:
    """Organisations that Coursera could not tell apart: an assertion for one opened the other."""
    found: list[tuple[lines.Path, str]] = []
    seen: dict[str, str] = {}
    for name, connection in config.coursera.items():
        if connection.saml is None or connection.saml.own_entity_id:
            continue
        first = seen.setdefault(connection.saml.entity_id, name)
        if first != name:
            what = f"has the service provider of {first}, expected own_entity_id: true in one"
            found.append((("coursera", name, "saml", "entity_id"), what))
    return found
