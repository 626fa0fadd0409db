"""Fills the demo's consent ledger: a notice with the draft of its next version, a form, a system, and people who chose.

Choices carry the day on which they were made; the ledger records them when the demo is filled, as an import would.
"""

from datetime import timedelta
from typing import Final

from privacyops.demo.shop.build import DemoPerson, DemoShop
from privacyops.domain.account.action import Scope as KeyScope
from privacyops.domain.account.actor import api_key
from privacyops.domain.consent.collection import PointKind, PointTerms
from privacyops.domain.consent.state import Method
from privacyops.domain.consent.suppression import SuppressionReason
from privacyops.domain.notice import NoticeVersion, Part
from privacyops.domain.subject import IdentifierType, SubjectIdentifier
from privacyops.domain.webhook.subscriber import Scheme
from privacyops.kernel.ids import ApiKeyId
from privacyops.services import drafting, objection, purpose
from privacyops.services.consent import collecting, suppressing, writing
from privacyops.services.consent.subjects import Whom
from privacyops.services.consent.suppressing import Reach
from privacyops.services.consent.terms import Choice, ChoiceAnswer, Circumstances, Scope
from privacyops.services.context import Context
from privacyops.services.idempotency import Call
from privacyops.services.webhook import subscribing

SHOP: Final = "https://shop.halmwicke.example"
BRAND: Final = "shop"
_ENGLISH: Final = {
    Part.PURPOSES: "News and offers by e-mail and text message, and recommendations from what you bought.",
    Part.CONTROLLER: "Halm & Wicke, Lindenstr. 4, 10969 Berlin. Our officer: privacy@halmwicke.example.",
    Part.DATA: "Your e-mail address, your mobile number if you gave it, and what you ordered.",
    Part.COLLECTION: "You type it in at the checkout or at the foot of a page.",
    Part.TIME_AND_PLACE: "When you order, or when you sign up.",
    Part.USE: "We send at most two letters a month and choose what is in them by your last orders.",
    Part.STORAGE: "On our servers in Germany, under German law.",
    Part.TRANSFER: "The company that sends our mail, in Germany. Nobody outside the EU.",
    Part.RETENTION: "Until you withdraw, at most two years after your last yes.",
    Part.RIGHTS_AND_WITHDRAWAL: "Withdraw by the link in every letter or in the preference centre, without a reason. "
    "You may see, correct and erase what we hold.",
    Part.COMPLAINT: "To us, or to the data protection authority in Berlin.",
    Part.CHOICES: "In the preference centre, at any time.",
    Part.BASIS: "Your consent, Art. 6(1)(a) GDPR.",
    Part.RISKS: "Who reads your mailbox learns that you shop here.",
}
_GERMAN: Final = {
    Part.PURPOSES: "Neuigkeiten und Angebote per E-Mail und SMS, und Empfehlungen nach dem, was Sie gekauft haben.",
    Part.CONTROLLER: "Halm & Wicke, Lindenstr. 4, 10969 Berlin. Datenschutz: privacy@halmwicke.example.",
    Part.DATA: "Ihre E-Mail-Adresse, Ihre Mobilnummer, falls angegeben, und Ihre Bestellungen.",
    Part.COLLECTION: "Sie tragen sie an der Kasse oder am Fuß einer Seite ein.",
    Part.TIME_AND_PLACE: "Wenn Sie bestellen oder sich anmelden.",
    Part.USE: "Wir senden höchstens zwei Briefe im Monat und wählen ihren Inhalt nach Ihren letzten Bestellungen.",
    Part.STORAGE: "Auf unseren Servern in Deutschland, nach deutschem Recht.",
    Part.TRANSFER: "Das Unternehmen, das unsere Post versendet, in Deutschland. Niemand außerhalb der EU.",
    Part.RETENTION: "Bis Sie widerrufen, höchstens zwei Jahre nach Ihrem letzten Ja.",
    Part.RIGHTS_AND_WITHDRAWAL: "Widerruf über den Link in jedem Brief oder in den Einstellungen, ohne Grund. Sie "
    "können einsehen, berichtigen und löschen lassen, was wir haben.",
    Part.COMPLAINT: "Bei uns oder bei der Berliner Datenschutzaufsicht.",
    Part.CHOICES: "In den Einstellungen, jederzeit.",
    Part.BASIS: "Ihre Einwilligung, Art. 6 Abs. 1 lit. a DSGVO.",
    Part.RISKS: "Wer Ihr Postfach liest, erfährt, dass Sie hier einkaufen.",
}
NOTICE: Final = NoticeVersion(
    "newsletter", 1, {"en": _ENGLISH, "de": _GERMAN}, ("newsletter", "profiling"), material_reason="first text"
)


