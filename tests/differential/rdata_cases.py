"""Rdata with edge values for every RR type that has a presentation format, built octet by octet.

CASES: {type: [wire, ...]} whose text an independent parser must bring back to the same octets.
HAND: [(type, wire, text, reference)] for types and values that no packaged parser knows.

SPDX-License-Identifier: Apache-2.0
"""
import struct


def u8(*values):
    return bytes(values)


def u16(*values):
    return struct.pack(f">{len(values)}H", *values)


def u32(*values):
    return struct.pack(f">{len(values)}I", *values)


def name(*labels):
    out = b""
    for label in labels:
        label = label.encode("latin-1") if isinstance(label, str) else label
        out += bytes([len(label)]) + label
    return out + b"\0"


def txt(*strings):
    return b"".join(bytes([len(s)]) + s for s in strings)


def h(text):
    return bytes.fromhex(text.replace(" ", ""))


ROOT = name()
PLAIN = name("host", "example", "com")
MIXED = name("HoSt", "Example")
ODD = name(b"a.b", b"\0\x01\x7f\xff", b'"$@;()\\ \t', b"x")
LONGEST = name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61)
NAMES = [ROOT, PLAIN, MIXED, ODD, LONGEST, name("*", "example"), name("_dmarc", "x-1"), name("1")]
STRINGS = [b"", b"x", b"a b", b'q"uo\\te', b"\0\x01\x1f\x7f\x80\xff", b"semi;colon (x) @ $",
           b"y" * 255, "ü".encode(), b"\r\n\t"]
TXTS = [txt(s) for s in STRINGS] + [txt(*STRINGS), txt(b"v=spf1 -all"), txt(b"a", b"b", b"c"),
                                    txt(b"1", b""), txt(*[b"z" * 255] * 20)]
KEYS = [b"\0", b"\x01\x03" + bytes(range(128)), bytes(range(256)) * 2, b"abc", b"ab"]
TIMES = [0, 1, 1700000000, 0x7fffffff, 0x80000000, 0xffffffff, 951782400, 951868799, 4107542399]


def bitmap(*types):
    out = b""
    for window in sorted({t >> 8 for t in types}):
        bits = bytearray(32)
        for t in types:
            if t >> 8 == window:
                bits[(t & 255) >> 3] |= 0x80 >> (t & 7)
        kept = bytes(bits).rstrip(b"\0")
        out += u8(window, len(kept)) + kept
    return out


# NXT has types to 127 (RFC 2535 5.2): here those that every BIND has a name for, and 127. None that IANA assigns next (71
# and up): a BIND that is older than a name refuses it.
NXT = bytes(sum(0x80 >> bit for bit in range(8) if octet * 8 + bit in
                {*range(1, 54), 55, 58, 59, 60, 61, 62, 63, 99, *range(100, 110), 127}) for octet in range(16))

MAPS = [bitmap(1), bitmap(1, 2, 6, 15, 16, 28, 46, 47, 48), bitmap(1, 255, 256, 257, 32769, 65280),
        bitmap(1234), bitmap(65535), bitmap(*range(1, 23), *range(24, 31), 33, 35, 36, 37, *range(41, 54), 55)]


def sigs(signer):
    return [u16(covered) + u8(alg, labels) + u32(ttl, end, start) + u16(tag) + signer + key
            for (covered, alg, labels, ttl), (end, start), tag, key in zip(
                [(1, 8, 2, 3600), (6, 13, 0, 0), (65280, 15, 255, 0xffffffff), (50, 253, 1, 1)] * 3,
                zip(TIMES, reversed(TIMES)), [0, 1, 65535, 12345] * 3, KEYS * 2)]


def param(key, value):
    return u16(key, len(value)) + value


SVCB = [
    u16(0) + PLAIN, u16(1) + ROOT, u16(65535) + ODD,
    u16(1) + ROOT + param(1, txt(b"h2", b"h3")),
    u16(1) + ROOT + param(0, u16(1, 4)) + param(1, txt(b"h2")) + param(4, h("c0000201")),
    u16(1) + ROOT + param(1, txt(b"h2")) + param(2, b""),
    u16(16) + PLAIN + param(3, u16(53)) + param(4, h("c0000201 c6336401"))
    + param(5, b"\0\xff\x10" * 5) + param(6, h("20010db8 00000000 00000000 00000001") * 2),
    u16(1) + ROOT + param(1, txt(b"f\\oo,bar", b"h2")),
    u16(1) + PLAIN + param(667, b"hello"), u16(1) + PLAIN + param(667, b"hello\xd2qoo"),
    u16(1) + PLAIN + param(65534, b""), u16(1) + PLAIN + param(65280, b'a"b c;d\\e,f\0'),
]


