"""YAML that this project writes: configuration of daemons, stacks, and files for other tools."""

from typing import Any

import yaml


class Plain(yaml.CSafeDumper):
    """Writes everything in full: anchors would confuse those who read it."""

    def ignore_aliases(self, data: Any) -> bool:
        """Whether a value that occurs again is written again: always."""
        return True


def plain(content: Any, width: int = 110) -> str:
    """Content as YAML in its own order."""
    return yaml.dump(content, Dumper=Plain, sort_keys=False, width=width)


def generated(content: Any) -> str:
    """The text of a daemon's configuration file."""
    return "# Generated.\n" + plain(content, width=1000)


def from_catalogue(text: str) -> str:
    """A rendered file with a first line that says what to change in its place."""
    return "# Generated from group_data/catalogue. Change the catalogue or the settings, and render again.\n" + text
