#!/usr/bin/python3
"""The tables of lib/names_dns.c against those of dnspython, ldns and Knot DNS.

What they know, we know by the same name, but for OTHER. What no packaged one of them knows is in NEWER, taken from the
IANA registries as two independent projects of this year have them; together that is every row, so a row that
gets lost or mistyped fails here. An entry of OTHER or NEWER that an oracle no longer needs fails, too.

SPDX-License-Identifier: Apache-2.0
"""
import ctypes
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle
from oracle import tap

oracle.require_dnspython()

import dns.edns
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CERT
import dns.rdtypes.svcbbase

# Registered since those packages were made, or without use to them; the reference of the registry.
NEWER = {
    ("type", 57): ("RKEY", "IANA template RKEY"),
    ("type", 66): ("DSYNC", "RFC 9859"),
    ("type", 67): ("HHIT", "RFC 9886"),
    ("type", 68): ("BRID", "RFC 9886"),
    ("type", 69): ("UNECE", "draft-woodcock-faltstrom-external-registry-rrtypes"),
    ("type", 70): ("ISO", "draft-woodcock-faltstrom-external-registry-rrtypes"),
    ("type", 100): ("UINFO", "reserved in the registry"),
    ("type", 101): ("UID", "reserved in the registry"),
    ("type", 102): ("GID", "reserved in the registry"),
    ("type", 128): ("NXNAME", "RFC 9824"),
    ("type", 259): ("DOA", "draft-durand-doa-over-dns"),
    ("type", 261): ("RESINFO", "RFC 9606"),
    ("type", 262): ("WALLET", "IANA template wallet-1"),
    ("type", 263): ("CLA", "draft-johnson-dns-ipn-cla"),
    ("type", 264): ("IPN", "draft-johnson-dns-ipn-cla"),
    ("opcode", 6): ("DSO", "RFC 8490"),
    ("option", 1): ("LLQ", "RFC 8764"),
    ("option", 2): ("UL", "RFC 9664"),
    ("option", 14): ("KEY-TAG", "RFC 8145"),
    ("option", 16): ("CLIENT-TAG", "draft-bellis-dnsop-edns-tags"),
    ("option", 17): ("SERVER-TAG", "draft-bellis-dnsop-edns-tags"),
    ("option", 18): ("REPORT-CHANNEL", "RFC 9567"),
    ("option", 19): ("ZONEVERSION", "RFC 9660"),
    ("option", 20): ("MQTYPE-QUERY", "RFC 10029"),
    ("option", 21): ("MQTYPE-RESPONSE", "RFC 10029"),
    ("option", 22): ("EDE-EXTRA-TEXT-LANGUAGE", "draft-muks-dns-filtering"),
    ("option", 23): ("FILTERING-CONTACT", "draft-muks-dns-filtering"),
    ("option", 24): ("FILTERING-ORGANIZATION", "draft-muks-dns-filtering"),
    ("option", 25): ("FILTERING-DB", "draft-muks-dns-filtering"),
    ("option", 26): ("STRUCTURED-DNS-ERROR", "draft-ietf-dnsop-structured-dns-error"),
    ("option", 20292): ("UMBRELLA-IDENT", "developer.cisco.com"),
    ("option", 26946): ("DEVICEID", "developer.cisco.com"),
    ("svcb", 7): ("dohpath", "RFC 9461"),
    ("svcb", 8): ("ohttp", "RFC 9540"),
    ("svcb", 9): ("tls-supported-groups", "draft-ietf-tls-key-share-prediction"),
    ("svcb", 10): ("docpath", "RFC 9953"),
    ("svcb", 11): ("pvd", "draft-ietf-intarea-proxy-config"),
    ("svcb", 12): ("oots", "draft-johani-dnsop-svcb-oots"),
    ("ede", 30): ("Invalid Query Type", "RFC 9824"),
    ("ede", 31): ("Rate Limited", "draft-muks-dns-ede-rate-limited"),
    ("ede", 32): ("Over Quota", "draft-muks-dns-ede-rate-limited"),
    ("ede", 33): ("Negative Trust Anchor", "draft-farrokhi-dnsop-ede-nta"),
    ("ede", 34): ("New Delegation Only", "draft-ietf-deleg"),
    ("ede", 35): ("Blocked by Upstream DNS Server", "draft-ietf-dnsop-structured-dns-error"),
}

