"""Read YAML from outside: plain values only, in time and memory that grow with the text.

No tags, no anchors and aliases (a few lines of them can stand for more values than fit into memory), no interpolation.
"""

from __future__ import annotations

import yaml

_DEEPEST = 50  # levels


_LONGEST_NUMBER = 400  # digits; more take long to read, above all numbers like 1:59:59


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Refuses what a few bytes can blow up."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node, counting how deep it stands."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it uses an alias (*name); write the value out")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {_DEEPEST} levels deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_scalar(self, node: yaml.Node) -> object:
        """Take the text of a scalar, and of a number only where it is not too long."""
        value = super().construct_scalar(node)
        if node.tag.endswith((":int", ":float")) and len(value) > _LONGEST_NUMBER:
            raise yaml.YAMLError(f"it holds a number of {len(value)} digits; expected at most {_LONGEST_NUMBER}")
        return value


def load_plain_yaml(text: str) -> object:
    """Read one YAML document as plain values.

    Args:
        text: of bounded length.

    Returns:
        None, a word, a number, a bool, a date, or lists and dictionaries of these.

    Raises:
        ValueError: the text is no plain YAML; the message says why in one line.
    """
    try:
        return yaml.load(text, _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from error
