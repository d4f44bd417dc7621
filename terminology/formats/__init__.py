"""One module per file format of a termbase: each reads a file into `TermRow` values, some write one."""
