"""The order of things: Prefect flows and the `medloop` command."""
