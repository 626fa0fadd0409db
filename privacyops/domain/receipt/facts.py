"""What every form of a receipt is made from: one event, what was published about it, and who answers for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from privacyops.domain.consent.event import ConsentEvent
from privacyops.domain.controller import ControllerProfile
from privacyops.domain.notice import NoticeRef
from privacyops.domain.purpose import LegalBasis, PurposeVersion, Regime
from privacyops.kernel.clock import Instant

EEA: Final = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IS",
        "IT",
        "LI",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "NO",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """`purposes` are those the event covers, in the version that was shown, each with its basis.

    `commitments` are the leaf's keyed hashes: whoever holds the person's key can tie them to the person, nobody
    else. `notice` is the text that was shown, or, where the event names none, the newest that names the purpose.
    """

    event: ConsentEvent
    commitments: Mapping[str, str]
    purposes: Sequence[tuple[PurposeVersion, LegalBasis]]
    controller: ControllerProfile
    brand: str
    jurisdiction: str
    notice: NoticeRef | None = None
    made_at: Instant | None = None

    @property
    def language(self) -> str:
        """Of the text that was shown; else the first that the controller speaks."""
        return self.notice.locale if self.notice is not None else self.controller.languages[0]

    @property
    def is_european(self) -> bool:
        """Whether the profile of the GDPR applies: to the place of the person, or that of the controller."""
        return bool({self.jurisdiction.partition("-")[0], self.controller.country} & EEA)

    @property
    def is_implied(self) -> bool:
        """Whether the person said nothing: the processing rests on their silence or on another basis."""
        return self.event.regime in (Regime.OPT_OUT, Regime.NONE) and not self.event.is_stop

    @property
    def notice_url(self) -> str | None:
        """Where the text stays readable."""
        if self.notice is None:
            return None
        return f"{self.controller.base_url}/notices/{self.notice.id}/{self.notice.version}/{self.notice.locale}"

    @property
    def withdrawal_url(self) -> str:
        """Where the choice is changed, as easily as it was made."""
        return f"{self.controller.base_url}/privacy/preferences"

    def title(self, purpose: PurposeVersion, language: str | None = None) -> str:
        """The purpose's title in a language that it has."""
        wanted = (language or self.language).partition("-")[0]
        return purpose.titles.get(wanted) or purpose.titles.get("en") or next(iter(purpose.titles.values()))
