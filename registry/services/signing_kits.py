"""Making the kit that a machine without a network signs with."""

from __future__ import annotations

import time
from collections.abc import Sequence

from registry.chain.addresses import parse_address
from registry.config import Deployment
from registry.core.authority import check_code
from registry.core.joint import named_issuers
from registry.core.lifecycle import Status
from registry.core.manifest import parse
from registry.core.policy import PolicyKey
from registry.core.signing_kit import KnownPolicy, SigningKit
from registry.core.units import Digest, UnixSeconds
from registry.errors import InputError, NotFound
from registry.mirror.engine import Engine, reading
from registry.mirror.queries import has_authority, policies_of
from registry.mirror.registrations import title_of


def make_kit(engine: Engine, deployment: Deployment, authorities: Sequence[str]) -> SigningKit:
    """All policies of these authorities, as the mirror has them. Raises NotFound for an
    authority that is not open."""
    codes = tuple(dict.fromkeys(check_code(code) for code in authorities))
    known: dict[bytes, KnownPolicy] = {}
    with reading(engine) as connection:
        for code in codes:
            if not has_authority(connection, code):
                raise NotFound(
                    f"the authority {code} is not open in this registry",
                    hint="see polreg authority list",
                )
            for row in policies_of(connection, code):
                key = PolicyKey(row.authority, Digest(row.number_hash))
                known[key.policy_id] = KnownPolicy(
                    key,
                    Status(row.status),
                    row.sequence,
                    title_of(row),
                    row.type,
                    row.jurisdiction,
                    _issued_with(row.content, key),
                )
    return SigningKit(
        deployment.chain_id,
        parse_address(deployment.contract),
        UnixSeconds(int(time.time())),
        codes,
        known,
    )


def _issued_with(content: bytes | None, key: PolicyKey) -> tuple[str, ...]:
    """The co-issuers that the manifest names, if it is one of this policy."""
    try:
        manifest = None if content is None else parse(content)
    except InputError:
        return ()
    own = manifest is not None and (
        manifest.fields["authority"] == key.authority and manifest.number_hash == key.number_hash
    )
    return tuple(named_issuers(manifest.fields)) if own and manifest is not None else ()
