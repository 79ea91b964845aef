"""What the API answers, as its documentation says it.

The answers themselves are made by registry.services.answers and sent as they are; a test
holds each of them against these models, so neither can change alone. Digests are lower-case
hexadecimal without 0x, as `sha256sum` prints them; block and transaction hashes carry 0x.
Dates are RFC 3339 full-dates of the issuing authority's calendar, moments RFC 3339 in UTC.
"""

from api.models.base import Answer, Block, Context, FromRegistry, Log, Mirror, Problem
from api.models.collections import Collection, CollectionsAnswer, Member, MembersAnswer
from api.models.documents import (
    DocumentAnswer,
    EvidenceOfCheck,
    FileVerdict,
    MemberOf,
    Registration,
    Verdict,
    VerifyAnswer,
)
from api.models.health import (
    Alive,
    FaultMet,
    FollowerFailure,
    FollowerReport,
    FollowerStatus,
    MirrorStatus,
    NodeError,
    NodeStatus,
    Ready,
    StatusAnswer,
    StatusTotals,
)
from api.models.joint import Issuer, MarkedAct
from api.models.log import (
    AuthoritiesAnswer,
    Authority,
    AuthorityAnswer,
    CheckpointAnswer,
    Compromise,
    Grant,
    RoleChange,
    SettledBlocks,
    StatsAnswer,
    Totals,
)
from api.models.policies import (
    Endorsement,
    HistoryAnswer,
    HistoryEntry,
    ManifestOfEntry,
    PoliciesAnswer,
    Policy,
    PolicyAnswer,
)
from api.models.submissions import Submission, SubmissionAnswer, SubmittedAct
from api.models.texts import Clause, TextAnswer, TextRecord

__all__ = [
    "Alive",
    "Answer",
    "AuthoritiesAnswer",
    "Authority",
    "AuthorityAnswer",
    "Block",
    "CheckpointAnswer",
    "Clause",
    "Collection",
    "CollectionsAnswer",
    "Compromise",
    "Context",
    "DocumentAnswer",
    "Endorsement",
    "EvidenceOfCheck",
    "FaultMet",
    "FileVerdict",
    "FollowerFailure",
    "FollowerReport",
    "FollowerStatus",
    "FromRegistry",
    "Grant",
    "HistoryAnswer",
    "HistoryEntry",
    "Issuer",
    "Log",
    "ManifestOfEntry",
    "MarkedAct",
    "Member",
    "MemberOf",
    "MembersAnswer",
    "Mirror",
    "MirrorStatus",
    "NodeError",
    "NodeStatus",
    "PoliciesAnswer",
    "Policy",
    "PolicyAnswer",
    "Problem",
    "Ready",
    "Registration",
    "RoleChange",
    "SettledBlocks",
    "StatsAnswer",
    "StatusAnswer",
    "StatusTotals",
    "Submission",
    "SubmissionAnswer",
    "SubmittedAct",
    "TextAnswer",
    "TextRecord",
    "Totals",
    "Verdict",
    "VerifyAnswer",
]
