"""A contract for import-linter: code on hosts imports only the standard library and the modules sent with it."""

from __future__ import annotations

import sys
from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class HostSide(Contract):
    """Modules below a package with one of these names may import only the standard library and each other.

    Modules below `packaged` may also import `packages`, and no other module may import them.
    """

    names = fields.ListField(subfield=fields.StringField())
    packaged = fields.StringField()
    packages = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Every import that is not available on a host, by file and line."""
        found = [
            detail
            for module in sorted(graph.modules)
            if self._on_host(module)
            for other in sorted(graph.find_modules_directly_imported_by(module))
            if not self._may(module, other)
            for detail in graph.get_import_details(importer=module, imported=other)
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each of them."""
        for detail in check.metadata["found"]:
            output.print_error(f"{detail['importer']}:{detail['line_number']}: {detail['line_contents']}")
        output.print("A host has Python's standard library and what is sent with this code: move what it needs there.")

    def _on_host(self, module: str) -> bool:
        names: Any = self.names
        return bool(set(module.split(".")[:-1]) & set(names))

    def _may(self, module: str, other: str) -> bool:
        """Whether a module on hosts may import another one."""
        packages: Any = self.packages
        packaged = f"{self.packaged}."
        if f"{module}.".startswith(packaged):
            return other.partition(".")[0] in {*sys.stdlib_module_names, *packages} or self._on_host(other)
        return (other.partition(".")[0] in sys.stdlib_module_names or self._on_host(other)) and not (
            f"{other}.".startswith(packaged)
        )
