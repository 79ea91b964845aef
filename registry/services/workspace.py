"""Everything one command or one server works with, opened from settings when first used.

Opening is lazy so that an offline check never loads a chain library nor asks a node.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Self

from registry.chain.addresses import checksummed, parse_address
from registry.chain.client import Client
from registry.chain.failover import FailoverTransport
from registry.chain.heads import Heads
from registry.chain.nodes import open_nodes
from registry.chain.rpc import Transport
from registry.config import (
    Deployment,
    Settings,
    known_deployments,
    note_deployment,
    read_deployment,
)
from registry.core.chain_id import EMBEDDED_CHAIN_ID, is_development
from registry.core.following import Report
from registry.core.units import BlockNumber
from registry.errors import Inconsistent, InputError, RegistryError, Unavailable
from registry.mirror.engine import (
    Engine,
    open_engine,
    open_reader,
    reading,
    sqlite_url,
    without_mapping,
)
from registry.mirror.position import read_position
from registry.networks import Network, network_of
from registry.services.following import Following
from registry.services.outbox_rounds import watch
from registry.services.sync import Progress, Synced, sync


class Workspace:
    """The chain, the contract and the mirror that `settings` name."""

    def __init__(self, settings: Settings, warn: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self._warn = warn

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        opened = vars(self)
        if "heads" in opened:
            self.heads.close()
        if "transport" in opened:
            self.transport.close()
        for name in ("engine", "replica", "_primary"):
            if name in opened:
                opened[name].dispose()

    @property
    def has_chain(self) -> bool:
        """Whether there is a node to ask: one that was named, or the embedded chain."""
        return self.settings.rpc_url is not None or self.settings.embedded_chain.exists()

    @property
    def noted(self) -> Deployment | None:
        """The contract that was noted for this network, without asking its node."""
        return read_deployment(self.settings)

    @cached_property
    def transport(self) -> Transport:
        if self.settings.rpc_url is not None:
            urls = self.settings.rpc_urls
            if not urls:
                raise InputError(
                    "POLREG_RPC_URL has no http(s) URL",
                    hint="a WebSocket announces blocks alone; name an http(s) URL beside it",
                )
            return open_nodes(urls, timeout_seconds=self.settings.rpc_timeout)
        from registry.chain.embedded import EmbeddedChain

        if not self.settings.embedded_chain.exists():
            raise InputError("there is no registry here yet", hint="run polreg init")
        chain = EmbeddedChain.open(self.settings.embedded_chain)
        if chain.lost is not None and self._warn is not None:
            count = len(chain.lost.transactions)
            self._warn(
                f"block {chain.lost.number} was not finished when the embedded chain was last "
                f"stopped, and is lost with its {count} transaction(s); run the command again"
            )
        return chain

    @cached_property
    def deployment(self) -> Deployment:
        """The contract: the one given by address, else the one noted for this network."""
        given = self.settings.contract
        if given is not None:
            return self._given(checksummed(parse_address(given, "contract in POLREG_CONTRACT")))
        noted = read_deployment(self.settings)
        if noted is not None:
            return noted
        if self.settings.rpc_url is None:
            raise InputError("there is no registry here yet", hint="run polreg init")
        elsewhere = self._known_on_this_chain()
        if elsewhere is not None:
            return elsewhere
        raise InputError(
            "no contract is known on the network of POLREG_RPC_URL",
            hint="run polreg deploy, or set POLREG_CONTRACT to its address",
        )

    def _known_on_this_chain(self) -> Deployment | None:
        """The one contract that was noted with other nodes of this chain: a node's URL changes
        with its key. A development chain's id says nothing of which chain it is."""
        known = {
            each for each in known_deployments(self.settings) if not is_development(each.chain_id)
        }
        if not known:
            return None
        chain_id = int(self.transport.request("eth_chainId"), 16)
        here = [each for each in known if each.chain_id == chain_id]
        if len({each.contract for each in here}) != 1:
            return None
        found = min(here, key=lambda each: each.first_block)
        Client(self.transport, parse_address(found.contract)).require_contract()
        note_deployment(self.settings, found)
        return found

    def _given(self, address: str) -> Deployment:
        noted = read_deployment(self.settings, address)
        if noted is not None:
            return noted
        chain_id = int(self.transport.request("eth_chainId"), 16)
        found = Deployment(chain_id, address, self.settings.first_block)
        Client(self.transport, parse_address(address)).require_contract()
        note_deployment(self.settings, found)
        return found

    @cached_property
    def client(self) -> Client:
        return Client(
            self.transport,
            parse_address(self.deployment.contract),
            self.network.confirmations,
            chain_id=self.deployment.chain_id,
            check_headers=self.network.check_headers,
        )

    @property
    def network(self) -> Network:
        """What was noted of this chain by whoever operates this machine."""
        return network_of(self.settings.home, self.deployment.chain_id)

    @property
    def poll_seconds(self) -> float:
        """How often this chain is looked at, as far as it is known without asking a node."""
        noted = self.noted
        known = Network() if noted is None else network_of(self.settings.home, noted.chain_id)
        return known.poll_seconds

    @cached_property
    def engine(self) -> Engine:
        """The mirror that is written. Raises InputError where there is only a replica."""
        if self.settings.reads_only:
            raise InputError(
                "POLREG_DATABASE_READ_URL alone is only read from",
                hint="set POLREG_DATABASE_URL to the primary as well",
            )
        url = self.settings.database_url
        if url is None:
            url = sqlite_url(self.settings.mirror_path(self.deployment))
        return open_engine(url)

    def write_much(self) -> None:
        """Keep the memory of this process small while it writes much: its mirror is not mapped."""
        without_mapping(self.engine)

    @property
    def opened_engine(self) -> Engine | None:
        """The mirror that is written, if it is open: for a thread that must not open it."""
        return vars(self).get("engine")

    @cached_property
    def replica(self) -> Engine:
        """The mirror to answer from: a replica, if one is named; else the one that is written.
        An answer from a replica names the block it stands at, and its lag."""
        if self.settings.database_read_url is None:
            return self.engine
        return open_reader(self.settings.database_read_url)

    @cached_property
    def reader(self) -> Engine:
        """The same for one command: a replica that has not yet what the primary has is passed
        over, so that a command sees what the one before it wrote. Where the primary can not
        be asked, the replica is said to be all there is."""
        if self.settings.database_read_url is None or self.settings.database_url is None:
            return self.replica
        try:
            behind = is_behind(self.replica, self._primary)
        except RegistryError as error:
            if self._warn is not None:
                self._warn(f"answered from the replica alone: {error}")
            return self.replica
        return self._primary if behind else self.replica

    @cached_property
    def _primary(self) -> Engine:
        """The primary, to read from it: whoever reads migrates nothing."""
        return open_reader(self.settings.database_url or "")

    @property
    def development(self) -> bool:
        """Whether the chain is one that nobody but its owner sees."""
        return is_development(self.deployment.chain_id)

    @property
    def embedded(self) -> bool:
        return self.deployment.chain_id == EMBEDDED_CHAIN_ID and self.settings.rpc_url is None

    def following(
        self, every_seconds: float, told: Callable[[Report], object] | None = None
    ) -> Following:
        """What follows the chain for this mirror, and polls every so many seconds, or sooner
        where new blocks are announced; `told` is called with every report. Asks nothing before
        it runs."""
        return Following(
            self._poll_and_watch,
            lambda: self.engine,
            every_seconds,
            distrust=self._distrust,
            wait=self.heads.wait,
            node=self._node,
            told=told,
        )

    @cached_property
    def heads(self) -> Heads:
        """What to wait on for a new block. Raises InputError."""
        return Heads(self.settings.heads_url)

    def _node(self) -> str | None:
        """The node in use, as it may be shown."""
        opened = vars(self).get("transport")
        return opened.node if isinstance(opened, FailoverTransport) else None

    def sync(self, progress: Progress | None = None) -> Synced:
        """Bring the mirror up to the chain's head. Where a node fails on the way or contradicts
        itself, another is asked as long as there is one."""
        while True:
            try:
                return self._poll(progress)
            except (Inconsistent, Unavailable) as error:
                if not self._distrust(str(error)):
                    raise

    def _poll(self, progress: Progress | None) -> Synced:
        first = BlockNumber(self.deployment.first_block)
        return sync(self.client, self.engine, first, progress)

    def _poll_and_watch(self, progress: Progress | None) -> Synced:
        """One poll of the follower, which also watches over what registrars sent from here: it
        holds no key, and sends again what is signed already."""
        done = self._poll(progress)
        watch(self.engine, self.client)
        return done

    def _distrust(self, reason: str) -> bool:
        """Ask another node from now on; whether there is one."""
        opened = vars(self).get("transport")
        return isinstance(opened, FailoverTransport) and opened.distrust(reason)


def is_behind(replica: Engine, primary: Engine) -> bool:
    """Whether the primary stands at a later block, or at another log."""
    places = []
    for engine in (primary, replica):
        with reading(engine) as connection:
            position = read_position(connection)
        places.append(None if position is None else (position.block, position.size, position.root))
    told, held = places
    return told is not None and (held is None or held[0] < told[0] or held[1:] != told[1:])
