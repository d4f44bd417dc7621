"""How good a system is, where it could hurt someone, and whether it may be released."""
