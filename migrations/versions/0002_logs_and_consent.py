"""The logs, and consent in its first form

Revision: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "brand",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("jurisdiction", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_brand")),
        sa.UniqueConstraint("controller", "key", name=op.f("uq_brand_controller_key")),
    )
    op.create_table(
        "channel",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_channel")),
        sa.UniqueConstraint("controller", "key", name=op.f("uq_channel_controller_key")),
    )
    op.create_table(
        "client_event",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("point", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column(
            "answer",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "point", "key", name=op.f("pk_client_event")),
    )
    op.create_table(
        "consent_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    op.create_table(
        "control",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ver", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_control_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control")),
    )
    op.create_table(
        "ledger_checkpoint",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "log", "tree", "size", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_head",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("first_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("signed_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("controller", "log", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "ledger_key",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "public_key", name=op.f("pk_ledger_key")),
    )
    op.create_table(
        "ledger_leaf",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("log IN ('audit', 'consent')", name=op.f("ck_ledger_leaf_log")),
        sa.PrimaryKeyConstraint("controller", "log", "seq", name=op.f("pk_ledger_leaf")),
    )
    with op.batch_alter_table("ledger_leaf", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_leaf_entry", ["entry_id"], unique=True)

    op.create_table(
        "ledger_node",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column(
            "position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("controller", "log", "tree", "level", "position", name=op.f("pk_ledger_node")),
    )
    op.create_table(
        "ledger_tree",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("first_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "log", "name", name=op.f("pk_ledger_tree")),
    )
    op.create_table(
        "notice_version",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=63), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "body",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("is_material", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "id", "version", name=op.f("pk_notice_version")),
    )
    op.create_table(
        "purpose",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_purpose")),
        sa.UniqueConstraint("controller", "key", name=op.f("uq_purpose_controller_key")),
    )
    op.create_table(
        "purpose_version",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "body",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("is_material", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "key", "version", name=op.f("pk_purpose_version")),
    )
    op.create_table(
        "subject",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("jurisdiction", sa.String(length=8), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('known', 'anonymous')", name=op.f("ck_subject_kind")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_subject")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subject_public_id")),
    )
    op.create_table(
        "suppression",
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column(
            "purpose_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "brand_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("t", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("ref", "reason", "purpose_no", "brand_no", name=op.f("pk_suppression")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent_state",
        sa.Column(
            "subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "purpose_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "channel_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "brand_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("t", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("prior_state", sa.String(length=32), nullable=True),
        sa.Column("prior_t", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("valid_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("confirm_until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("notice_id", sa.String(length=63), nullable=True),
        sa.Column("notice_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("notice_locale", sa.String(length=35), nullable=True),
        sa.Column("notice_sha256", sa.String(length=64), nullable=True),
        sa.Column("purpose_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("regime", sa.String(length=8), nullable=True),
        sa.Column("jurisdiction", sa.String(length=8), nullable=True),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("strength", sa.String(length=12), nullable=True),
        sa.Column("grade", sa.String(length=1), nullable=True),
        sa.Column("basis", sa.String(length=24), nullable=True),
        sa.CheckConstraint(
            "basis IN ('consent', 'explicit_consent', 'contract', 'legal_obligation', 'vital_interests', 'public_task', 'legitimate_interests', 'soft_opt_in', 'strictly_necessary')",
            name=op.f("ck_consent_state_basis"),
        ),
        sa.CheckConstraint("grade IN ('A', 'B', 'C', 'D')", name=op.f("ck_consent_state_grade")),
        sa.CheckConstraint(
            "kind IN ('head', 'choice', 'stop_all', 'objection', 'gpc', 'suppression')",
            name=op.f("ck_consent_state_kind"),
        ),
        sa.CheckConstraint(
            "prior_state IN ('ConsentUnknown', 'ConsentRequested', 'ConsentRequestDeferred', 'ConsentGiven', 'RenewedConsentGiven', 'ConsentRefused', 'ConsentWithdrawn', 'ConsentExpired', 'ConsentRevoked', 'ConsentInvalidated')",
            name=op.f("ck_consent_state_prior_state"),
        ),
        sa.CheckConstraint("regime IN ('opt_in', 'opt_out', 'none')", name=op.f("ck_consent_state_regime")),
        sa.CheckConstraint(
            "strength IN ('imported', 'expressed', 'confirmed')", name=op.f("ck_consent_state_strength")
        ),
        sa.ForeignKeyConstraint(["subject_no"], ["subject.no"], name=op.f("fk_consent_state_subject_no_subject")),
        sa.PrimaryKeyConstraint(
            "subject_no", "purpose_no", "channel_no", "brand_no", "kind", name=op.f("pk_consent_state")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_private",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["consent_event.id"], name=op.f("fk_event_private_event_id_consent_event")
        ),
        sa.ForeignKeyConstraint(["subject_no"], ["subject.no"], name=op.f("fk_event_private_subject_no_subject")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_private")),
        sa.UniqueConstraint("subject_no", "state_version", name=op.f("uq_event_private_subject_no_state_version")),
    )
    op.create_table(
        "subject_identifier",
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["subject_no"], ["subject.no"], name=op.f("fk_subject_identifier_subject_no_subject")),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_subject_identifier")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("subject_identifier", schema=None) as batch_op:
        batch_op.create_index("ix_subject_identifier_subject", ["subject_no"], unique=False)

    op.create_table(
        "subject_key",
        sa.Column(
            "subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["subject_no"], ["subject.no"], name=op.f("fk_subject_key_subject_no_subject")),
        sa.PrimaryKeyConstraint("subject_no", name=op.f("pk_subject_key")),
    )
    op.create_table(
        "request_key",
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_request_key_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("dsar_id", name=op.f("pk_request_key")),
    )
    with op.batch_alter_table("ledger_pending", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_pending_log", ["controller", "log", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("ledger_pending", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_pending_log")

    op.drop_table("request_key")
    op.drop_table("subject_key")
    with op.batch_alter_table("subject_identifier", schema=None) as batch_op:
        batch_op.drop_index("ix_subject_identifier_subject")

    op.drop_table("subject_identifier")
    op.drop_table("event_private")
    op.drop_table("consent_state")
    op.drop_table("suppression")
    op.drop_table("subject")
    op.drop_table("purpose_version")
    op.drop_table("purpose")
    op.drop_table("notice_version")
    op.drop_table("ledger_tree")
    op.drop_table("ledger_node")
    with op.batch_alter_table("ledger_leaf", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_leaf_entry")

    op.drop_table("ledger_leaf")
    op.drop_table("ledger_key")
    op.drop_table("ledger_head")
    op.drop_table("ledger_checkpoint")
    op.drop_table("control")
    op.drop_table("consent_event")
    op.drop_table("client_event")
    op.drop_table("channel")
    op.drop_table("brand")
