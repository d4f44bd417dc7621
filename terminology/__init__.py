"""The termbase: loaded, matched, enforced and proven."""
