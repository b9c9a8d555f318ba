# SPDX-License-Identifier: Apache-2.0
"""Real DNS servers as private processes on loopback ports, and dig to ask them; programs.py has the programs."""
import itertools
import os
import signal
import socket
import subprocess

from harness import wait_for
from programs import IPV6, Program, free_port, known

ZONE = """\
$ORIGIN example.test.
$TTL 300
@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300
@ IN NS ns1
@ IN MX 10 mail
@ IN TXT "text with spaces"
ns1 IN A 127.0.0.1
www IN A 192.0.2.1
www IN A 192.0.2.2
www IN AAAA 2001:db8::1
mail IN A 192.0.2.25
alias IN CNAME www
"""


class Server:
    """One DNS server. Subclasses set names and write the configuration.

    Options: name, where a test has several of a kind; where the frames go: socket or file (paths),
    or host and target (a port). identity is what its frames bear.
    """
    program_name = package = None
    overlay = False
    kinds = ("CLIENT_QUERY", "CLIENT_RESPONSE")  # of frames; a query has one of each

    def __init__(self, dir, **options):
        self.program = Program(self.program_name, self.package, self.overlay)
        self.name = options.get("name", type(self).__name__.lower())
        self.identity = "ns-" + self.name
        self.dir = os.path.join(dir, self.name)
        self.probes = itertools.count()
        os.makedirs(self.dir)
        self.port = None  # another one with each start
        self.options = options
        self.process = None
        self.write("zone", ZONE)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def command(self):
        raise NotImplementedError

    def start(self):
        self.port = free_port()
        arguments = self.command()
        with open(os.path.join(self.dir, "output"), "ab") as output:
            self.process = subprocess.Popen(self.program.command() + arguments, cwd=self.dir,
                                            env=self.program.environment(), stdout=output,
                                            stderr=output, stdin=subprocess.DEVNULL)
        wait_for(f"{self.program_name} to answer", self.answers, 30)

    def answers(self):
        """Whether it answers a query for its own readiness (a name the tests do not count)."""
        if self.process.poll() is not None:
            raise AssertionError(f"{self.program_name} ended with {self.process.returncode}")
        label = b"r%d" % next(self.probes)  # a new one: caches ask nobody about the others
        query = b"\0\7\1\0\0\1\0\0\0\0\0\0" + bytes([len(label)]) + label + \
            b"\5ready\7example\4test\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.sendto(query, ("127.0.0.1", self.port))
                return len(probe.recv(512)) >= 12
            except OSError:
                return False

    def target(self, separator=":"):
        """host:port of the receiver, an IPv6 address in brackets where : is between them."""
        host = self.options["host"]
        if separator == ":" and ":" in host:
            host = f"[{host}]"
        return f"{host}{separator}{self.options['target']}"

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def diagnosis(self):
        path = os.path.join(self.dir, "output")
        yield f"--- {self.program_name}"
        if os.path.exists(path):
            with open(path, errors="replace") as file:
                yield file.read()[-3000:]


class Bind(Server):
    """Calls the response to a query with RD a CLIENT_RESPONSE, also where it is authoritative."""
    program_name, package = "named", "bind9"
    kinds = ("AUTH_QUERY", "CLIENT_RESPONSE")

    def command(self):
        self.control = free_port()
        key = self.write("rndc.key", 'key "k" { algorithm hmac-sha256; secret "dGVzdA=="; };\n')
        output = f'file "{self.options["file"]}"' if "file" in self.options else \
            f'unix "{self.options["socket"]}"'
        # Without it older ones lock a file of the system's; newer ones do not know it.
        lock = "lock-file none;" if self.program.version("-v") < (9, 19) else ""
        conf = self.write("named.conf", f"""
            options {{
              directory "{self.dir}"; pid-file "{self.dir}/pid"; session-keyfile none;
              listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 port {self.port} {{ {"::1" if IPV6 else "none"}; }};
              recursion no; allow-query {{ any; }}; dnssec-validation no; notify no;
              managed-keys-directory "{self.dir}"; {lock}
              dnstap {{ all; }}; dnstap-output {output}; dnstap-identity "{self.identity}";
              statistics-file "{self.dir}/statistics";
              {self.options.get("more", "")}
            }};
            include "{key}";
            controls {{ inet 127.0.0.1 port {self.control} allow {{ any; }} keys {{ "k"; }}; }};
            zone "example.test" {{ type primary; file "zone"; }};
            """)
        return ["-f", "-n", "1", "-c", conf]

    def rndc(self, *arguments):
        program = Program("rndc", self.package)
        run = subprocess.run([program.path, "-s", "127.0.0.1", "-p", str(self.control), "-k",
                              os.path.join(self.dir, "rndc.key"), *arguments], text=True,
                             env=program.environment(), capture_output=True, check=False, timeout=30)
        assert run.returncode == 0, f"rndc {arguments}: {run.stdout}{run.stderr}"


