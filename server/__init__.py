"""How it runs: ASGI application, command line, health; the only reader of the environment."""
