"""The nodes that are configured, as one transport with everything around it.

Each node is asked over kept connections, again where that may help; where that did not
help, the next one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from registry.chain.failover import FailoverTransport, Node
from registry.chain.http_post import Limits
from registry.chain.retries import WITH_OTHERS, Policy, Retrying
from registry.chain.rpc import HttpTransport

_PROBE_SECONDS = 5.0


def open_nodes(
    urls: Sequence[str], *, timeout_seconds: float = 30.0, policy: Policy | None = None
) -> FailoverTransport:
    """The nodes at these http(s) URLs, the preferred one first. Asks nothing yet.

    Raises InputError for what is no such URL.
    """
    limits = Limits(silence_seconds=timeout_seconds)
    quick = replace(limits, silence_seconds=min(timeout_seconds, _PROBE_SECONDS))
    policy = policy or (Policy() if len(urls) == 1 else WITH_OTHERS)
    nodes: list[Node] = []
    for place, url in enumerate(urls, 1):
        node = HttpTransport(url, limits=limits)
        # Two keys of one provider are two nodes.
        twin = any(each.shown == node.node for each in nodes)
        shown = f"{node.node} (no. {place})" if twin else node.node
        nodes.append(Node(shown, Retrying(node, policy), HttpTransport(url, limits=quick)))
    return FailoverTransport(nodes)
