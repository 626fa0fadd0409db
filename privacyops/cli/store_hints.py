"""What to do when a store refuses: one sentence for each code, printed behind the setting that is wrong."""

from collections.abc import Mapping
from typing import Final

HINTS: Final[Mapping[str, str]] = {
    # the settings by themselves
    "unknown_connector": "no connector of that name is installed and listed in PRIVACYOPS_CONNECTORS",
    "unknown_setting": "the connector has no setting of this name; its documentation lists them",
    "unknown_value": "choose one of the values that the connector's documentation lists",
    "not_a_choice": "choose one of the values that the service's manifest lists",
    "wrong_type": "its value is of another type; the connector's documentation tells which",
    "out_of_range": "give a number above zero, or a text that is not empty",
    "missing": "give it; if it is given, nothing is there under that name, so look at its spelling",
    "empty": "give a value; an empty one would sign in as nobody",
    "malformed": "it is not of the form that the connector's documentation shows",
    "misconfigured": "compare it with the connector's documentation",
    "not_ascii": "use letters, digits and signs of ASCII alone, without line breaks",
    "unknown_encoding": "name an encoding such as utf-8 or cp1252",
    "one_of_database_and_folder": "give either `database` or `folder`, not both",
    "one_of_service_and_manifest": "give either `service` or `manifest`, not both",
    "manifest_refused": "correct the manifest, or name a service that is shipped; the documentation lists both",
    "auth": "the manifest asks for a way of signing in that cannot be used; correct its `auth`",
    "base_url": "the manifest's address has a place that no setting fills; correct the manifest",
    "by_hand": "a person does the work in this store; take it out of what is searched by program",
    # secrets
    "secret_missing": "it has to be given, as env:NAME or file:PATH",
    "secret_not_a_reference": "write env:NAME or file:PATH, never the value itself",
    "environment_variable_missing": "the environment variable it names is not set",
    "secret_file_unreadable": "the file it names cannot be read",
    # packages
    "driver_not_installed": "install the extra that the connector's documentation names",
    "missing_boto3": "install privacyops with the extra s3",
    "missing_google_cloud_storage": "install privacyops with the extra gcs",
    "missing_opensearch": "install privacyops with the extra search",
    "missing_openpyxl": "install privacyops with the extra files",
    "missing_odbc_driver": "install the server maker's ODBC driver, or write the address as mssql+pymssql://",
    "missing_oracledb": "install privacyops with the extra oracle",
    "missing_pymongo": "install privacyops with the extra mongodb",
    "missing_pymssql": "install privacyops with the extra mssql-tds",
    "missing_pyodbc": "install privacyops with the extra mssql",
    "missing_pypdf": "install privacyops with the extra files",
    "missing_redis": "install privacyops with the extra redis",
    # addresses
    "connection": "the server does not answer there or broke off; look at host and port, and try again",
    "host": "no host of this name can be found from here",
    "unknown_host": "no host of this name can be found from here",
    "unresolvable": "no host of this name can be found from here",
    "host_missing": "name the host in the address, as in postgresql://user:password@host/database",
    "host_malformed": "write the host as a plain name or address, without signs of its own",
    "host_ambiguous": "write the host's number in its usual form, as 192.0.2.1",
    "not_a_host": "give the name alone, as in my-shop: letters, digits and hyphens, no whole address",
    "not_an_address": "write it as an address, as in https://host/ or postgresql://user:password@host/database",
    "not_public": "the address is in a closed network; list that network in `networks` if it is meant",
    "not_a_network": "write each network as an address and a length, as 10.0.0.0/8",
    "not_a_private_network": "only private networks can be opened for plain text; use encryption elsewhere",
    "url_malformed": "write it as an address, as in https://host/path, without spaces",
    "url_too_long": "shorten the address; some thousand characters are the limit",
    "scheme": "begin the address with https://",
    "user_info": "take user and password out of the address; they are secrets of their own",
    "port": "use a port that this connector may connect to, as 443",
    "redirected": "the service leads to another address; give that one, if it is meant",
    "unknown_driver": "begin the address with postgresql://, mysql://, sqlite:///, mssql:// or oracle://",
    "option_not_allowed": "take out of the address what follows the ?, save the options in the documentation",
    "leads_to_another_server": "the directory answers that another server has this; connect that one",
    # files, databases and what is in them
    "path": "there is no file or folder at this path, or it cannot be opened",
    "path_missing": "name a file, as in sqlite:////srv/shop.db; one in memory cannot be searched",
    "path_outside_folder": "name a file inside of `folder`, or change `folder`",
    "not_absolute": "write the whole path, from the root on",
    "not_readable": "it cannot be opened as what it is said to be; look at its format and its rights",
    "not_a_database": "the file is no SQLite database; name another",
    "link_leads_out": "a link leads out of the folder; put the file itself there, or take the link away",
    "database": "the server has no database of this name, or does not show it to this account",
    "database_missing": "name the database at the end of the address, as in postgresql://host/database",
    "schema_missing": "the database has no schema of this name, or does not show it to this account",
    "tables_elsewhere": "the schema that is searched holds no table; name those that do in `schemas`",
    "schema_and_schemas": "use `schema` for one, or `schemas` for several",
    "schema_not_readable": "let this account read the directory's schema",
    "no_such_entry_or_no_access": "look at the spelling of the entry, or let this account read it",
    "cannot_be_sorted": "name a field that the index can sort by: a keyword, a number or a date",
    "does_not_fit_the_store": "the map names a collection, field or class that this store does not have",
    # who asks
    "credentials": "the store does not let this account in; look at its name and password",
    "refused": "the store does not accept this value; look at its spelling, its end and its rights",
    "denied": "this account lacks the right; grant it what the connector's documentation lists",
    "not_allowed": "the credential lacks a right; grant it the scopes that the documentation lists",
    "expected_otherwise": "the service answers for another account or with other rights; use the right credential",
    "error_in_answer": "the service refuses the question; compare the settings with its own console",
    "skewed": "set this machine's clock; the service does not accept requests of another time",
    # encryption
    "tls": "the encrypted connection failed; name the issuer's file in `ca_file`, or look at sslmode",
    "certificate": "name the file of the server's issuer in `ca_file`",
    "certificate_or_protocol": "name the file of the server's issuer in `ca_file`; TLS 1.2 or later is needed",
    "certificate_not_checked": "take the option that turns the check off out of the address; name the issuer instead",
    "not_offered": 'the server offers no encryption here; use `tls = "implicit"` with its port, or switch it on there',
    "plain_text_over_a_network": "use encryption, or name the server's private network in `networks`; "
    "else plain text is for a server on this machine alone",
    "outside_of_networks": "the server lies outside of `networks`; use encryption, or name its private network there",
    # what the host itself saw
    "circuit_open": "it failed several times in a row and is left alone for half a minute",
    "overran_its_deadline": "it stopped answering",
}
_STATUS: Final = "status_"


def hint_of(code: str) -> str | None:
    """What to do about a code; None for a word of the service itself, which its own documentation explains."""
    if code.startswith(_STATUS):
        return f"the service answered with HTTP status {code.removeprefix(_STATUS)}; look at the address and its rights"
    return HINTS.get(code)
