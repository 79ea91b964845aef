"""Adapters to a chain: JSON-RPC, the contract's codec, signers, the embedded chain."""
