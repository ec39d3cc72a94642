"""Configuration that daemons read as YAML."""

from typing import Any

import yaml


def generated(content: Any) -> str:
    """The text of a configuration file, in the order of its content; anchors would confuse those who read it."""
    return "# Generated.\n" + yaml.dump(content, Dumper=_Plain, sort_keys=False, width=1000)


class _Plain(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
