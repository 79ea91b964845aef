"""The SQL copy of the log: a cache that rebuilds from the chain alone."""
