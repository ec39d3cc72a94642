"""First schemas: for a service whose code ships no migration, the SQL file that makes the tables of its database."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from roles.catalogue.entry import Entry

if TYPE_CHECKING:
    from roles.catalogue.kind import Filled, Text

FOLDER = "schema"  # below the catalogue's own


class Schema(Entry):
    """One file that only creates: its text and the tables in it, in their order."""

    file: Text
    text: Text
    tables: Filled[Text]

    @property
    def sha256(self) -> str:
        """Hex digest by which a later version of the file is told from the one that was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Schemas(Entry):
    """All files that services name, by their names."""

    files: dict[str, Schema]
