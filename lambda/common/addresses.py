"""Addresses of sources: as servers take them, as people may see them, and which are public. Pure.

Everything that shows an address (messages, logs, the run's output) shows it by `shown`.
"""

import ipaddress
import re
import unicodedata
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

# Names of parameters that carry what lets somebody in: of signed addresses (AWS, Google, Azure's
# `sig`), and of programs' keys. `page`, `id` or `format` are none.
_SECRET = re.compile(
    r"signature|token|secret|passw|passphrase|credential|session|bearer|jwt|hmac|oauth"
    r"|^(x-)?(amz|goog)-|authorization|keyid"
    # Words of their own, between marks of whatever kind: `data[key]`.
    r"|(?<![a-z0-9])(auth|key|code|sig|sign|pwd|pass|otp|pin|ticket|nonce|sas|tok|mac)(?![a-z0-9])"
    r"|(api|access|account|app|application|auth|client|consumer|license|master|private|service"
    r"|shared|signing|ssh|storage|subscription|user)[-_]?key"
    r"|(access|auth|authorization|invite|login|pass|security|verification)[-_]?code",
    re.IGNORECASE,
)
# What an address begins with, as people write it too; another word may be a user's name.
_BEGIN = re.compile(r"\s*(?:(?:https?|s3|ftp):)?[/\\]+", re.IGNORECASE)
# Marks of an address, and the characters that turn into them when it is normalized.
_AT = re.compile("[@\uff20\ufe6b]|%(?:25)*40")
_COLON = re.compile("[:\uff1a\ufe55\ufe13]|%(?:25)*3a", re.IGNORECASE)
_USER_MARK = re.compile(f"{_AT.pattern}|{_COLON.pattern}", re.IGNORECASE)
_QUERY_MARK = re.compile("[?#\uff1f\uff03\ufe56\ufe5f]")
_HOST_END = re.compile(rf"[/\\]|{_QUERY_MARK.pattern}")
_SEPARATOR = re.compile("[&;?#]")
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# Of RFC 3986: what may stand in a path as it is, beside letters, digits and "-._~".
_IN_PATH = "/%:@!$&'()*+,;="
_IN_QUERY = _IN_PATH + "?"
# Of which IDNA 2003, which Python knows, and IDNA 2008 make different hosts (RFC 5895, UTS 46).
_DEVIATING = re.compile("[\u00df\u03c2\u200c\u200d]")

