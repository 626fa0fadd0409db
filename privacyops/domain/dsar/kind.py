"""What a person may ask for, and what each kind of request needs.

Words: *find* requests search the stores, *stop* requests take effect at once, *judge* requests are decided by a
person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class RequestClass(StrEnum):
    FIND = "find"
    STOP = "stop"
    JUDGE = "judge"


class RequestType(StrEnum):
    ACCESS = "access"
    KNOW_SPECIFIC = "know_specific"
    KNOW_CATEGORIES = "know_categories"
    PORTABILITY = "portability"
    THIRD_PARTY_LIST = "third_party_list"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    ADM_REVIEW = "adm_review"
    OBJECTION_DIRECT_MARKETING = "objection_direct_marketing"
    CONSENT_WITHDRAWAL = "consent_withdrawal"
    OPT_OUT_SALE_SHARE = "opt_out_sale_share"
    OPT_OUT_TARGETED_ADS = "opt_out_targeted_ads"
    OPT_OUT_PROFILING = "opt_out_profiling"
    LIMIT_SENSITIVE = "limit_sensitive"
    APPEAL = "appeal"
    GRIEVANCE = "grievance"


class Approval(StrEnum):
    """When a second person has to agree before the answer goes out."""

    NEVER = "never"
    IF_REFUSED = "if_refused"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What a request type asks of the workflow. `level` is the default rung of the identity ladder, 0 to 4."""

    kind: RequestClass
    level: int
    approval: Approval
    changes_stores: bool = False
    hands_over_data: bool = False


_FIND, _STOP, _JUDGE = RequestClass.FIND, RequestClass.STOP, RequestClass.JUDGE
TYPE_RULES: Final[Mapping[RequestType, TypeRule]] = {
    RequestType.ACCESS: TypeRule(_FIND, 2, Approval.IF_REFUSED, hands_over_data=True),
    RequestType.KNOW_SPECIFIC: TypeRule(_FIND, 3, Approval.IF_REFUSED, hands_over_data=True),
    RequestType.KNOW_CATEGORIES: TypeRule(_FIND, 2, Approval.NEVER, hands_over_data=True),
    RequestType.PORTABILITY: TypeRule(_FIND, 2, Approval.IF_REFUSED, hands_over_data=True),
    RequestType.THIRD_PARTY_LIST: TypeRule(_FIND, 2, Approval.NEVER),
    RequestType.RECTIFICATION: TypeRule(_FIND, 2, Approval.IF_REFUSED, changes_stores=True),
    RequestType.ERASURE: TypeRule(_FIND, 2, Approval.ALWAYS, changes_stores=True),
    RequestType.RESTRICTION: TypeRule(_FIND, 2, Approval.IF_REFUSED, changes_stores=True),
    RequestType.OBJECTION: TypeRule(_JUDGE, 1, Approval.ALWAYS),
    RequestType.ADM_REVIEW: TypeRule(_JUDGE, 2, Approval.ALWAYS),
    RequestType.OBJECTION_DIRECT_MARKETING: TypeRule(_STOP, 0, Approval.NEVER, changes_stores=True),
    RequestType.CONSENT_WITHDRAWAL: TypeRule(_STOP, 0, Approval.NEVER, changes_stores=True),
    RequestType.OPT_OUT_SALE_SHARE: TypeRule(_STOP, 0, Approval.NEVER, changes_stores=True),
    RequestType.OPT_OUT_TARGETED_ADS: TypeRule(_STOP, 0, Approval.NEVER, changes_stores=True),
    RequestType.OPT_OUT_PROFILING: TypeRule(_STOP, 0, Approval.NEVER, changes_stores=True),
    RequestType.LIMIT_SENSITIVE: TypeRule(_STOP, 0, Approval.NEVER, changes_stores=True),
    RequestType.APPEAL: TypeRule(_JUDGE, 0, Approval.ALWAYS),
    RequestType.GRIEVANCE: TypeRule(_JUDGE, 0, Approval.ALWAYS),
}


class Channel(StrEnum):
    """How the request reached the controller."""

    FORM = "form"
    WIDGET = "widget"
    SHOP_SESSION = "shop_session"
    PREFERENCES = "preferences"
    API = "api"
    PLATFORM = "platform"
    EMAIL = "email"
    LETTER = "letter"
    PHONE = "phone"
    CHAT = "chat"
    COUNTER = "counter"


class Outcome(StrEnum):
    """How a closed request ended: computed from findings and steps, never chosen."""

    FULFILLED = "fulfilled"
    FULFILLED_PARTIAL = "fulfilled_partial"
    REFUSED = "refused"
    NO_DATA_FOUND = "no_data_found"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    NOT_A_REQUEST = "not_a_request"
    NOT_IDENTIFIED = "not_identified"
    TRANSFERRED = "transferred"