class Unbound(Server):
    """Further options: enable (dnstap: yes, no); bidirectional; tls, server-name, cert-bundle, client-key-file,
    client-cert-file."""
    program_name, package = "unbound", "unbound"

    def command(self):
        tap = self.options
        local = "\n".join(f"  local-data: '{line}'" for line in (
            "example.test. 300 IN SOA ns1.example.test. hostmaster.example.test. 1 7200 3600 1209600 300",
            "www.example.test. 300 IN A 192.0.2.1", "www.example.test. 300 IN A 192.0.2.2",
            "www.example.test. 300 IN AAAA 2001:db8::1",
            "example.test. 300 IN MX 10 mail.example.test.",
            'example.test. 300 IN TXT "text with spaces"'))
        if "socket" in tap:
            way = f'dnstap-socket-path: "{tap["socket"]}"'
        else:
            way = f'dnstap-ip: "{self.target("@")}"\n  dnstap-tls: {tap.get("tls", "no")}'
        for key in ("server-name", "cert-bundle", "client-key-file", "client-cert-file"):
            if key in tap:
                way += f'\n  dnstap-tls-{key}: "{tap[key]}"'
        conf = self.write("unbound.conf", f"""\
server:
  interface: 127.0.0.1@{self.port}
  {f"interface: ::1@{self.port}" if IPV6 else ""}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{self.dir}"
  pidfile: "{self.dir}/pid"
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  so-reuseport: no
  local-zone: "." refuse
  local-zone: "example.test." static
{local}
remote-control:
  control-enable: no
dnstap:
  dnstap-enable: {tap.get("enable", "yes")}
  {way}
  dnstap-bidirectional: {tap.get("bidirectional", "yes")}
  dnstap-send-identity: yes
  dnstap-send-version: yes
  dnstap-identity: "{self.identity}"
  dnstap-log-client-query-messages: yes
  dnstap-log-client-response-messages: yes
""")
        return ["-d", "-p", "-c", conf]


class Knot(Server):
    program_name, package = "knotd", "knot-module-dnstap"
    kinds = ("AUTH_QUERY", "AUTH_RESPONSE")

    def command(self):
        module = self.program.file("usr/lib/*/knot/modules-*/dnstap.so",
                                   "knot-module-dnstap")
        conf = self.write("knot.conf", f"""\
server:
    rundir: {self.dir}
    listen: [127.0.0.1@{self.port}{f", ::1@{self.port}" if IPV6 else ""}]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {self.dir}
module:
  - id: mod-dnstap
    file: {module}
mod-dnstap:
  - id: tap
    sink: {"unix:" + self.options["socket"] if "socket" in self.options else self.options["file"]}
    identity: {self.identity}
    log-queries: on
    log-responses: on
template:
  - id: default
    storage: {self.dir}
    global-module: mod-dnstap/tap
zone:
  - domain: example.test
    file: zone
""")
        return ["-c", conf]


class Nsd(Server):
    program_name, package = "nsd", "nsd"
    kinds = ("AUTH_QUERY", "AUTH_RESPONSE")

    def command(self):
        conf = self.write("nsd.conf", f"""\
server:
  ip-address: 127.0.0.1@{self.port}
  {f"ip-address: ::1@{self.port}" if IPV6 else ""}
  username: ""
  zonesdir: "{self.dir}"
  database: ""
  pidfile: "{self.dir}/pid"
  xfrdfile: "{self.dir}/xfrd"
  xfrdir: "{self.dir}"
  zonelistfile: "{self.dir}/zonelist"
  cookie-secret-file: "{self.dir}/cookie"
  server-count: 1
remote-control:
  control-enable: no
dnstap:
  dnstap-enable: yes
  dnstap-socket-path: "{self.options["socket"]}"
  dnstap-send-identity: yes
  dnstap-identity: "{self.identity}"
  dnstap-log-auth-query-messages: yes
  dnstap-log-auth-response-messages: yes
zone:
  name: "example.test"
  zonefile: "zone"
""")
        return ["-d", "-c", conf]


