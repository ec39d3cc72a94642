"""What the deploys about secrets are told by `--data`."""

from __future__ import annotations

secrets: str = ""  # which: "all", or names as `make secrets-status` lists them, patterns, separated by commas
retire: bool = False  # end old values now that are held for those who may still use them
