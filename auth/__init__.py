"""Who asks and what they may see: sessions, tokens, factors, roles, row scopes, audit."""
