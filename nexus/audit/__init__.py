"""The audit record: who changed what, where and when, even in runs that died. It is appended to, never rewritten."""
