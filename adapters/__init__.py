"""The outside world behind small protocols: imports of staff, changes among workers."""