# What the IANA registries of special-purpose addresses do not call globally reachable, and what
# else is no server's: multicast, the former class E, and the relays of 6to4; and the one public
# address at which Azure's host answers its machines, with what configures them:
# https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16.
# Sources: https://www.iana.org/assignments/iana-ipv4-special-registry,
# https://www.iana.org/assignments/iana-ipv6-special-registry and
# https://www.iana.org/assignments/ipv6-address-space (only 2000::/3 is global unicast).
_NOT_PUBLIC_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        ),
    )
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
# Protocol assignments (Teredo, ORCHID, benchmarking among them), documentation, 6to4.
_NOT_PUBLIC_6 = tuple(
    map(
        ipaddress.IPv6Network,
        ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
# An interface that tunnels to the IPv4 address in the last 32 bits: ISATAP, RFC 5214.
_ISATAP = (0x00005EFE, 0x02005EFE)
_32_BITS = 0xFFFFFFFF


def is_public(address: str) -> bool:
    """Tell whether an address is on the public internet.

    Addresses that carry an IPv4 address in an IPv6 one count as the former where the mapping is
    plain (`::ffff:`, NAT64's well-known prefix), and as not public where a tunnel would decide.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed.is_global and not any(parsed in network for network in _NOT_PUBLIC_4)
    if parsed.ipv4_mapped is not None:
        return is_public(str(parsed.ipv4_mapped))
    if parsed in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(parsed) & _32_BITS)))
    if parsed.scope_id is not None or int(parsed) >> 32 & _32_BITS in _ISATAP:
        return False
    return (
        parsed.is_global
        and parsed in _GLOBAL_6
        and not any(parsed in network for network in _NOT_PUBLIC_6)
    )


def has_control_characters(text: str) -> bool:
    """Tell whether a text holds control characters, or halves of characters that UTF-8 lacks.

    Blanks of every kind, and characters that only format others, are parts of names.
    """
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def has_secret(address: str) -> bool:
    """Tell whether a name among the parameters is one that secrets go by.

    They stand in the query, and in the fragment, where browsers are given tokens (RFC 6749, 4.2.2).
    """
    _, *parameters = re.split("[?#]", address, maxsplit=1)
    return any(
        _SECRET.search(_name_of(part.partition("=")[0]))
        for text in parameters
        for part in _SEPARATOR.split(text)
    )


def _name_of(text: str) -> str:
    """Return a parameter's name as the server reads it, or one behind it: `to%6ben` is `token`."""
    while (read := unquote(text, "latin-1")) != text:
        text = read
    return text


def shown(address: str) -> str:
    """Return an address as people may see it: nothing of user, password, query or fragment.

    Causes, logs and outputs are read by more people than may open the source. Whether the address
    parses makes no difference: what stands before its last "@" is hidden where the host's place
    holds one too, or a colon comes before, since a password may hold slashes and question marks.
    The keys of S3 objects stay whole, which may hold any of those marks.
    """
    begin = _BEGIN.match(address)
    scheme = begin[0] if begin else ""
    rest = address[len(scheme) :]
    host = _HOST_END.split(rest, maxsplit=1)[0]
    if scheme.lower() == "s3://" and not _USER_MARK.search(rest.partition("/")[0]):
        return address
    plain = _QUERY_MARK.split(rest, maxsplit=1)[0]
    hidden = "?..." if len(plain) < len(rest) else ""
    *_, last = [None, *_AT.finditer(rest)]
    if last and (_AT.search(host) or _COLON.search(plain[: last.start()])):
        # An "@" behind a question mark may end a password, or stand in a query: neither is shown.
        plain = f"...@{plain[last.end() :]}" if last.start() < len(plain) else "..."
    return scheme + plain + hidden


def ascii_host(host: str) -> str:
    """Return a host's name in the ASCII form that DNS and HTTP know (RFC 3490), in lower case.

    Raises:
        ValueError: It has none, or two that belong to different owners, or is written in characters
            that only look like those of its name.
    """
    if unicodedata.normalize("NFKC", host) != unicodedata.normalize("NFC", host):
        raise ValueError(f"{host!a} is written in characters that stand for others")
    if found := _DEVIATING.search(host):
        raise ValueError(
            f"{found[0]!a} in a host's name leads to one of two hosts; write it as xn--..."
        )
    return host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()


def encoded(address: str) -> str:
    """Return an address of which servers take every character (RFC 3987, 3.1, and RFC 3986).

    What is percent-encoded already stays so.

    Raises:
        ValueError: It is not an address.
    """
    parts = urlsplit(address)
    netloc = parts.netloc
    if parts.hostname and not netloc.isascii():
        before, at, host = netloc.rpartition("@")
        name, colon, port = host.partition(":")
        netloc = f"{quote(before)}{at}{ascii_host(name)}{colon}{port}"
    return urlunsplit(
        (
            parts.scheme,
            netloc,
            _percent_encoded(parts.path, _IN_PATH),
            _percent_encoded(parts.query, _IN_QUERY),
            "",
        )
    )


def location(header: Any) -> str:
    """Return what a Location header says, whose bytes beyond ASCII `http.client` takes for Latin-1.

    Servers send those of UTF-8; each is percent-encoded as it came.
    """
    return quote(str(header).encode("latin-1", "replace"), safe=_IN_QUERY + "#[]")


def _percent_encoded(text: str, safe: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", text), safe=safe)
