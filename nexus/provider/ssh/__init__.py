"""Hosts that exist: their keys are pinned, and they are looked at, before a run changes anything there."""
