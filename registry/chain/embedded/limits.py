"""The embedded chain's fixed numbers. A change of any is a new store format."""

from __future__ import annotations

from typing import Final

CHAIN_ID: Final = 131277322940537  # eth-tester's
BLOCK_GAS_LIMIT: Final = 60_000_000
TRANSACTION_GAS_LIMIT: Final = 16_777_216  # EIP-7825
GENESIS_BALANCE_WEI: Final = 10**9 * 10**18
PRIORITY_FEE_WEI: Final = 10**9  # what eth_maxPriorityFeePerGas proposes