def apl(*items):
    return b"".join(u16(family) + u8(prefix, negative << 7 | len(data)) + data
                    for family, prefix, negative, data in items)


IPSEC = [u8(10, kind, alg) + gateway + key
         for kind, gateway in [(0, b""), (1, h("c0000201")), (2, h("20010db8" + "0" * 23 + "1")),
                               (3, PLAIN), (3, ROOT)]
         for alg, key in [(2, KEYS[1]), (1, b"\xff")]]
AMT = [u8(10, kind) + gateway for kind, gateway in [
    (0, b""), (0x80, b""), (1, h("cb00710f")), (0x82, h("20010db8" + "0" * 23 + "f")),
    (3, PLAIN), (0x83, ROOT)]]
DIGESTS = [u16(tag) + u8(alg, digest) + value for tag, alg, digest, value in [
    (60485, 5, 1, bytes(range(20))), (0, 8, 2, bytes(range(32))), (65535, 13, 4, b"\xff" * 48)]]
DNSKEYS = [u16(flags) + u8(3, alg) + key
           for flags, alg in [(256, 8), (257, 13), (384, 15), (0, 0), (65535, 255)] for key in KEYS]
CERTS = [u16(kind, tag) + u8(alg) + value for kind, tag, alg, value in [
    (1, 0, 0, KEYS[1]), (3, 65535, 8, b"x"), (253, 1, 5, KEYS[2]), (254, 7, 13, KEYS[0]),
    (6, 12, 255, KEYS[3]), (65535, 9, 3, KEYS[4]), (0, 0, 0, b"\0")]]
LOCS = [u8(0, size, horiz, vert) + u32(lat, lon, alt) for size, horiz, vert, lat, lon, alt in [
    (0x12, 0x16, 0x13, 0x80000000, 0x80000000, 10000000), (0x00, 0x00, 0x00, 0x80000001, 0x7fffffff, 0),
    (0x99, 0x99, 0x99, 0x80000000 + 90 * 3600000, 0x80000000 - 180 * 3600000, 0xffffffff),
    (0x33, 0x10, 0x25, 0x80000000 - 90 * 3600000, 0x80000000 + 180 * 3600000, 9999999),
    (0x12, 0x16, 0x13, 2332887285, 2146974245, 9999800), (0x51, 0x20, 0x41, 0x8b0d2c8b, 0x7f8cb7d4, 12345678)]]

