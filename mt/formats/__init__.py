"""One file per document format: a stream of text in, a stream of chunks out."""
