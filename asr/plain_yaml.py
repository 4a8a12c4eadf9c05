"""Read YAML from outside: plain values only, in time and memory proportional to the length of the text.

Tags, aliases and interpolation are not supported. A few lines of aliases can expand to more values than memory holds.
"""

from __future__ import annotations

import yaml

_DEEPEST = 50  # levels
_LONGEST_NUMBER = 400  # digits; longer numbers take long to convert, above all sexagesimal ones like 1:59:59


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """A YAML loader that refuses aliases, deep nesting and long numbers."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node; raise a YAMLError for an alias or for a node that is nested too deeply."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it uses an alias (*name); write the value out")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {_DEEPEST} levels deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_scalar(self, node: yaml.Node) -> object:
        """Return the text of a scalar; raise a YAMLError for a number with too many digits."""
        value = super().construct_scalar(node)
        if node.tag.endswith((":int", ":float")) and len(value) > _LONGEST_NUMBER:
            raise yaml.YAMLError(f"it holds a number of {len(value)} digits; expected at most {_LONGEST_NUMBER}")
        return value


def load_plain_yaml(text: str) -> object:
    """Read one YAML document as plain values.

    Args:
        text: the document; the caller limits its length.

    Returns:
        None, a string, number, bool or date, or lists and dictionaries of these.

    Raises:
        ValueError: the text is not plain YAML; the message gives the reason in one line.

    >>> load_plain_yaml("{width: 8, words: [a, b]}")
    {'width': 8, 'words': ['a', 'b']}
    """
    try:
        return yaml.load(text, _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from error
