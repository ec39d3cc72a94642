"""YAML that this project writes: configuration of daemons, stacks, and files for other tools."""

import re
from typing import Any

import yaml

# Text that YAML 1.2 and Go's libraries read as a number or a truth value: PyYAML, which knows YAML 1.1, would write it
# without quotes. A hash such as 767425e25 is a number there.
OTHER_TYPE = re.compile(r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?0o[0-7]+|[yYnN])$")


class Plain(yaml.CSafeDumper):
    """Writes everything in full: anchors would confuse those who read it."""

    def ignore_aliases(self, data: Any) -> bool:
        """Whether a value that occurs again is written again: always."""
        return True


Plain.add_implicit_resolver("tag:yaml.org,2002:float", OTHER_TYPE, list("-+.0123456789yYnN"))


def plain(content: Any, width: int = 110) -> str:
    """Content as YAML in its own order."""
    return yaml.dump(content, Dumper=Plain, sort_keys=False, width=width)


def generated(content: Any) -> str:
    """The text of a daemon's configuration file."""
    return "# Generated.\n" + plain(content, width=1000)


def from_catalogue(text: str) -> str:
    """A rendered file with a first line that says what to change in its place."""
    return "# Generated from group_data/catalogue. Change the catalogue or the settings, and render again.\n" + text
