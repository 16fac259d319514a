"""Leaves that know no domain: settings, errors, clock, translation, sealing, logging."""
