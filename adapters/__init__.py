"""The outside world behind small protocols: imports of staff, mail, SMS."""
