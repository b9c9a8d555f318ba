# SPDX-License-Identifier: Apache-2.0
"""What the soak puts on rsyslogd, each in a process of its own: producers with back-pressure, clients of the DNS
servers, chaos.py."""
import multiprocessing
import random
import signal
import socket
import ssl
import struct

import chaos
import fstrm
from fstrm import Client


class Worker:
    """A child process. function(worker, ...) runs until worker.over, and returns its result."""

    def __init__(self, function, *arguments):
        context = multiprocessing.get_context("fork")
        self.over, self.paused, self.hurry = context.Event(), context.Event(), context.Event()
        self.pipe, self.child = context.Pipe()
        self.process = context.Process(target=self._main, args=(function, arguments), daemon=True)

    def _main(self, function, arguments):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.child.send(function(self, *arguments))

    def start(self):
        self.process.start()

    def pause(self):
        """Until it says that it is silent, with what it has to say."""
        self.paused.set()
        return self.pipe.recv()

    def result(self):
        self.over.set()
        self.paused.clear()
        assert self.pipe.poll(180), "a producer hangs"
        return self.pipe.recv()

    def stop(self):
        self.over.set()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def produce(worker, address, identity, rate, certificate=None):
    """A producer that waits when the receiver does not read. Returns per session [frames handed to the
    socket, those that perhaps were as well, whether STOP was answered by FINISH]."""
    dice, sessions = random.Random(identity), []
    tls = context_of(*certificate) if certificate else None

    def session():
        client = Client(address, 60, tls=tls, server_name="localhost" if tls else None)
        client.ready()
        record = [0, 0, False]
        sessions.append(record)
        for _ in range(dice.randrange(5, 400)):
            if worker.over.is_set():
                break
            burst = 4000 if dice.random() < 0.005 else dice.randrange(1, 60)
            record[1] = record[0] + burst
            client.frames([fstrm.payload(qid=n & 0xFFFF, identity=identity,
                                         extra=b"%d.%d" % (len(sessions) - 1, n))
                           for n in range(record[0], record[1])])
            record[0] = record[1]
            if not worker.hurry.is_set():
                worker.over.wait(min(burst, 60) / rate)
        client.finish()
        record[2] = True

    while not worker.over.is_set():
        try:
            session()
        except (OSError, EOFError, AssertionError):
            worker.over.wait(0.05)
    return sessions


def ask(worker, port, rate):
    """Queries for q0, q1, … of example.test. Says how many, and which were not answered."""
    asked, unanswered = 0, []
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.connect(("127.0.0.1", port))
    probe.settimeout(2)
    while not worker.over.wait(1 / rate):
        if worker.paused.is_set():
            worker.child.send((asked, unanswered))
            while worker.paused.is_set():
                worker.over.wait(0.02)
            continue
        try:
            probe.send(fstrm.dns_query(asked & 0xFFFF, f"q{asked}.example.test"))
            while struct.unpack(">H", probe.recv(512)[:2])[0] != asked & 0xFFFF:
                pass
        except OSError:
            unanswered.append(asked)
        asked += 1
    return asked, unanswered


def context_of(ca, certificate=None):
    """A client's; certificate: the path without its ending."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    if certificate:
        context.load_cert_chain(certificate + ".pem", certificate + ".key")
    return context


def be_chaos(worker, plain, tls, ca, certificates, pause):
    contexts = {name: context_of(ca, path) for name, path in certificates.items()}
    client = chaos.Chaos(plain, tls, contexts, 7, pause)
    client.start()
    worker.over.wait()
    client.stop()
    return client.counts, client.let_in
