"""The first schema

Revision: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "roles",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("masks_people", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("controller", "email", name=op.f("uq_account_controller_email")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("public_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "scopes",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("secret_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_key_public_id")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column(
            "detail",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_object", ["controller", "object_kind", "object_id", "id"], unique=False)

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
        "executor",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('live', 'reaping', 'reaped', 'left')", name=op.f("ck_executor_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executor")),
    )
    op.create_table(
        "idempotency",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("drives", sa.Integer(), nullable=False),
        sa.Column(
            "arguments",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("cursor", sa.LargeBinary(), nullable=True),
        sa.Column(
            "progress",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("intent", sa.String(length=128), nullable=True),
        sa.Column("result", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("progress_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'waiting', 'done', 'cancelled', 'dead')", name=op.f("ck_job_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_object", ["object_id"], unique=False)
        batch_op.create_index("ix_job_wake", ["state", "wake_at"], unique=False)

    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
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
        "ledger_pending",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_pending")),
    )
    with op.batch_alter_table("ledger_pending", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_pending_log", ["controller", "log", "id"], unique=False)

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
        "link_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_link_token")),
    )
    with op.batch_alter_table("link_token", schema=None) as batch_op:
        batch_op.create_index("ix_link_token_object", ["object_id", "kind"], unique=False)

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
        "rate_bucket",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "subject", "window_start", name=op.f("pk_rate_bucket")),
    )
    op.create_table(
        "seen_token",
        sa.Column("issuer", sa.String(length=128), nullable=False),
        sa.Column("jti", sa.String(length=128), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "jti", name=op.f("pk_seen_token")),
    )
    op.create_table(
        "slot",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "slot", name=op.f("pk_slot")),
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
        sa.Column("order_t", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("ref", "reason", "purpose_no", "brand_no", name=op.f("pk_suppression")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_session_account_id_account")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_account_session")),
    )
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.create_index("ix_account_session_account", ["account_id"], unique=False)

    op.create_table(
        "connected_store",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("connector", sa.String(length=32), nullable=False),
        sa.Column(
            "config",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("health", sa.String(length=16), nullable=True),
        sa.Column("health_code", sa.String(length=64), nullable=True),
        sa.Column("health_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_connected_store_owner_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connected_store")),
        sa.UniqueConstraint("controller", "name", name=op.f("uq_connected_store_controller_name")),
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
        sa.Column("order_t", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        "dsar",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("resume_to", sa.String(length=24), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("residence", sa.String(length=8), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("proven_level", sa.Integer(), nullable=False),
        sa.Column("required_level", sa.Integer(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=True),
        sa.Column("regime", sa.String(length=32), nullable=False),
        sa.Column(
            "clock",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("safe_due_on", sa.Date(), nullable=False),
        sa.Column("paused_since", sa.Date(), nullable=True),
        sa.Column("prepared_by", sa.Uuid(), nullable=True),
        sa.Column("plan_hash", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_dsar_closed_has_a_time")),
        sa.CheckConstraint(
            "channel IN ('form', 'widget', 'shop_session', 'preferences', 'api', 'email', 'letter', 'phone', 'chat', 'counter')",
            name=op.f("ck_dsar_channel"),
        ),
        sa.CheckConstraint(
            "outcome IN ('fulfilled', 'fulfilled_partial', 'refused', 'no_data_found', 'withdrawn', 'merged', 'not_a_request', 'not_identified', 'transferred')",
            name=op.f("ck_dsar_outcome"),
        ),
        sa.CheckConstraint(
            "state IN ('received', 'awaiting_identity', 'awaiting_clarification', 'awaiting_fee', 'searching', 'in_review', 'awaiting_approval', 'executing', 'answering', 'answered', 'closed')",
            name=op.f("ck_dsar_state"),
        ),
        sa.CheckConstraint(
            "type IN ('access', 'know_specific', 'know_categories', 'portability', 'third_party_list', 'rectification', 'erasure', 'restriction', 'objection', 'adm_review', 'objection_direct_marketing', 'consent_withdrawal', 'opt_out_sale_share', 'opt_out_targeted_ads', 'opt_out_profiling', 'limit_sensitive', 'appeal', 'grievance')",
            name=op.f("ck_dsar_type"),
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["account.id"], name=op.f("fk_dsar_assignee_id_account")),
        sa.ForeignKeyConstraint(["prepared_by"], ["account.id"], name=op.f("fk_dsar_prepared_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar")),
        sa.UniqueConstraint("controller", "reference", name=op.f("uq_dsar_controller_reference")),
    )
    with op.batch_alter_table("dsar", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_contact", ["controller", "contact_index", "received_at"], unique=False)
        batch_op.create_index("ix_dsar_queue", ["controller", "state", "safe_due_on", "id"], unique=False)

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
        "outbox",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_outbox_job_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_unsent", ["sent_at", "created_at"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_code")),
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
        "approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint("state IN ('requested', 'given', 'returned', 'void')", name=op.f("ck_approval_state")),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_approval_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index("ix_approval_dsar", ["dsar_id", "id"], unique=False)

    op.create_table(
        "deadline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("slot", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('ack', 'answer', 'extension_notice', 'internal', 'package_expiry', 'unverified_expiry')",
            name=op.f("ck_deadline_kind"),
        ),
        sa.CheckConstraint("state IN ('armed', 'fired', 'superseded', 'met')", name=op.f("ck_deadline_state")),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_deadline_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
    )
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.create_index("ix_deadline_dsar", ["dsar_id"], unique=False)
        batch_op.create_index("ix_deadline_due", ["state", "due_at"], unique=False)

    op.create_table(
        "dsar_clock_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "detail",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_clock_event_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar_clock_event")),
    )
    with op.batch_alter_table("dsar_clock_event", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_clock_event_dsar", ["dsar_id", "id"], unique=False)

    op.create_table(
        "dsar_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("code_hmac", sa.LargeBinary(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('identity', 'download', 'withdraw')", name=op.f("ck_dsar_code_purpose")),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_code_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar_code")),
    )
    with op.batch_alter_table("dsar_code", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_code_dsar", ["dsar_id", "purpose", "created_at"], unique=False)

    op.create_table(
        "dsar_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("author IN ('subject', 'team', 'note', 'note')", name=op.f("ck_dsar_message_author")),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_message_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar_message")),
    )
    with op.batch_alter_table("dsar_message", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_message_dsar", ["dsar_id", "id"], unique=False)

    op.create_table(
        "dsar_proof",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identifier_kind", sa.String(length=32), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_proof_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar_proof")),
    )
    with op.batch_alter_table("dsar_proof", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_proof_dsar", ["dsar_id"], unique=False)

    op.create_table(
        "dsar_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column(
            "report",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("state_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'no_match', 'waiting_remote', 'failed', 'handed_over', 'done_by_hand', 'answered_without')",
            name=op.f("ck_dsar_run_state"),
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_run_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar_run")),
        sa.UniqueConstraint("dsar_id", "store", name=op.f("uq_dsar_run_dsar_id_store")),
    )
    with op.batch_alter_table("dsar_run", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_run_job", ["job_id"], unique=False)

    op.create_table(
        "finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("collection", sa.String(length=128), nullable=False),
        sa.Column("row_ref", sa.LargeBinary(), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("match", sa.String(length=16), nullable=False),
        sa.Column(
            "columns",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "via",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("persons_mentioned", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision IN ('undecided', 'include', 'exclude')", name=op.f("ck_finding_decision")),
        sa.CheckConstraint("tier IN ('owned', 'pointer', 'candidate')", name=op.f("ck_finding_tier")),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_finding_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("dsar_id", "store", "row_ref", name=op.f("uq_finding_dsar_id_store_row_ref")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index("ix_finding_page", ["dsar_id", "store", "collection", "id"], unique=False)

    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name=op.f("ck_mail_state")),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_mail_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.create_index("ix_mail_dsar", ["dsar_id"], unique=False)

    op.create_table(
        "package",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("vault_ref", sa.String(length=128), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column(
            "contents",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "checks",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "notes",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("downloads_left", sa.Integer(), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('building', 'ready', 'released', 'destroyed', 'failed')", name=op.f("ck_package_state")
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_package_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package")),
    )
    with op.batch_alter_table("package", schema=None) as batch_op:
        batch_op.create_index("ix_package_dsar", ["dsar_id", "id"], unique=False)

    op.create_table(
        "request_key",
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_request_key_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("dsar_id", name=op.f("pk_request_key")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=True),
        sa.Column("store", sa.String(length=64), nullable=True),
        sa.Column("owner_role", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("end_reason", sa.String(length=64), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('check_identity', 'clarify', 'manual_store', 'store_failed', 'residual', 'review_findings', 'redact', 'approve', 'read_message', 'notify_recipient', 'send_by_post', 'undelivered', 'due_soon', 'job_dead')",
            name=op.f("ck_task_kind"),
        ),
        sa.CheckConstraint("state IN ('open', 'in_progress', 'done', 'cancelled')", name=op.f("ck_task_state")),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_task_dsar_id_dsar")),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_task_owner_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("ix_task_dsar", ["dsar_id"], unique=False)
        batch_op.create_index("ix_task_open", ["controller", "state", "due_on", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("ix_task_open")
        batch_op.drop_index("ix_task_dsar")

    op.drop_table("task")
    op.drop_table("request_key")
    with op.batch_alter_table("package", schema=None) as batch_op:
        batch_op.drop_index("ix_package_dsar")

    op.drop_table("package")
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_index("ix_mail_dsar")

    op.drop_table("mail")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index("ix_finding_page")

    op.drop_table("finding")
    with op.batch_alter_table("dsar_run", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_run_job")

    op.drop_table("dsar_run")
    with op.batch_alter_table("dsar_proof", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_proof_dsar")

    op.drop_table("dsar_proof")
    with op.batch_alter_table("dsar_message", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_message_dsar")

    op.drop_table("dsar_message")
    with op.batch_alter_table("dsar_code", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_code_dsar")

    op.drop_table("dsar_code")
    with op.batch_alter_table("dsar_clock_event", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_clock_event_dsar")

    op.drop_table("dsar_clock_event")
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.drop_index("ix_deadline_due")
        batch_op.drop_index("ix_deadline_dsar")

    op.drop_table("deadline")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index("ix_approval_dsar")

    op.drop_table("approval")
    op.drop_table("subject_key")
    with op.batch_alter_table("subject_identifier", schema=None) as batch_op:
        batch_op.drop_index("ix_subject_identifier_subject")

    op.drop_table("subject_identifier")
    op.drop_table("recovery_code")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_unsent")

    op.drop_table("outbox")
    op.drop_table("event_private")
    with op.batch_alter_table("dsar", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_queue")
        batch_op.drop_index("ix_dsar_contact")

    op.drop_table("dsar")
    op.drop_table("consent_state")
    op.drop_table("connected_store")
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.drop_index("ix_account_session_account")

    op.drop_table("account_session")
    op.drop_table("suppression")
    op.drop_table("subject")
    op.drop_table("slot")
    op.drop_table("seen_token")
    op.drop_table("rate_bucket")
    op.drop_table("purpose_version")
    op.drop_table("purpose")
    op.drop_table("notice_version")
    with op.batch_alter_table("link_token", schema=None) as batch_op:
        batch_op.drop_index("ix_link_token_object")

    op.drop_table("link_token")
    op.drop_table("ledger_tree")
    with op.batch_alter_table("ledger_pending", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_pending_log")

    op.drop_table("ledger_pending")
    op.drop_table("ledger_node")
    with op.batch_alter_table("ledger_leaf", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_leaf_entry")

    op.drop_table("ledger_leaf")
    op.drop_table("ledger_key")
    op.drop_table("ledger_head")
    op.drop_table("ledger_checkpoint")
    op.drop_table("lease")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_wake")
        batch_op.drop_index("ix_job_object")

    op.drop_table("job")
    op.drop_table("idempotency")
    op.drop_table("executor")
    op.drop_table("control")
    op.drop_table("consent_event")
    op.drop_table("client_event")
    op.drop_table("channel")
    op.drop_table("brand")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_object")

    op.drop_table("audit")
    op.drop_table("api_key")
    op.drop_table("account")
