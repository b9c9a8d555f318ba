# SPDX-License-Identifier: Apache-2.0
"""Certificates of every kind for the TLS tests, made with the openssl program."""
import os
import shutil
import ssl
import subprocess

import tap

EXPIRED = ("20200101000000Z", "20200201000000Z")
NOT_YET = ("20990101000000Z", "20990201000000Z")


class Authority:
    """A certificate authority in the test's directory."""

    def __init__(self, dir):
        self.dir = dir
        if not shutil.which("openssl"):
            raise tap.Skip("no openssl program")

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self, *arguments):
        subprocess.run(("openssl",) + arguments, cwd=self.dir, check=True, capture_output=True)

    def authority(self, name):
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", name + ".key", "-out", name + ".pem", "-days", "10", "-subj",
                 "/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE")
        return self.path(name + ".pem")

    def issue(self, name, ca, common=None, dates=None, san=None, extensions=""):
        """A certificate. dates: (first, last) as in X.509, else from now on for some days."""
        with open(self.path(name + ".ext"), "w") as file:
            file.write(f"subjectAltName={san or 'DNS:' + (common or name)}\n{extensions}\n")
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 name + ".key", "-out", name + ".csr", "-subj", "/CN=" + (common or name))
        with open(self.path("index.txt"), "a"), open(self.path("ca.cnf"), "w") as file:
            file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\n"
                       "default_md=sha256\npolicy=p\nunique_subject=no\nrand_serial=yes\n"
                       "[p]\ncommonName=supplied\n")
        validity = ("-startdate", dates[0], "-enddate", dates[1]) if dates else ("-days", "5")
        self.run("ca", "-batch", "-config", "ca.cnf", "-cert", ca + ".pem", "-keyfile", ca + ".key",
                 "-in", name + ".csr", "-out", name + ".pem", "-extfile", name + ".ext", "-notext",
                 *validity)
        return self.path(name + ".pem")


def authority(case):
    made = Authority(case.dir)
    made.authority("ca")
    made.issue("server", "ca", "localhost", san="DNS:localhost,IP:127.0.0.1")
    return made


def tls_options(made, mode=None, peers=None, extra=""):
    text = f'tls="on" tls.mycert="{made.path("server.pem")}" ' \
        f'tls.myprivkey="{made.path("server.key")}" '
    if mode:
        text += f'tls.cacert="{made.path("ca.pem")}" tls.authmode="{mode}" '
    if peers:
        text += "tls.permittedpeer=[" + ",".join(f'"{p}"' for p in peers) + "] "
    return text + extra


def context(made, certificate=None, version=None):
    out = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    out.load_verify_locations(made.path("ca.pem"))
    if certificate:
        out.load_cert_chain(made.path(certificate + ".pem"), made.path(certificate + ".key"))
    if version:
        out.minimum_version = out.maximum_version = version
    return out


def fingerprint(made, name, digest="sha1"):
    """As tls.permittedpeer takes it, by the openssl program."""
    run = subprocess.run(["openssl", "x509", "-in", made.path(name + ".pem"), "-noout", "-fingerprint",
                          "-" + digest], capture_output=True, text=True, check=True)
    return digest.upper() + ":" + run.stdout.strip().split("=")[1]
