"""What the cabinet costs beside its peers, measured on one machine in one run."""
