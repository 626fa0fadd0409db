"""What a letter's head holds, as fields: the same in a mailbox and in a file, so that one map fits both."""

from typing import Final

from privacyops.connector_sdk import Field, FieldType

LETTER_HEAD: Final = (
    Field("message_id", FieldType.TEXT, "header"),
    Field("date", FieldType.INSTANT, "header"),
    Field("from_name", FieldType.TEXT, "header"),
    Field("from_email", FieldType.TEXT, "header"),
    Field("to", FieldType.ARRAY, "header, addresses", element=FieldType.TEXT),
    Field("to_names", FieldType.ARRAY, "header, names", element=FieldType.TEXT),
    Field("cc", FieldType.ARRAY, "headers Cc, Bcc and Reply-To, addresses", element=FieldType.TEXT),
    Field("cc_names", FieldType.ARRAY, "headers Cc, Bcc and Reply-To, names", element=FieldType.TEXT),
    Field("subject", FieldType.TEXT, "header"),
)
