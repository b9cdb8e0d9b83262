"""YAML with the line of every key, so that a problem can name its place."""

from typing import Any

import yaml

Path = tuple[str | int, ...]
Lines = dict[Path, int]

MAXIMUM_SIZE = 1_000_000
"""Characters; a configuration is some hundred lines."""


class Broken(Exception):
    """The text is no usable YAML; `line` counts from 1."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        super().__init__(what)


def parse(text: str) -> tuple[Any, Lines]:
    """The values of a YAML document and the line of each of them. Raises Broken.

    Aliases are refused: they have no use here, and nested ones can fill the memory.
    """
    if len(text) > MAXIMUM_SIZE:
        raise Broken(1, "the file is larger than any configuration")
    text = text.removeprefix("\ufeff")
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                mark = event.start_mark
                raise Broken(mark.line + 1 if mark else 1, "aliases (*name) are not supported")
        node = loader.get_single_node()
        lines: Lines = {}
        return (None if node is None else _value(loader, node, (), lines)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Broken(mark.line + 1 if mark else 1, error.problem or "not valid YAML") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Broken(
            line, f"a character that YAML does not allow (#x{error.character:04x})"
        ) from None
    except RecursionError:
        raise Broken(1, "nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()


def _value(loader: yaml.SafeLoader, node: yaml.Node, path: Path, lines: Lines) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(loader, key_node)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise Broken(line, f"the key {key!r} is not text: write it in quotes")
            if key in values:
                raise Broken(line, f"the key {key!r} stands here twice")
            lines[(*path, key)] = line
            values[key] = _value(loader, value_node, (*path, key), lines)
        return values
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, i), lines) for i, item in enumerate(node.value)]
    return _scalar(loader, node)


def _scalar(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    try:
        return loader.construct_object(node)
    except (ValueError, OverflowError):
        # What looks like a date or a number and is none, such as 2025-13-45.
        line = node.start_mark.line + 1
        raise Broken(line, "a date or number that is none: write the value in quotes") from None
