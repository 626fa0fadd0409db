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
        sa.Column(
            "systems",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "waiting",
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
        sa.Column("subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "answer",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "point", "key", name=op.f("pk_client_event")),
    )
    with op.batch_alter_table("client_event", schema=None) as batch_op:
        batch_op.create_index("ix_client_event_subject", ["subject_no"], unique=False)

    op.create_table(
        "collection_point",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("brand", sa.String(length=63), nullable=False),
        sa.Column(
            "origins",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "purposes",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("notice_id", sa.String(length=63), nullable=False),
        sa.Column("notice_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clock", sa.String(length=8), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "clock = 'trusted' OR clock = 'client' OR clock = 'offline'", name=op.f("ck_collection_point_clock")
        ),
        sa.CheckConstraint(
            "kind = 'form' OR kind = 'checkout' OR kind = 'till' OR kind = 'banner'",
            name=op.f("ck_collection_point_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_point")),
        sa.UniqueConstraint("controller", "key", name=op.f("uq_collection_point_controller_key")),
    )
    op.create_table(
        "consent_change",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "seq", name=op.f("pk_consent_change")),
    )
    with op.batch_alter_table("consent_change", schema=None) as batch_op:
        batch_op.create_index("ix_consent_change_subject", ["subject_no"], unique=False)

    op.create_table(
        "consent_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    op.create_table(
        "consent_export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("format", sa.String(length=12), nullable=False),
        sa.Column("identifiers", sa.String(length=6), nullable=False),
        sa.Column(
            "filter",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("through_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("after_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("checkpoint", sa.String(), nullable=True),
        sa.Column("rows", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "format = 'dpv-27560' OR format = 'kantara-1.1' OR format = 'ndjson' OR format = 'csv'",
            name=op.f("ck_consent_export_format"),
        ),
        sa.CheckConstraint(
            "identifiers = 'hashed' OR identifiers = 'clear'", name=op.f("ck_consent_export_identifiers")
        ),
        sa.CheckConstraint(
            "state = 'building' OR state = 'ready' OR state = 'failed' OR state = 'void' OR state = 'expired'",
            name=op.f("ck_consent_export_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_export")),
    )
    with op.batch_alter_table("consent_export", schema=None) as batch_op:
        batch_op.create_index("ix_consent_export_state", ["state", "expires_at"], unique=False)

    op.create_table(
        "consent_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_import")),
    )
    with op.batch_alter_table("consent_import", schema=None) as batch_op:
        batch_op.create_index("ix_consent_import_digest", ["controller", "digest"], unique=False)

    op.create_table(
        "consent_imported",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("controller", "row_hash", name=op.f("pk_consent_imported")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "control",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ver", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_control_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control")),
    )
    op.create_table(
        "data_map",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column(
            "drawn",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "drift",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_map")),
        sa.UniqueConstraint("controller", "store", name=op.f("uq_data_map_controller_store")),
    )
    op.create_table(
        "draft",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=63), nullable=False),
        sa.Column(
            "body",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind = 'purpose' OR kind = 'notice'", name=op.f("ck_draft_kind")),
        sa.PrimaryKeyConstraint("controller", "kind", "key", name=op.f("pk_draft")),
    )
    op.create_table(
        "erased_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("collection", sa.String(length=128), nullable=False),
        sa.Column("row_mac", sa.LargeBinary(), nullable=False),
        sa.Column("person_mac", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column(
            "columns",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("columns_hash", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erased_record")),
        sa.UniqueConstraint(
            "erasure_id",
            "row_mac",
            "act",
            "columns_hash",
            "erased_at",
            name=op.f("uq_erased_record_erasure_id_row_mac_act_columns_hash_erased_at"),
        ),
    )
    with op.batch_alter_table("erased_record", schema=None) as batch_op:
        batch_op.create_index("ix_erased_record_store", ["controller", "store", "erased_at"], unique=False)

    op.create_table(
        "erased_subject",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_erased_subject")),
    )
    op.create_table(
        "executor",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state = 'live' OR state = 'reaping' OR state = 'reaped' OR state = 'left'", name=op.f("ck_executor_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executor")),
    )
    op.create_table(
        "idempotency",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("subject_id", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_subject", ["subject_id"], unique=False)

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
            "state = 'queued' OR state = 'running' OR state = 'waiting' OR state = 'done' OR state = 'cancelled' OR state = 'dead'",
            name=op.f("ck_job_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_object", ["object_id"], unique=False)
        batch_op.create_index("ix_job_wake", ["state", "wake_at"], unique=False)

    op.create_table(
        "kept_key",
        sa.Column(
            "subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_no", name=op.f("pk_kept_key")),
    )
    with op.batch_alter_table("kept_key", schema=None) as batch_op:
        batch_op.create_index("ix_kept_key_until", ["until"], unique=False)

    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "ledger_anchor",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "log", "tree", "size", name=op.f("pk_ledger_anchor")),
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
        sa.CheckConstraint("log = 'audit' OR log = 'consent'", name=op.f("ck_ledger_leaf_log")),
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
        "ledger_pruned",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "log", "tree", name=op.f("pk_ledger_pruned")),
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
        "link_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("link", sa.String(length=512), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("ownership", sa.String(length=16), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("answer = 'yes' OR answer = 'no'", name=op.f("ck_link_decision_answer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_decision")),
        sa.UniqueConstraint("controller", "store", "link", name=op.f("uq_link_decision_controller_store_link")),
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
        "store_event",
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("controller", "event", name=op.f("pk_store_event")),
    )
    with op.batch_alter_table("store_event", schema=None) as batch_op:
        batch_op.create_index("ix_store_event_heard", ["heard_at"], unique=False)

    op.create_table(
        "subject",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("jurisdiction", sa.String(length=8), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind = 'known' OR kind = 'anonymous'", name=op.f("ck_subject_kind")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_subject")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subject_public_id")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=True),
        sa.Column(
            "types",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("scheme", sa.String(length=3), nullable=False),
        sa.Column("public_key", sa.String(length=80), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("cursor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("scheme = 'v1' OR scheme = 'v1a'", name=op.f("ck_subscriber_scheme")),
        sa.CheckConstraint("state = 'active' OR state = 'disabled'", name=op.f("ck_subscriber_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("controller", "name", name=op.f("uq_subscriber_controller_name")),
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
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.create_index("ix_suppression_event", ["event_id"], unique=False)

    op.create_table(
        "suppression_lift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("purpose_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("family", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'proposed' OR state = 'lifted' OR state = 'returned'", name=op.f("ck_suppression_lift_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_lift")),
    )
    with op.batch_alter_table("suppression_lift", schema=None) as batch_op:
        batch_op.create_index("ix_suppression_lift_open", ["controller", "state"], unique=False)

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
        "confirmation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state = 'none' OR state = 'requested' OR state = 'confirmed' OR state = 'lapsed' OR state = 'cancelled'",
            name=op.f("ck_confirmation_state"),
        ),
        sa.ForeignKeyConstraint(["subject_no"], ["subject.no"], name=op.f("fk_confirmation_subject_no_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
    )
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.create_index("ix_confirmation_lapse", ["state", "expires_at"], unique=False)
        batch_op.create_index(
            "ix_confirmation_open",
            ["subject_no", "purpose_no", "channel_no", "brand_no"],
            unique=True,
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )
        batch_op.create_index("ix_confirmation_subject", ["subject_no"], unique=False)

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
        sa.Column("health_setting", sa.String(length=64), nullable=True),
        sa.Column("health_allowed", sa.String(length=300), nullable=True),
        sa.Column("health_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_connected_store_owner_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connected_store")),
        sa.UniqueConstraint("controller", "name", name=op.f("uq_connected_store_controller_name")),
    )
    op.create_table(
        "consent_export_part",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column(
            "first_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("last_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("blob", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["consent_export.id"], name=op.f("fk_consent_export_part_export_id_consent_export")
        ),
        sa.PrimaryKeyConstraint("export_id", "first_seq", name=op.f("pk_consent_export_part")),
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
            "basis = 'consent' OR basis = 'explicit_consent' OR basis = 'contract' OR basis = 'legal_obligation' OR basis = 'vital_interests' OR basis = 'public_task' OR basis = 'legitimate_interests' OR basis = 'soft_opt_in' OR basis = 'strictly_necessary'",
            name=op.f("ck_consent_state_basis"),
        ),
        sa.CheckConstraint(
            "grade = 'A' OR grade = 'B' OR grade = 'C' OR grade = 'D'", name=op.f("ck_consent_state_grade")
        ),
        sa.CheckConstraint(
            "kind = 'head' OR kind = 'choice' OR kind = 'stop_all' OR kind = 'objection' OR kind = 'gpc' OR kind = 'suppression'",
            name=op.f("ck_consent_state_kind"),
        ),
        sa.CheckConstraint(
            "prior_state = 'ConsentUnknown' OR prior_state = 'ConsentRequested' OR prior_state = 'ConsentRequestDeferred' OR prior_state = 'ConsentGiven' OR prior_state = 'RenewedConsentGiven' OR prior_state = 'ConsentRefused' OR prior_state = 'ConsentWithdrawn' OR prior_state = 'ConsentExpired' OR prior_state = 'ConsentRevoked' OR prior_state = 'ConsentInvalidated'",
            name=op.f("ck_consent_state_prior_state"),
        ),
        sa.CheckConstraint(
            "regime = 'opt_in' OR regime = 'opt_out' OR regime = 'none'", name=op.f("ck_consent_state_regime")
        ),
        sa.CheckConstraint(
            "strength = 'imported' OR strength = 'expressed' OR strength = 'confirmed'",
            name=op.f("ck_consent_state_strength"),
        ),
        sa.ForeignKeyConstraint(["subject_no"], ["subject.no"], name=op.f("fk_consent_state_subject_no_subject")),
        sa.PrimaryKeyConstraint(
            "subject_no", "purpose_no", "channel_no", "brand_no", "kind", name=op.f("pk_consent_state")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "state = 'waiting' OR state = 'acknowledged' OR state = 'failed'", name=op.f("ck_delivery_state")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_delivery_subscriber_id_subscriber"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("subscriber_id", "event_id", name=op.f("uq_delivery_subscriber_id_event_id")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_due", ["state", "due_at"], unique=False)
        batch_op.create_index("ix_delivery_event", ["event_id"], unique=False)

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
            "channel = 'form' OR channel = 'widget' OR channel = 'shop_session' OR channel = 'preferences' OR channel = 'api' OR channel = 'platform' OR channel = 'email' OR channel = 'letter' OR channel = 'phone' OR channel = 'chat' OR channel = 'counter'",
            name=op.f("ck_dsar_channel"),
        ),
        sa.CheckConstraint(
            "outcome = 'fulfilled' OR outcome = 'fulfilled_partial' OR outcome = 'refused' OR outcome = 'no_data_found' OR outcome = 'withdrawn' OR outcome = 'merged' OR outcome = 'not_a_request' OR outcome = 'not_identified' OR outcome = 'transferred'",
            name=op.f("ck_dsar_outcome"),
        ),
        sa.CheckConstraint(
            "state = 'received' OR state = 'awaiting_identity' OR state = 'awaiting_clarification' OR state = 'awaiting_fee' OR state = 'searching' OR state = 'in_review' OR state = 'awaiting_approval' OR state = 'executing' OR state = 'answering' OR state = 'answered' OR state = 'closed'",
            name=op.f("ck_dsar_state"),
        ),
        sa.CheckConstraint(
            "type = 'access' OR type = 'know_specific' OR type = 'know_categories' OR type = 'portability' OR type = 'third_party_list' OR type = 'rectification' OR type = 'erasure' OR type = 'restriction' OR type = 'objection' OR type = 'adm_review' OR type = 'objection_direct_marketing' OR type = 'consent_withdrawal' OR type = 'opt_out_sale_share' OR type = 'opt_out_targeted_ads' OR type = 'opt_out_profiling' OR type = 'limit_sensitive' OR type = 'appeal' OR type = 'grievance'",
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
        sa.Column("former_contact", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["consent_event.id"], name=op.f("fk_event_private_event_id_consent_event")
        ),
        sa.ForeignKeyConstraint(["subject_no"], ["subject.no"], name=op.f("fk_event_private_subject_no_subject")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_private")),
        sa.UniqueConstraint("subject_no", "state_version", name=op.f("uq_event_private_subject_no_state_version")),
    )
    op.create_table(
        "identity_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("account_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_event", sa.Uuid(), nullable=False),
        sa.Column("device_event", sa.Uuid(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_unlink_event", sa.Uuid(), nullable=True),
        sa.Column("device_unlink_event", sa.Uuid(), nullable=True),
        sa.Column("unlinked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_no"], ["subject.no"], name=op.f("fk_identity_link_account_no_subject")),
        sa.ForeignKeyConstraint(["device_no"], ["subject.no"], name=op.f("fk_identity_link_device_no_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_link")),
    )
    with op.batch_alter_table("identity_link", schema=None) as batch_op:
        batch_op.create_index("ix_identity_link_account", ["account_no"], unique=False)
        batch_op.create_index(
            "ix_identity_link_device",
            ["device_no"],
            unique=True,
            sqlite_where=sa.text("unlinked_at IS NULL"),
            postgresql_where=sa.text("unlinked_at IS NULL"),
        )
        batch_op.create_index("ix_identity_link_device_ever", ["device_no"], unique=False)

    op.create_table(
        "kept_evidence",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["consent_event.id"], name=op.f("fk_kept_evidence_event_id_consent_event")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_kept_evidence")),
    )
    with op.batch_alter_table("kept_evidence", schema=None) as batch_op:
        batch_op.create_index("ix_kept_evidence_subject", ["subject_no"], unique=False)

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
        "role_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "roles",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'proposed' OR state = 'confirmed' OR state = 'declined' OR state = 'replaced'",
            name=op.f("ck_role_grant_state"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_role_grant_account_id_account")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_role_grant_decided_by_account")),
        sa.ForeignKeyConstraint(["proposed_by"], ["account.id"], name=op.f("fk_role_grant_proposed_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index(
            "ix_role_grant_open",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("state = 'proposed'"),
            postgresql_where=sa.text("state = 'proposed'"),
        )

    op.create_table(
        "subject_identifier",
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("subject_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("lent_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
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
        sa.CheckConstraint(
            "state = 'requested' OR state = 'given' OR state = 'returned' OR state = 'void'",
            name=op.f("ck_approval_state"),
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_approval_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index("ix_approval_dsar", ["dsar_id", "id"], unique=False)

    op.create_table(
        "confirmation_link",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("confirmation_id", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["confirmation_id"], ["confirmation.id"], name=op.f("fk_confirmation_link_confirmation_id_confirmation")
        ),
        sa.PrimaryKeyConstraint("token_hash", "confirmation_id", name=op.f("pk_confirmation_link")),
    )
    with op.batch_alter_table("confirmation_link", schema=None) as batch_op:
        batch_op.create_index("ix_confirmation_link_confirmation", ["confirmation_id", "sent_at"], unique=False)

    op.create_table(
        "corrected_store",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column(
            "collections",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_corrected_store_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrected_store")),
    )
    with op.batch_alter_table("corrected_store", schema=None) as batch_op:
        batch_op.create_index("ix_corrected_store_done", ["controller", "store", "done_at"], unique=False)
        batch_op.create_index("ix_corrected_store_dsar", ["dsar_id"], unique=False)

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
            "kind = 'ack' OR kind = 'answer' OR kind = 'extension_notice' OR kind = 'internal' OR kind = 'package_expiry' OR kind = 'unverified_expiry'",
            name=op.f("ck_deadline_kind"),
        ),
        sa.CheckConstraint(
            "state = 'armed' OR state = 'fired' OR state = 'superseded' OR state = 'met'",
            name=op.f("ck_deadline_state"),
        ),
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
        sa.CheckConstraint(
            "purpose = 'identity' OR purpose = 'download' OR purpose = 'withdraw'", name=op.f("ck_dsar_code_purpose")
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_code_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar_code")),
    )
    with op.batch_alter_table("dsar_code", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_code_dsar", ["dsar_id", "purpose", "created_at"], unique=False)

    op.create_table(
        "dsar_correction",
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_correction_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("dsar_id", name=op.f("pk_dsar_correction")),
    )
    op.create_table(
        "dsar_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "author = 'subject' OR author = 'team' OR author = 'note'", name=op.f("ck_dsar_message_author")
        ),
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
        "dsar_reading",
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "after",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=True,
        ),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column(
            "notes",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("labels_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("vouched_by", sa.Uuid(), nullable=True),
        sa.Column("vouched_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'waiting' OR state = 'reading' OR state = 'read' OR state = 'failed'",
            name=op.f("ck_dsar_reading_state"),
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_reading_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("dsar_id", name=op.f("pk_dsar_reading")),
    )
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
            "state = 'queued' OR state = 'running' OR state = 'succeeded' OR state = 'no_match' OR state = 'waiting_remote' OR state = 'failed' OR state = 'handed_over' OR state = 'done_by_hand' OR state = 'answered_without'",
            name=op.f("ck_dsar_run_state"),
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_dsar_run_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dsar_run")),
        sa.UniqueConstraint("dsar_id", "store", name=op.f("uq_dsar_run_dsar_id_store")),
    )
    with op.batch_alter_table("dsar_run", schema=None) as batch_op:
        batch_op.create_index("ix_dsar_run_job", ["job_id"], unique=False)

    op.create_table(
        "erasure_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("jws", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_erasure_receipt_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_receipt")),
    )
    with op.batch_alter_table("erasure_receipt", schema=None) as batch_op:
        batch_op.create_index("ix_erasure_receipt_dsar", ["dsar_id"], unique=False)

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
        sa.CheckConstraint(
            "decision = 'undecided' OR decision = 'include' OR decision = 'exclude'", name=op.f("ck_finding_decision")
        ),
        sa.CheckConstraint("tier = 'owned' OR tier = 'pointer' OR tier = 'candidate'", name=op.f("ck_finding_tier")),
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
        sa.CheckConstraint("state = 'queued' OR state = 'sent' OR state = 'failed'", name=op.f("ck_mail_state")),
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
            "state = 'building' OR state = 'ready' OR state = 'released' OR state = 'destroyed' OR state = 'failed'",
            name=op.f("ck_package_state"),
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
        "store_erasure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=True),
        sa.Column("decided_hash", sa.String(length=64), nullable=True),
        sa.Column(
            "plan",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("plan_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("results_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "report",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sweeps", sa.Integer(), nullable=False),
        sa.Column("sweep_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'planning' OR state = 'planned' OR state = 'by_hand' OR state = 'queued' OR state = 'erasing' OR state = 'pending' OR state = 'verified' OR state = 'residual' OR state = 'handed_over'",
            name=op.f("ck_store_erasure_state"),
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_store_erasure_dsar_id_dsar")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_erasure")),
        sa.UniqueConstraint("dsar_id", "store", name=op.f("uq_store_erasure_dsar_id_store")),
    )
    with op.batch_alter_table("store_erasure", schema=None) as batch_op:
        batch_op.create_index("ix_store_erasure_poll", ["poll_at"], unique=False)
        batch_op.create_index("ix_store_erasure_sweep", ["sweep_at"], unique=False)

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
            "kind = 'check_identity' OR kind = 'clarify' OR kind = 'manual_store' OR kind = 'store_failed' OR kind = 'residual' OR kind = 'review_findings' OR kind = 'redact' OR kind = 'approve' OR kind = 'read_message' OR kind = 'notify_recipient' OR kind = 'send_by_post' OR kind = 'undelivered' OR kind = 'due_soon' OR kind = 'job_dead' OR kind = 'renew_consent' OR kind = 'weigh_objection' OR kind = 'read_stop' OR kind = 'ack_overdue' OR kind = 'store_drift'",
            name=op.f("ck_task_kind"),
        ),
        sa.CheckConstraint(
            "state = 'open' OR state = 'in_progress' OR state = 'done' OR state = 'cancelled'",
            name=op.f("ck_task_state"),
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_task_dsar_id_dsar")),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_task_owner_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("ix_task_dsar", ["dsar_id"], unique=False)
        batch_op.create_index("ix_task_open", ["controller", "state", "due_on", "id"], unique=False)

    op.create_table(
        "finding_text",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=255), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "unread",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("is_unread", sa.Boolean(), nullable=False),
        sa.Column("seen_by", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_finding_text_dsar_id_dsar")),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_finding_text_finding_id_finding")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_text")),
        sa.UniqueConstraint("finding_id", "field", "at", name=op.f("uq_finding_text_finding_id_field_at")),
    )
    with op.batch_alter_table("finding_text", schema=None) as batch_op:
        batch_op.create_index("ix_finding_text_page", ["dsar_id", "id"], unique=False)

    op.create_table(
        "recipient_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("controller", sa.String(length=64), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("excuse", sa.String(length=16), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "excuse = 'impossible' OR excuse = 'disproportionate' OR excuse = 'unanswered'",
            name=op.f("ck_recipient_notice_excuse"),
        ),
        sa.CheckConstraint(
            "state = 'open' OR state = 'told' OR state = 'confirmed' OR state = 'not_disclosed' OR state = 'proposed' OR state = 'excused'",
            name=op.f("ck_recipient_notice_state"),
        ),
        sa.CheckConstraint(
            "way = 'mail' OR way = 'letter' OR way = 'phone' OR way = 'service'", name=op.f("ck_recipient_notice_way")
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_recipient_notice_dsar_id_dsar")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_recipient_notice_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipient_notice")),
    )
    with op.batch_alter_table("recipient_notice", schema=None) as batch_op:
        batch_op.create_index("ix_recipient_notice_once", ["dsar_id", "name_key"], unique=True)
        batch_op.create_index("ix_recipient_notice_task", ["task_id"], unique=True)

    op.create_table(
        "redaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dsar_id", sa.Uuid(), nullable=False),
        sa.Column("text_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=32), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("why", sa.String(length=400), nullable=False),
        sa.Column("is_certain", sa.Boolean(), nullable=False),
        sa.Column(
            "doubts",
            sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("is_by_hand", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "decision = 'open' OR decision = 'accepted' OR decision = 'refused' OR decision = 'added'",
            name=op.f("ck_redaction_decision"),
        ),
        sa.ForeignKeyConstraint(["dsar_id"], ["dsar.id"], name=op.f("fk_redaction_dsar_id_dsar")),
        sa.ForeignKeyConstraint(["text_id"], ["finding_text.id"], name=op.f("fk_redaction_text_id_finding_text")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redaction")),
        sa.UniqueConstraint("text_id", "start", "end", name=op.f("uq_redaction_text_id_start_end")),
    )
    with op.batch_alter_table("redaction", schema=None) as batch_op:
        batch_op.create_index("ix_redaction_page", ["dsar_id", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("redaction", schema=None) as batch_op:
        batch_op.drop_index("ix_redaction_page")

    op.drop_table("redaction")
    with op.batch_alter_table("recipient_notice", schema=None) as batch_op:
        batch_op.drop_index("ix_recipient_notice_task")
        batch_op.drop_index("ix_recipient_notice_once")

    op.drop_table("recipient_notice")
    with op.batch_alter_table("finding_text", schema=None) as batch_op:
        batch_op.drop_index("ix_finding_text_page")

    op.drop_table("finding_text")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("ix_task_open")
        batch_op.drop_index("ix_task_dsar")

    op.drop_table("task")
    with op.batch_alter_table("store_erasure", schema=None) as batch_op:
        batch_op.drop_index("ix_store_erasure_sweep")
        batch_op.drop_index("ix_store_erasure_poll")

    op.drop_table("store_erasure")
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
    with op.batch_alter_table("erasure_receipt", schema=None) as batch_op:
        batch_op.drop_index("ix_erasure_receipt_dsar")

    op.drop_table("erasure_receipt")
    with op.batch_alter_table("dsar_run", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_run_job")

    op.drop_table("dsar_run")
    op.drop_table("dsar_reading")
    with op.batch_alter_table("dsar_proof", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_proof_dsar")

    op.drop_table("dsar_proof")
    with op.batch_alter_table("dsar_message", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_message_dsar")

    op.drop_table("dsar_message")
    op.drop_table("dsar_correction")
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
    with op.batch_alter_table("corrected_store", schema=None) as batch_op:
        batch_op.drop_index("ix_corrected_store_dsar")
        batch_op.drop_index("ix_corrected_store_done")

    op.drop_table("corrected_store")
    with op.batch_alter_table("confirmation_link", schema=None) as batch_op:
        batch_op.drop_index("ix_confirmation_link_confirmation")

    op.drop_table("confirmation_link")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index("ix_approval_dsar")

    op.drop_table("approval")
    op.drop_table("subject_key")
    with op.batch_alter_table("subject_identifier", schema=None) as batch_op:
        batch_op.drop_index("ix_subject_identifier_subject")

    op.drop_table("subject_identifier")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_role_grant_open",
            sqlite_where=sa.text("state = 'proposed'"),
            postgresql_where=sa.text("state = 'proposed'"),
        )

    op.drop_table("role_grant")
    op.drop_table("recovery_code")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_unsent")

    op.drop_table("outbox")
    with op.batch_alter_table("kept_evidence", schema=None) as batch_op:
        batch_op.drop_index("ix_kept_evidence_subject")

    op.drop_table("kept_evidence")
    with op.batch_alter_table("identity_link", schema=None) as batch_op:
        batch_op.drop_index("ix_identity_link_device_ever")
        batch_op.drop_index(
            "ix_identity_link_device",
            sqlite_where=sa.text("unlinked_at IS NULL"),
            postgresql_where=sa.text("unlinked_at IS NULL"),
        )
        batch_op.drop_index("ix_identity_link_account")

    op.drop_table("identity_link")
    op.drop_table("event_private")
    with op.batch_alter_table("dsar", schema=None) as batch_op:
        batch_op.drop_index("ix_dsar_queue")
        batch_op.drop_index("ix_dsar_contact")

    op.drop_table("dsar")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_event")
        batch_op.drop_index("ix_delivery_due")

    op.drop_table("delivery")
    op.drop_table("consent_state")
    op.drop_table("consent_export_part")
    op.drop_table("connected_store")
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.drop_index("ix_confirmation_subject")
        batch_op.drop_index(
            "ix_confirmation_open",
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )
        batch_op.drop_index("ix_confirmation_lapse")

    op.drop_table("confirmation")
    with op.batch_alter_table("account_session", schema=None) as batch_op:
        batch_op.drop_index("ix_account_session_account")

    op.drop_table("account_session")
    with op.batch_alter_table("suppression_lift", schema=None) as batch_op:
        batch_op.drop_index("ix_suppression_lift_open")

    op.drop_table("suppression_lift")
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.drop_index("ix_suppression_event")

    op.drop_table("suppression")
    op.drop_table("subscriber")
    op.drop_table("subject")
    with op.batch_alter_table("store_event", schema=None) as batch_op:
        batch_op.drop_index("ix_store_event_heard")

    op.drop_table("store_event")
    op.drop_table("slot")
    op.drop_table("seen_token")
    op.drop_table("rate_bucket")
    op.drop_table("purpose_version")
    op.drop_table("purpose")
    op.drop_table("notice_version")
    with op.batch_alter_table("link_token", schema=None) as batch_op:
        batch_op.drop_index("ix_link_token_object")

    op.drop_table("link_token")
    op.drop_table("link_decision")
    op.drop_table("ledger_tree")
    op.drop_table("ledger_pruned")
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
    op.drop_table("ledger_anchor")
    op.drop_table("lease")
    with op.batch_alter_table("kept_key", schema=None) as batch_op:
        batch_op.drop_index("ix_kept_key_until")

    op.drop_table("kept_key")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_wake")
        batch_op.drop_index("ix_job_object")

    op.drop_table("job")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_subject")

    op.drop_table("idempotency")
    op.drop_table("executor")
    op.drop_table("erased_subject")
    with op.batch_alter_table("erased_record", schema=None) as batch_op:
        batch_op.drop_index("ix_erased_record_store")

    op.drop_table("erased_record")
    op.drop_table("draft")
    op.drop_table("data_map")
    op.drop_table("control")
    op.drop_table("consent_imported")
    with op.batch_alter_table("consent_import", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_import_digest")

    op.drop_table("consent_import")
    with op.batch_alter_table("consent_export", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_export_state")

    op.drop_table("consent_export")
    op.drop_table("consent_event")
    with op.batch_alter_table("consent_change", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_change_subject")

    op.drop_table("consent_change")
    op.drop_table("collection_point")
    with op.batch_alter_table("client_event", schema=None) as batch_op:
        batch_op.drop_index("ix_client_event_subject")

    op.drop_table("client_event")
    op.drop_table("channel")
    op.drop_table("brand")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_object")

    op.drop_table("audit")
    op.drop_table("api_key")
    op.drop_table("account")