def fill_consent(ctx: Context, ada: Context, shop: DemoShop, key: ApiKeyId) -> int:
    """Write it all; how many people chose. `ctx` acts as the machine, `ada` as the officer and administrator."""
    purpose.publish_notice(ctx, NOTICE)
    _draft(ada)
    terms = PointTerms(PointKind.CHECKOUT, BRAND, (SHOP,), ("newsletter", "profiling"), NOTICE.id, NOTICE.version)
    collecting.register(ada, "checkout", terms, Call.of("demo-point", b"checkout"))
    subscribing.subscribe(ada, "crm", None, ["consent.*", "stop.all", "objection.*"], Scheme.V1)
    back_end = ctx.acting_as(
        api_key(key, ctx.controller.key, KeyScope.CONSENT_WRITE, KeyScope.CONSENT_BACKDATE, KeyScope.CONSENT_READ)
    )
    return _people(back_end, shop)


def _draft(ada: Context) -> None:
    """The next version names another recipient; one German part is still to be written."""
    body = NOTICE.to_json()
    texts = {
        "en": body["texts"]["en"] | {"transfer": "The company that sends our mail, and one that measures its success."},
        "de": {part: text for part, text in body["texts"]["de"].items() if part != "transfer"},
    }
    drafting.draft_notice(ada, body | {"texts": texts})


def _people(back_end: Context, shop: DemoShop) -> int:
    grant, refuse = ChoiceAnswer.GRANT, ChoiceAnswer.REFUSE
    by_mail, by_text = ("newsletter", "email"), ("newsletter", "sms")
    walks = {
        "bastian": ((200, grant, by_mail), (20, refuse, by_mail)),
        "maeve": ((120, grant, by_mail), (120, refuse, by_text)),
        "cormac": ((90, grant, by_mail),),
        "luc": ((75, grant, by_mail), (75, grant, by_text)),
        "klara": ((40, grant, by_mail), (12, refuse, ("profiling", "email"))),
        "femke": ((10, refuse, by_mail),),
    }
    for name, choices in walks.items():
        for days, answer, (about, channel) in choices:
            choice = Choice(about, channel, answer)
            writing.record_choices(back_end, _whom(back_end, shop.person(name)), [choice], _how(back_end, days))
    cormac, luc = _whom(back_end, shop.person("cormac")), _whom(back_end, shop.person("luc"))
    objection.object_to(back_end, cormac, None, Circumstances(Method.PHONE))
    writing.withdraw(back_end, luc, Scope(), Circumstances(Method.ONE_CLICK_POST))
    freja = SubjectIdentifier.of(IdentifierType.EMAIL, shop.person("freja").email)
    suppressing.suppress(back_end, freja, SuppressionReason.COMPLAINT, Reach())
    return len(walks)


def _whom(ctx: Context, person: DemoPerson) -> Whom:
    named = [(IdentifierType.EMAIL, person.email)]
    if person.customer_id is not None:
        named.append((IdentifierType.CUSTOMER_ID, str(person.customer_id)))
    return Whom.of(ctx, None, named)


def _how(ctx: Context, days: int) -> Circumstances:
    at = ctx.clock.now().replace(microsecond=0) - timedelta(days=days)
    return Circumstances(
        Method.CHECKOUT_CHECKBOX, brand=BRAND, occurred_at=at, notice=NOTICE.ref("de"),
        evidence={"url": f"{SHOP}/checkout", "variant": "b"},
    )  # fmt: skip
