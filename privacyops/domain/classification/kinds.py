"""The kinds of columns: type family, what they hold, and of whom they speak."""

from enum import StrEnum


class FieldType(StrEnum):
    """Families of types."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    TIME = "time"
    DURATION = "duration"
    UUID = "uuid"
    BINARY = "binary"
    JSON = "json"
    ARRAY = "array"
    ADDRESS = "address"
    OTHER = "other"


class Category(StrEnum):
    """What a column holds, as far as searching needs to know it."""

    EMAIL = "email"
    EMAIL_DIGEST = "email_digest"
    PHONE = "phone"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    LABEL = "label"
    LOGIN = "login"
    PASSWORD = "password"  # noqa: S105 - the name of a category, not a password
    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTCODE = "postcode"
    COUNTRY = "country"
    BIRTH_DATE = "birth_date"
    NATIONAL_ID = "national_id"
    BANK = "bank"
    IP = "ip"
    COMPANY = "company"
    TEXT = "text"
    ORDER_NUMBER = "order_number"
    CUSTOMER_NUMBER = "customer_number"
    AMOUNT = "amount"
    QUANTITY = "quantity"


class Role(StrEnum):
    """Of whom a column speaks: OWN the person the row is about, POINT somebody it only names, STAFF somebody
    who works for the shop, NEUTRAL undecided.
    """

    OWN = "own"
    POINT = "point"
    STAFF = "staff"
    NEUTRAL = "neutral"