CASES = {
    1: [h("00000000"), h("c0000201"), h("ffffffff"), h("0a00640a")],
    **{t: NAMES for t in (2, 3, 4, 5, 7, 8, 9, 12, 39)},
    6: [a + b + u32(*numbers) for a, b in zip(NAMES, reversed(NAMES))
        for numbers in [(1, 2, 3, 4, 5), (0xffffffff, 0, 0x7fffffff, 0x80000000, 1)]],
    11: [h("c0000201 06") + bits for bits in (b"\x01", b"\0\0\0\x40", b"\xff", b"\0" * 15 + b"\x80")],
    13: [txt(a, b) for a, b in zip(STRINGS, reversed(STRINGS))],
    14: [a + b for a, b in zip(NAMES[:4], reversed(NAMES[:4]))],
    15: [u16(p) + n for p, n in zip([0, 1, 10, 65535, 256, 255, 2, 3], NAMES)],
    16: TXTS, 56: TXTS, 99: TXTS, 258: TXTS, 261: TXTS, 262: TXTS, 263: TXTS,
    17: [a + b for a, b in zip(NAMES, reversed(NAMES))],
    18: [u16(p) + n for p, n in zip([1, 2, 65535], NAMES)],
    19: [txt(b"311061700956"), txt(b"0")],
    20: [txt(b"150862028003217", b"004"), txt(b"150862028003217")],
    21: [u16(p) + n for p, n in zip([0, 10, 65535], NAMES)],
    22: [h("47000580005a0000000001e133ffffff00016100"), b"\x39"],
    23: NAMES[:3],
    24: sigs(PLAIN) + sigs(ROOT), 46: sigs(PLAIN) + sigs(ROOT) + sigs(MIXED),
    25: [key for key in DNSKEYS if key[0] < 0xc0], 48: DNSKEYS, 60: DNSKEYS + [h("00000300 00")],
    57: [u16(0) + u8(3, 8) + key for key in KEYS],
    26: [u16(1) + PLAIN + MIXED, u16(65535) + ROOT + ODD],
    27: [txt(b"-32.6882", b"116.8652", b"10.0"), txt(b"0", b"-180.0", b"-1")],
    28: [h("0" * 32), h("f" * 32), h("20010db8" + "0" * 23 + "1"), h("0" * 20 + "ffffc0000201"),
         h("0" * 24 + "c0000201"), h("20010db8000100000000000100010000"), h("0001" + "0" * 28),
         h("fe80" + "0" * 12 + "0202b3fffe1e8329"), h("0" * 31 + "1")],
    29: LOCS,
    30: [PLAIN + b"\x40", ROOT + b"\x62\x01\x80\x08\0\x03", ODD + b"\0" * 15 + b"\x01", LONGEST + NXT],
    31: [b"\0", bytes(range(256))], 32: [b"\xff", bytes(64)],
    34: [u8(0) + b"\x39" + bytes(19), u8(0, 255), u8(1) + b"358400000000", u8(1) + b"0"],
    33: [u16(a, b, c) + n for (a, b, c), n in zip([(0, 0, 0), (65535, 1, 443), (1, 65535, 65535)] * 3, NAMES)],
    35: [u16(100, 10) + txt(b"U", b"E2U+sip", b"!^.*$!sip:info@example.com!") + ROOT,
         u16(0, 65535) + txt(b"", b"", b"") + PLAIN, u16(1, 2) + txt(b"s", b'a"b\\', b"\xff\0") + ODD],
    36: [u16(p) + n for p, n in zip([0, 65535], NAMES)],
    37: CERTS,
    38: [u8(0) + h("20010db8" + "0" * 23 + "1"), u8(64) + h("0000000000000001") + PLAIN, u8(128) + ROOT,
         u8(127) + u8(1) + MIXED, u8(1) + h("7f" + "f" * 30) + ODD, u8(0) + bytes(16), u8(8) + bytes(15) + ROOT],
    40: [u8(0, 1, 2) + b"abc", u8(255, 255, 255) + KEYS[2], u8(1, 0, 0) + b"\0"],
    42: [b"", apl((1, 24, 0, h("c00002"))), apl((1, 0, 1, b"")), apl((2, 32, 1, h("20010db8")), (1, 32, 0, h("c0000201"))),
         apl((2, 128, 0, h("f" * 32)))],
    43: DIGESTS, 59: DIGESTS + [h("0000000000")], 32769: DIGESTS, 32768: DIGESTS,
    44: [u8(a, b) + v for a, b, v in [(1, 1, bytes(20)), (4, 2, bytes(range(32))), (255, 255, b"\xff")]],
    45: IPSEC,
    47: [n + m for n, m in zip(NAMES, MAPS)] + [PLAIN],
    49: KEYS[1:],
    50: [u8(1, flags) + u16(iterations) + txt(salt, hashed) + m for flags, iterations, salt, hashed, m in [
        (0, 0, b"", bytes(range(20)), MAPS[0]), (1, 65535, b"\xaa\xbb", b"\xff" * 20, MAPS[2]),
        (255, 1, b"\0" * 255, b"\x01" * 5, MAPS[1]), (0, 12, b"\xde\xad", bytes(20), b"")]],
    51: [u8(1, 0) + u16(0) + txt(b""), u8(1, 255) + u16(65535) + txt(b"\xaa" * 255), u8(0, 1) + u16(5) + txt(b"\0")],
    52: [u8(3, 1, 1) + bytes(range(32)), u8(255, 255, 255) + b"\xff", u8(0, 0, 0) + KEYS[2]],
    53: [u8(3, 1, 1) + bytes(range(32)), u8(0, 0, 0) + KEYS[2]],
    55: [u8(len(hit), 2) + u16(len(key)) + hit + key + servers for hit, key in [(bytes(range(16)), KEYS[1]), (b"\xff", b"x")]
         for servers in (b"", PLAIN, PLAIN + MIXED)],
    58: [PLAIN + MIXED, ROOT + ROOT],
    61: KEYS,
    62: [u32(serial) + u16(flags) + m for serial, flags, m in [(66, 3, bitmap(1, 2, 28)), (0xffffffff, 65535, bitmap(65535)), (0, 0, b"")]],
    63: [u32(2018031500) + u8(1, 1) + bytes(range(48)), u32(0) + u8(1, 2) + b"\xff" * 64, u32(0xffffffff) + u8(240, 255) + bytes(12)],
    64: SVCB, 65: SVCB,
    66: [u16(59) + u8(1) + u16(5359) + PLAIN, u16(62) + u8(200) + u16(0) + ROOT, u16(65535) + u8(255) + u16(65535) + ODD,
         u16(0) + u8(0) + u16(1) + LONGEST],
    67: KEYS, 68: KEYS,
    104: [u16(10) + h("0014 4fff ff20 ee64"), u16(65535) + h("f" * 16), u16(0) + bytes(8)],
    105: [u16(10) + h("0a010200"), u16(65535) + h("ffffffff")],
    106: [u16(10) + h("2001 0db8 1140 1000"), u16(0) + bytes(8)],
    107: [u16(10) + PLAIN, u16(65535) + ROOT],
    108: [h("00005e00532a"), h("ffffffffffff")],
    109: [h("00005eef1000002a"), h("f" * 16)],
    250: [name("hmac-sha256") + u16(0) + u32(1700000000) + u16(300, 32) + bytes(range(32)) + u16(4660, 0, 0),
          name("hmac-md5", "sig-alg", "reg", "int") + u16(65535) + u32(0xffffffff) + u16(65535, 16) + b"\xff" * 16
          + u16(65535, 18, 6) + bytes(6),
          name("hmac-sha256") + u16(0) + u32(1700000000) + u16(300, 0) + u16(1, 17, 0)],
    256: [u16(10, 1) + b"ftp://ftp1.example.com/public", u16(65535, 0) + b'x"\\\xff \0;', u16(0, 0) + b"y" * 300],
    257: [u8(flags) + txt(tag) + value for flags, tag, value in [
        (0, b"issue", b"ca1.example.net; policy=ev"), (128, b"iodef", b"mailto:x@y"), (255, b"tbs", b""),
        (1, b"issuewild", b';"\\\x7f\xff'), (0, b"i", b"v" * 300)]],
    259: [u32(0, 1) + u8(2) + txt(b"text/html") + b"abc", u32(4294967295, 0) + u8(255) + txt(b""),
          u32(1, 4294967295) + u8(0) + txt(STRINGS[3]) + KEYS[2]],
    260: AMT,
}

