"""The clinical safety checks, one file a subject; `data.clinical` is the way in."""
