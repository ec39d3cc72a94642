"""The inventory in a file, as this project reads it within one process."""

from pathlib import Path

from nexus import project
from nexus.environment import inventory


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """pyinfra keeps the code of a file by its path."""
    path, text = tmp_path / "lab.py", (project.root() / "inventory/lab.py").read_text()
    path.write_text(text.replace('"app3"', '"app9"'))
    assert "app9" in inventory.read(path).hosts
    path.write_text(text)
    assert {"app3", "app9"} & set(inventory.read(path).hosts) == {"app3"}
