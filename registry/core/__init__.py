"""The registry's rules as pure functions over values. Nothing here reads or writes."""