HAND = [
    (64, u16(1) + PLAIN + param(7, b"/dns-query{?dns}"), '1 host.example.com. dohpath="/dns-query{?dns}"', "RFC 9461 5"),
    (64, u16(1) + PLAIN + param(8, b""), "1 host.example.com. ohttp", "RFC 9540 4"),
    (66, u16(59) + u8(1) + u16(5359) + PLAIN, "CDS NOTIFY 5359 host.example.com.", "RFC 9859 2.2"),
    (66, u16(62) + u8(200) + u16(0) + ROOT, "CSYNC 200 0 .", "RFC 9859 2.2"),
    (45, u8(10, 0, 0), "10 0 0 .", "RFC 4025 3.1, no key with algorithm 0"),
    (45, u8(10, 1, 0) + h("c0000201"), "10 1 0 192.0.2.1", "RFC 4025 3.1"),
    (45, u8(10, 2, 0) + h("20010db8" + "0" * 23 + "1"), "10 2 0 2001:db8::1", "RFC 4025 3.1"),
    (45, u8(10, 3, 0) + PLAIN, "10 3 0 host.example.com.", "RFC 4025 3.1"),
    (30, PLAIN + b"\x40", "host.example.com. A", "RFC 2535 5.2"),
    (30, ROOT + b"\x62\x01\x80\x08\0\x03", ". A NS SOA MX TXT AAAA RRSIG NSEC", "RFC 2535 5.2"),
    (264, u32(0, 977000), "977000", "draft-johnson-dns-ipn-cla-07 3.1"),
    (264, u32(0xffffffff, 0xffffffff), "18446744073709551615", "draft-johnson-dns-ipn-cla-07 3.1"),
    (249, ROOT + u32(0, 0) + u16(5, 17) + u16(1) + b"x" + u16(3) + b"abc", ". 0 0 5 BADKEY 1 eA== 3 YWJj",
     "fields of RFC 2930 2 in BIND's text"),
    (249, PLAIN + u32(1, 0xffffffff) + u16(3, 0, 2) + b"ab" + u16(0),
     "host.example.com. 1 4294967295 3 NOERROR 2 YWI= 0", "fields of RFC 2930 2 in BIND's text"),
    (40, u8(0, 1, 2) + b"abc", "0 1 2 YWJj", "draft-eastlake-kitchen-sink 2"),
    (259, u32(0, 1) + u8(2) + txt(b"text/html") + b"abc", '0 1 2 "text/html" YWJj', "draft-durand-doa-over-dns 3"),
    (259, u32(4294967295, 0) + u8(255) + txt(b""), '4294967295 0 255 "" -', "draft-durand-doa-over-dns 3"),
    (38, u8(0) + h("20010db8" + "0" * 23 + "1"), "0 2001:db8::1", "RFC 2874 3.1.1"),
    (38, u8(64) + h("0000000000000001") + PLAIN, "64 ::1 host.example.com.", "RFC 2874 3.1.1"),
    (38, u8(128) + PLAIN, "128 host.example.com.", "RFC 2874 3.1.1"),
]
