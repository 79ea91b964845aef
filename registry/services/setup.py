"""Making a registry: the home folder, the development key, the contract.

Each step is left alone where it was done before, so a second run after a kill goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.chain.addresses import checksummed
from registry.chain.client import Client
from registry.chain.rpc import Transport
from registry.chain.sender import Sender
from registry.chain.signers import CheckedSigner, Signer
from registry.config import Deployment, Settings, note_deployment, read_deployment
from registry.core.chain_id import caip2
from registry.core.outbox import Patience
from registry.core.units import Address
from registry.errors import InputError, LocalFailure, Rejected
from registry.services.keys import AskPassword, development_signer, signer_of
from registry.services.outbox import Outbox
from registry.services.outbox_rounds import Rounds
from registry.services.relaying import Relay
from registry.services.workspace import Workspace

ADMIN_DELAY_SECONDS = 2 * 86_400
"""How long a transfer of the administrator's role waits before it can be accepted."""


@dataclass(frozen=True, slots=True)
class Initialised:
    """What `init` found or made."""

    deployment: Deployment
    account: Address
    created: bool


def initialise(settings: Settings) -> Initialised:
    """A home folder with a development key, and the contract on the embedded chain."""
    from registry.chain.embedded import EmbeddedChain

    if settings.rpc_url is not None:
        raise InputError(
            "polreg init makes a registry on the embedded chain, and POLREG_RPC_URL is set",
            hint="run polreg deploy for the network of POLREG_RPC_URL, or unset it",
        )
    try:
        settings.development_keystore.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.embedded_chain.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalFailure(
            f"{settings.home} can not be made: {error.strerror}", hint="set POLREG_HOME"
        ) from None
    signer = CheckedSigner(development_signer(settings))
    noted = read_deployment(settings)
    if noted is not None and settings.embedded_chain.exists():
        return Initialised(noted, signer.address, created=False)
    # A store that is there already keeps what it has; one that a kill left empty is completed.
    chain = EmbeddedChain.open(settings.embedded_chain, create=True, fund=[signer.address])
    try:
        deployment = deploy(chain, signer, settings)
    finally:
        chain.close()
    return Initialised(deployment, signer.address, created=True)


def deploy(transport: Transport, signer: Signer, settings: Settings) -> Deployment:
    """Put the contract on the chain with the signer's account as administrator, and note it."""
    sender = Sender(transport, signer, most_fee=settings.max_fee)
    receipt = sender.deploy(signer.address, ADMIN_DELAY_SECONDS)
    if receipt.contract is None:
        raise Rejected("the node reports a deployment without a contract")
    Client(transport, receipt.contract).require_contract()
    chain_id = int(transport.request("eth_chainId"), 16)
    deployment = Deployment(chain_id, checksummed(receipt.contract), receipt.block)
    note_deployment(settings, deployment)
    return deployment


def development_outbox(workspace: Workspace) -> Outbox:
    """The outbox of the home folder's own key, whatever the environment says."""
    return _outbox(workspace, CheckedSigner(development_signer(workspace.settings)))


def _outbox(workspace: Workspace, signer: Signer, **options: Any) -> Outbox:
    rounds = Rounds(
        workspace.engine,
        workspace.client,
        signer.address,
        signer,
        catch_up=workspace.sync,
        patience=Patience(workspace.settings.stuck_after, workspace.settings.max_fee),
        **options,
    )
    return Outbox(rounds)


def serve_chain(workspace: Workspace, port: int) -> None:
    """Serve the embedded chain as JSON-RPC on loopback until interrupted."""
    from registry.chain.rpc_server import serve

    if workspace.settings.rpc_url is not None:
        raise InputError("POLREG_RPC_URL is set: that network has its own node")
    serve(workspace.transport, port=port)


def outbox_for(workspace: Workspace, ask_password: AskPassword, **options: Any) -> Outbox:
    """The outbox of the account that acts, for the workspace's own contract; raises InputError
    where the node is on another chain or has no such contract, before anything is sent or
    paid for. `options` are those of Rounds."""
    _require_contract(workspace)
    return _outbox(workspace, signer_of(workspace.settings, ask_password), **options)


def relay_for(workspace: Workspace, signer: Signer, **options: Any) -> Relay:
    """What relays signed acts to the workspace's own contract, paid by the signer's account;
    raises InputError as `outbox_for` does. `options` are those of Relay."""
    _require_contract(workspace)
    return Relay(
        workspace.engine,
        workspace.client,
        signer,
        chain_id=workspace.deployment.chain_id,
        catch_up=workspace.sync,
        patience=Patience(workspace.settings.stuck_after, workspace.settings.max_fee),
        **options,
    )


def _require_contract(workspace: Workspace) -> None:
    chain_id = workspace.client.chain_id()
    if chain_id != workspace.deployment.chain_id:
        raise InputError(
            f"the node is on chain {caip2(chain_id)}, the registry on "
            f"{caip2(workspace.deployment.chain_id)}",
            hint="check POLREG_RPC_URL",
        )
    workspace.client.require_contract()
