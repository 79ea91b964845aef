"""eth_feeHistory, as EIP-1559 and geth define it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from registry.chain.embedded import params

if TYPE_CHECKING:
    from registry.chain.embedded.evm import EmbeddedRules, Header
    from registry.chain.embedded.reader import Reader

_MOST_BLOCKS = 1024


def fee_history(
    reader: Reader, rules: EmbeddedRules, blocks: int, newest: Header, percentiles: Any
) -> dict[str, Any]:
    """The last `blocks` blocks up to `newest`, oldest first; base fees have one more
    item, the block after the newest. `percentiles` (ascending, 0 to 100) ask for the
    tips paid, weighted by gas."""
    wanted = _percentiles(percentiles)
    span = min(blocks, _MOST_BLOCKS, newest.block_number + 1)
    if span == 0:
        return {"oldestBlock": "0x0", "gasUsedRatio": []}
    oldest = newest.block_number + 1 - span
    headers = [*_headers(reader, oldest, newest.block_number), newest]
    after = rules.child(newest, timestamp=newest.timestamp + 1)
    result: dict[str, Any] = {
        "oldestBlock": hex(headers[0].block_number),
        "baseFeePerGas": [hex(header.base_fee_per_gas) for header in [*headers, after]],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        "baseFeePerBlobGas": ["0x1"] * (span + 1),
        "blobGasUsedRatio": [0] * span,
    }
    if wanted is not None:
        result["reward"] = [_tips(reader, header, wanted) for header in headers]
    return result


def _headers(reader: Reader, first: int, before: int) -> Iterator[Header]:
    for number in range(first, before):
        header = reader.by_number(number)
        if header is not None:  # always: it is below a block that was found
            yield header


def _percentiles(raw: Any) -> list[float] | None:
    if raw is None:
        return None
    numbers = isinstance(raw, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in raw
    )
    if not numbers or sorted(raw) != raw or any(not 0 <= value <= 100 for value in raw):
        raise params.invalid("invalid reward percentile: ascending numbers from 0 to 100")
    return [float(value) for value in raw]


def _tips(reader: Reader, header: Header, percentiles: list[float]) -> list[str]:
    """For each percentile of the block's gas, the tip of the transaction that reaches it."""
    block = reader.block(header)
    paid: list[tuple[int, int]] = []
    gas_before = 0
    for index, receipt in enumerate(block.receipts):
        sent = reader.transaction(block, index)
        tip = min(sent.max_priority_fee_per_gas, sent.max_fee_per_gas - header.base_fee_per_gas)
        paid.append((tip, receipt.cumulative_gas - gas_before))
        gas_before = receipt.cumulative_gas
    if not paid:
        return ["0x0"] * len(percentiles)
    paid.sort()
    return [hex(_reaching(math.floor(gas_before * share / 100), paid)) for share in percentiles]


def _reaching(gas: int, paid: list[tuple[int, int]]) -> int:
    total = 0
    for tip, used in paid:
        total += used
        if total >= gas:
            return tip
    return paid[-1][0]
