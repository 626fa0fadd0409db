#!/bin/sh
# Installs what the full test run can use, where that is possible (Debian, as root); elsewhere says once what is
# missing, which tests are left out, and how to get it. Never fails: a missing server skips its tests, no more.

set -u
PATH="$PATH:/usr/sbin:/sbin"

has_postgresql() {
    command -v initdb >/dev/null 2>&1 && return 0
    for at in /usr/lib/postgresql/*/bin/initdb; do [ -x "$at" ] && return 0; done
    return 1
}
has_mariadb() { command -v mariadbd >/dev/null 2>&1 && command -v mariadb-install-db >/dev/null 2>&1; }
has_redis() { command -v redis-server >/dev/null 2>&1; }
has_chromium() {
    for name in chromium chromium-browser google-chrome; do command -v "$name" >/dev/null 2>&1 && return 0; done
    return 1
}
has_library() {
    ldconfig -p 2>/dev/null | grep -q "$1" && return 0
    for at in /usr/lib/*/"$1"* /usr/lib/"$1"* /usr/local/lib/"$1"* /opt/homebrew/lib/"$1"*; do
        [ -e "$at" ] && return 0
    done
    return 1
}

missing=""
has_chromium || missing="$missing chromium"
has_postgresql || missing="$missing postgresql"
has_mariadb || missing="$missing mariadb-server"
has_redis || missing="$missing redis-server"
command -v dovecot >/dev/null 2>&1 || missing="$missing dovecot-imapd"
command -v slapd >/dev/null 2>&1 || missing="$missing slapd"
command -v ldapadd >/dev/null 2>&1 || missing="$missing ldap-utils"
has_library libpango-1.0 || missing="$missing libpango-1.0-0"
has_library libpangoft2-1.0 || missing="$missing libpangoft2-1.0-0"
missing="${missing# }"

[ -z "$missing" ] && exit 0

tests_of() {
    case "$1" in
        chromium) echo "the browser tests (marker browser)" ;;
        postgresql) echo "the tests on PostgreSQL (marker postgres)" ;;
        mariadb-server) echo "the SQL connector's tests on MariaDB (marker stores)" ;;
        dovecot-imapd) echo "the mailbox connector's tests on Dovecot (marker stores)" ;;
        slapd | ldap-utils) echo "the LDAP connector's tests on OpenLDAP (marker stores)" ;;
        redis-server) echo "the tests on Redis (marker stores)" ;;
        libpango*) echo "the tests that render PDF" ;;
    esac
}

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing for the full test run: $missing"
    # a server package must not start a server of its own on this machine
    policy=/usr/sbin/policy-rc.d
    made=no
    if [ ! -e "$policy" ] && printf '#!/bin/sh\nexit 101\n' >"$policy" 2>/dev/null; then
        chmod 755 "$policy"
        made=yes
    fi
    export DEBIAN_FRONTEND=noninteractive
    log="$(mktemp 2>/dev/null || echo /dev/null)"
    # shellcheck disable=SC2086 # the list is meant to be split
    if (apt-get update && apt-get install --yes --no-install-recommends $missing) >"$log" 2>&1 </dev/null; then
        echo "Installed."
        missing=""
    else
        echo "That did not work; the last words of apt-get were:"
        tail -n 3 "$log" 2>/dev/null
    fi
    [ "$made" = yes ] && rm -f "$policy"
    [ "$log" = /dev/null ] || rm -f "$log"
fi

if [ -n "$missing" ]; then
    echo "Not on this machine, so these tests are left out:"
    for name in $missing; do echo "  $name: $(tests_of "$name")"; done
    echo "On Debian or Ubuntu: sudo apt-get install $missing"
    echo "Elsewhere install the same servers and libraries from your system's packages. The tests find them by PATH."
fi
exit 0