class Dnsdist(Server):
    """Further options: backend, a port; logger "remote" for PowerDNS's own connection with two-byte
    lengths, action "remote" for its own message in place of dnstap."""
    program_name, package = "dnsdist", "dnsdist"

    def command(self):
        if self.options.get("logger") == "remote":
            logger = f'newRemoteLogger("{self.target()}")'
        elif "socket" in self.options:
            logger = f'newFrameStreamUnixLogger("{self.options["socket"]}")'
        else:
            logger = f'newFrameStreamTcpLogger("{self.target()}")'
        actions = """
addAction(AllRule(), RemoteLogAction(tap))
addResponseAction(AllRule(), RemoteLogResponseAction(tap))
""" if self.options.get("action") == "remote" else f"""
addAction(AllRule(), DnstapLogAction("{self.identity}", tap))
addResponseAction(AllRule(), DnstapLogResponseAction("{self.identity}", tap))
"""
        conf = self.write("dnsdist.conf", f"""\
setLocal("127.0.0.1:{self.port}")
{f'addLocal("[::1]:{self.port}")' if IPV6 else ""}
setSecurityPollSuffix("")
newServer({{address="127.0.0.1:{self.options["backend"]}"}}):setUp()
tap = {logger}
{actions}
""")
        return ["--supervised", "--disable-syslog", "-C", conf]


class Recursor(Server):
    """Further options: backend, a port; nod, a path. It reports what it asks others."""
    program_name, package = "pdns_recursor", "pdns-recursor"
    kinds = ("RESOLVER_QUERY", "RESOLVER_RESPONSE")

    def command(self):
        where = self.options.get("socket") or self.target()
        # 5.2 and later read YAML alone.
        write = self.write_yaml if self.program.version("--version") >= (5, 2) else self.write_old
        write(where, f"127.0.0.1:{self.options['backend']}")
        return [f"--config-dir={self.dir}"]

    def write_yaml(self, where, backend):
        nod = self.options.get("nod")
        nod = f"""\
  dnstap_nod_framestream_servers:
  - servers: ["{nod}"]
""" if nod else ""
        self.write("recursor.yml", f"""\
incoming:
  listen: ["127.0.0.1:{self.port}"{f', "[::1]:{self.port}"' if IPV6 else ""}]
outgoing:
  dont_query: []
dnssec:
  validation: "off"
logging:
  disable_syslog: true
  dnstap_framestream_servers:
  - servers: ["{where}"]
    logQueries: true
    logResponses: true
{nod}recursor:
  socket_dir: "{self.dir}"
  forward_zones:
  - zone: "."
    forwarders: ["{backend}"]
  security_poll_suffix: ""
  hint_file: "no"
  qname_minimization: false
  server_id: {self.identity}
  threads: 1
  daemon: false
""")

    def write_old(self, where, backend):
        nod = self.options.get("nod")
        lua = self.write("recursor.lua", f'dnstapFrameStreamServer("{where}", '
                         '{logQueries=true, logResponses=true})\n' +
                         (f'dnstapNODFrameStreamServer("{nod}")\n' if nod else ""))
        self.write("recursor.conf", f"""\
local-address=127.0.0.1{",::1" if IPV6 else ""}
local-port={self.port}
socket-dir={self.dir}
lua-config-file={lua}
forward-zones=.={backend}
dont-query=
dnssec=off
qname-minimization=no
security-poll-suffix=
hint-file=no
server-id={self.identity}
threads=1
daemon=no
disable-syslog=yes
""")


class Kresd(Server):
    """Further options: backend, a port."""
    program_name = "kresd"
    overlay = True

    def __init__(self, dir, **options):
        self.package = known("knot-resolver6-module-dnstap", "knot-resolver")
        super().__init__(dir, **options)

    def command(self):
        backend = f"127.0.0.1@{self.options['backend']}"
        conf = self.write("kresd.conf", f"""\
net.listen('127.0.0.1', {self.port}, {{ kind = 'dns' }})
{f"net.listen('::1', {self.port}, {{ kind = 'dns' }})" if IPV6 else ""}
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
modules = {{ dnstap = {{ socket_path = '{self.options["socket"]}', identity = '{self.identity}',
             client = {{ log_queries = true, log_responses = true }} }} }}
if policy.rule_forward_add then -- 6 and later; `test` is special there, and no policy is asked
    policy.rule_forward_add('example.test.', {{ dnssec = false }}, {{ {{ '{backend}' }} }})
else
    policy.add(policy.all(policy.STUB('{backend}')))
end
cache.size = 10 * MB
""")
        return ["-n", "-c", conf, self.dir]


class Dig:
    """dig, with a client port of its own for each query."""

    def __init__(self):
        self.program = Program("dig", "bind9-dnsutils")

    def ask(self, server, name, kind="A", *options):
        """Returns the client's port; the answer must have come. Option -6: over IPv6."""
        host = "::1" if "-6" in options else "127.0.0.1"
        for _ in range(5):
            port = free_port()
            run = subprocess.run([self.program.path, "@" + host, "-p", str(server.port), "-b",
                                  f"{host}#{port}", "+tries=1", "+time=5", *options, name, kind],
                                 env=self.program.environment(), capture_output=True, text=True,
                                 check=False, timeout=20)
            if run.returncode == 0:
                return port
        raise AssertionError(f"dig: {run.stdout}{run.stderr}")
