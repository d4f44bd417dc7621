"""Alembic's scripts for the server's database; they travel with the package."""