# What an oracle calls otherwise: (oracle, table, value): (its name, why ours).
OTHER = {
    ("dnspython", "ede", 0): ("OTHER", "Other Error in RFC 8914 4.1"),
    ("libknot", "ede", 0): ("Other", "Other Error in RFC 8914 4.1"),
    ("dnspython", "option", 18): ("REPORTCHANNEL", "REPORT-CHANNEL in the registry; 2.7"),
    ("libknot", "type", 65401): ("ALIAS", "of its own, for private use in the registry; 3.5"),
    ("ldns", "type", 262): ("TXT", "its table has WALLET under that name; 1.8.4"),
    ("ldns", "rcode", 4): ("NOTIMPL", "NotImp in the registry"),
    ("libknot", "rcode", 4): ("NOTIMPL", "NotImp in the registry"),
}


def ours():
    run = subprocess.run([oracle.tool("names_list")], stdout=subprocess.PIPE, check=True)
    out = {}
    for line in run.stdout.decode("ascii").splitlines():
        table, value, text = line.split(" ", 2)
        out[table, int(value)] = text
    return out


def from_dnspython():
    out = {}
    enums = {"type": dns.rdatatype.RdataType, "class": dns.rdataclass.RdataClass, "opcode": dns.opcode.Opcode,
             "rcode": dns.rcode.Rcode, "option": dns.edns.OptionType}
    for table, enum in enums.items():
        out.update(((table, int(row)), row.name.replace("_", "-") if table == "type" else row.name) for row in enum)
    out.update((("ede", int(row)), row.name.replace("_", " ")) for row in dns.edns.EDECode)
    out.update((("svcb", int(row)), row.name.lower().replace("_", "-")) for row in dns.rdtypes.svcbbase.ParamKey)
    out.update((("cert", value), name) for value, name in dns.rdtypes.ANY.CERT._ctype_by_value.items())
    return out


class LdnsRow(ctypes.Structure):
    _fields_ = [("value", ctypes.c_int), ("name", ctypes.c_char_p)]


def from_ldns():
    lib, out = oracle.ldns().lib, {}
    for table, symbol in (("class", "ldns_rr_classes"), ("opcode", "ldns_opcodes"), ("rcode", "ldns_rcodes"),
                          ("cert", "ldns_cert_algorithms")):
        at = ctypes.addressof(LdnsRow.in_dll(lib, symbol))
        while True:
            row = LdnsRow.from_address(at)
            if not row.name:
                break
            out[table, row.value] = row.name.decode()
            at += ctypes.sizeof(LdnsRow)
    lib.ldns_rr_type2str.restype = ctypes.c_void_p
    for value in range(65536):
        text = lib.ldns_rr_type2str(value)
        name = ctypes.string_at(text).decode()
        oracle.ldns().libc.free(text)
        if not name.startswith("TYPE"):
            out["type", value] = name
    return out


def from_libknot():
    out = {}
    for item in oracle.knot().ask("N").split("\t"):
        if item:
            table, value, text = item.split(" ", 2)
            out[table, int(value)] = text
    return out


def check_oracle(who, theirs, mine):
    wrong = []
    for (table, value), text in sorted(theirs.items()):
        other = OTHER.get((who, table, value))
        if other and other[0] == text:
            continue
        same = mine.get((table, value), "").lower() == text.lower()
        if (table, value) == ("rcode", 16) and text == "BADSIG":
            same = True  # the same number in TSIG (RFC 8945 3)
        if not same and not (table in ("type", "class") and value == 0):
            wrong.append(f"{table} {value}: {text}, ours {mine.get((table, value))}")
    wrong += [f"{key[1]} {key[2]} is no longer {text}" for key, (text, _) in OTHER.items()
              if key[0] == who and theirs.get(key[1:], text) != text and oracle.as_listed()]
    tap.ok(not wrong, f"{who}: its {len(theirs)} names are ours", *wrong)


def main():
    mine = ours()
    known = {"dnspython": from_dnspython()}
    for who, there, read in (("ldns", oracle.ldns(), from_ldns), ("libknot", oracle.knot(), from_libknot)):
        if there:
            known[who] = read()
        else:
            tap.lacks(f"{who}: its names are ours", who)
    for who, theirs in known.items():
        check_oracle(who, theirs, mine)
    everybody = set().union(*known.values())
    missing = [f"{key}: {text}" for key, text in sorted(mine.items())
               if key not in everybody and NEWER.get(key, ("",))[0] != text]
    if len(known) == 3:
        tap.ok(not missing, "every other row of ours is in NEWER", *missing)
    else:
        tap.lacks("every other row of ours is in NEWER", "one that knows more")
    wrong = [f"{key}: {text}, ours {mine.get(key)}" for key, (text, _) in NEWER.items() if mine.get(key) != text]
    tap.ok(not wrong, "every row of NEWER is ours", *wrong)
    if len(known) == 3 and oracle.as_listed():
        stale = [f"{key}: {text}" for key, (text, _) in NEWER.items() if key in everybody]
        tap.ok(not stale, "no oracle knows a row of NEWER", *stale)
    tap.done()


if __name__ == "__main__":
    main()
