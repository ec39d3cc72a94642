"""The record of runs: who changed what, where and when, also by runs that died; appended to, never rewritten."""
