"""Addresses: which are public, how servers take them, and how people may see them."""

import ipaddress

import pytest

from spine.shipped import load

addresses = load("common.addresses")

# One address of each block that the IANA registries of special-purpose addresses list as not
# globally reachable, and of what else is no server's.
NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254"),  # noqa: S104 (refused, not bound)
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1"),
    *("192.88.99.2", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"),
    *("168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110"),
    *("203.0.113.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::169.254.169.254", "::7f00:1", "::93.184.216.34", "::ffff:127.0.0.1"),
    *("::ffff:10.0.0.1", "::ffff:0:7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe"),
    *("64:ff9b:1::a9fe:a9fe", "64:ff9b:1:ffff::1", "64:ff9b:1::", "100::1", "100:0:0:1::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1"),
    *("2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "3fff:fff::1", "5f00::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "feff::1", "ff02::1"),
    *("4000::1", "8000::1", "2606:2800::5efe:a9fe:a9fe", "2606:2800::200:5efe:a00:1"),
]
PUBLIC = [
    *("168.63.129.15", "168.63.129.17"),
    *("93.184.216.34", "1.1.1.1", "8.8.8.8", "52.95.110.1", "192.31.196.1", "172.32.0.1"),
    *("2606:2800:220:1::1", "2600:1f18::1", "2a00:1450::1", "::ffff:93.184.216.34"),
    *("64:ff9b::5db8:d822", "2620:4f:8000::1"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_is_told(address: str) -> None:
    """Whatever form it is written in, and whatever tunnel it would go through."""
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_told(address: str) -> None:
    """IPv4, IPv6, and IPv4 in IPv6 where the mapping is plain."""
    assert addresses.is_public(address)


def test_no_ipv4_address_that_is_not_public_is_when_ipv6_carries_it() -> None:
    """Mapped, compatible, translated, by NAT64 with either prefix, 6to4, Teredo and ISATAP."""
    for inside in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1"):
        number = int(ipaddress.IPv4Address(inside))
        for carrier in (
            number,
            0xFFFF << 32 | number,
            0xFFFF0000 << 32 | number,
            0x64FF9B << 96 | number,
            0x64FF9B0001 << 80 | number,
            0x2002 << 112 | number << 80 | 1,
            0x20010000 << 96 | number << 64 | 1,
            0x20010000 << 96 | number ^ 0xFFFFFFFF,
            0x26062800 << 96 | 0x5EFE << 32 | number,
        ):
            assert not addresses.is_public(str(ipaddress.IPv6Address(carrier)))


@pytest.mark.parametrize(
    "name",
    [
        *("key", "auth", "code", "sig", "KEY", "api_key", "api-key", "apikey", "accessKeyId"),
        *("X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "X-Goog-Signature"),
        *("AWSAccessKeyId", "Signature", "token", "access_token", "id_token", "jwt", "bearer"),
        *("password", "passwd", "passphrase", "pwd", "secret", "client_secret", "session"),
        *("sessionid", "PHPSESSIONID", "authorization", "oauth_nonce", "subscription-key"),
        *("oauth", "oauth2", "privatekey", "private_key", "accessCode", "appkey", "userkey", "tok"),
        *("mac", "data[key]", "data%5Bkey%5D", "data%255Bkey%255D", "data.key", "user[pass]"),
        *("hmac", "ticket", "otp", "pin", "credential", "sas", "to%6Ben", "%6bey", "k%65y"),
    ],
)
def test_names_that_secrets_go_by_are_known(name: str) -> None:
    """Signed addresses of the clouds, and what programs call their keys, encoded or not."""
    assert addresses.has_secret(f"https://h.example/a.csv?a=1&{name}=x")
    assert addresses.has_secret(f"https://h.example/a.csv?{name}")
    assert addresses.has_secret(f"https://h.example/a.csv?a=1;{name}=x#part")
    assert addresses.has_secret(f"https://h.example/a.csv#{name}=x")
    assert addresses.has_secret(f"https://h.example/a.csv?a=1#/part?b=2&{name}=x")


@pytest.mark.parametrize(
    "query",
    [
        *("", "?", "?id=7&page=2", "?format=csv&year=2024", "?v=1", "?download=true", "?q=keys"),
        *("?machine=2&author=me", "?monkey=1&keyword=a", "?stock=1&zipcode=1", "#part", "#L10"),
        *("?data[id]=1", "?data%5Bid%5D=1", "?design=1&passage=2"),
    ],
)
def test_other_parameters_are_no_secrets(query: str) -> None:
    """A value is not looked at."""
    assert not addresses.has_secret(f"https://h.example/key/token.csv{query}")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://h.example/a/b.csv", "https://h.example/a/b.csv"),
        ("https://h.example/a.csv?key=s", "https://h.example/a.csv?..."),
        ("https://h.example/a.csv#s", "https://h.example/a.csv?..."),
        ("https://h.example/pack@1.0/a.csv", "https://h.example/pack@1.0/a.csv"),
        ("https://h.example/a%40b.csv?e=me@s", "https://h.example/a%40b.csv?..."),
        ("https://me:s@h.example/a.csv", "https://...@h.example/a.csv"),
        ("https://me:s@s/s@h.example/a", "https://...@h.example/a"),
        ("https://me:s/s@h.example/a", "https://...@h.example/a"),
        ("https://me:1/s@h.example/a", "https://...@h.example/a"),
        ("https://s@s/s@h.example/a", "https://...@h.example/a"),
        ("https://me:s?s@h.example/a", "https://...?..."),
        ("https://me:s#s@h.example/a?s@s", "https://...?..."),
        ("https:/me:s@h.example/a", "https:/...@h.example/a"),
        ("https:\\\\me:s@h.example/a", "https:\\\\...@h.example/a"),
        ("HTTPS:///me:s@h.example/a", "HTTPS:///...@h.example/a"),
        ("https:me:s@h.example/a", "...@h.example/a"),
        ("me:s/s@h.example/a", "...@h.example/a"),
        ("me:/s/s@h.example/a", "...@h.example/a"),
        ("\x00https://me:s@h.example/a", "...@h.example/a"),
        ("https://me:s@[h.example/a", "https://...@[h.example/a"),
        ("https://me:s@h\u2100.example/a", "https://...@h\u2100.example/a"),
        ("https://me:s\uff20h.example/a", "https://...@h.example/a"),
        ("https://me\uff1as/s@h.example/a", "https://...@h.example/a"),
        ("https://me:s%40h.example/a", "https://...@h.example/a"),
        ("https://h.example\uff1fkey=s", "https://h.example?..."),
        ("https://me:s@h@h.example/a", "https://...@h.example/a"),
        ("//me:s@h.example/a?s", "//...@h.example/a?..."),
        ("s3://bucket/a?b#c@d.csv", "s3://bucket/a?b#c@d.csv"),
        ("s3://me:s@bucket/a", "s3://...@bucket/a"),
        ("s3://me:s/s@bucket/a", "s3://...@bucket/a"),
        ("nonsense", "nonsense"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_secret(address: str, shown: str) -> None:
    """The keys of S3 objects stay whole: they hold no secrets, and any character."""
    assert addresses.shown(address) == shown


@pytest.mark.parametrize(
    ("address", "encoded"),
    [
        ("https://h.example/a%20b?c=%C3%A9", "https://h.example/a%20b?c=%C3%A9"),
        ("https://h.example/é/%zz?ü", "https://h.example/%C3%A9/%25zz?%C3%BC"),
        ("https://H.example", "https://H.example"),
        ("https://bücher.example:443/a", "https://xn--bcher-kva.example:443/a"),
        ("https://例え.テスト/あ", "https://xn--r8jz45g.xn--zckzah/%E3%81%82"),
        ('https://h.example/<a>"{b}|^`\\', "https://h.example/%3Ca%3E%22%7Bb%7D%7C%5E%60%5C"),
        ("https://h.example/a;b=c,d(e)!'*~@:$&+", "https://h.example/a;b=c,d(e)!'*~@:$&+"),
    ],
)
def test_an_address_is_encoded_as_servers_take_it(address: str, encoded: str) -> None:
    """Once: what is encoded stays as it is."""
    assert addresses.encoded(address) == encoded
    assert addresses.encoded(encoded) == encoded


@pytest.mark.parametrize("host", ["straße.example", "ςigma.example", "a\u200db.example", "é..x"])
def test_a_host_that_leads_to_one_of_two_is_refused(host: str) -> None:
    """Versions of IDNA disagree about some characters, and their owners may be two people."""
    with pytest.raises(ValueError, match=r".+"):
        addresses.ascii_host(host)


def test_only_control_characters_are_control_characters() -> None:
    """Blanks of every kind and characters that format others are parts of names."""
    for name in (
        "a\u00a0b",
        "a\u2003b",
        "a\u200fb",
        "a\u200db",
        "a\ufeffb",
        "a\u2028b",
        "a\U0001f600b",
    ):
        assert not addresses.has_control_characters(name)
    for name in ("a\x00b", "a\x1bb", "a\x7fb", "a\x9bb", "a\nb", "a\ud800b"):
        assert addresses.has_control_characters(name)
