"""An operation and a role, to an answer: parsing, limits, validation and the executor."""
