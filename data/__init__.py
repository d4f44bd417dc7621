"""Values, sources of text, and what can be measured on a pair; imports nothing of ours."""
