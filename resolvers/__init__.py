"""Every operation: (viewer, *, values) -> rows, or a queryset that nothing has run yet."""
