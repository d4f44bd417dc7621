"""Small translation models: made, converted, kept in versions, and run."""
