#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real destinations: the shipped files against an OpenSearch node and a Kafka broker.

Covers: omelasticsearch with the shipped template indexes every event, those of the hostile set
included, and they are found by question name, rcode and client address; omkafka delivers every event once.
Both come from Maven Central by Maven; without Java or Maven, or when they cannot be had, the
whole program is skipped and says so; in CI it fails.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../formats"))
import frames as made
import hostile
import tap
from harness import BUILD, races_watched, wait_for
from programs import free_port
from shipped import CONF_DIR, RETRY, check_same, play, rendered, start

FETCH_TIMEOUT = 150
CLASSPATHS = {}


def skip_all(why):
    """Nothing can be tested; in CI, which must have everything, that is a failure."""
    if os.environ.get("CI") == "true":
        print(f"1..1\nnot ok 1 - destinations # {why}")
        sys.exit(1)
    print("1..0 # SKIP " + why)
    sys.exit(0)


def classpath(name):
    """The jars that destinations/NAME/pom.xml asks for, fetched into Maven's repository."""
    work = os.path.join(BUILD, "e2e-destinations", name)
    os.makedirs(work, exist_ok=True)
    shutil.copy(os.path.join(HERE, "destinations", name, "pom.xml"), work)
    out = os.path.join(work, "classpath")
    try:
        run = subprocess.run(["mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile=" + out],
                             cwd=work, timeout=FETCH_TIMEOUT, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        skip_all(f"{name} could not be fetched in {FETCH_TIMEOUT} s")
    if run.returncode:
        skip_all(f"Maven cannot fetch {name}")
    with open(out) as file:
        return file.read().strip()


class Java:
    """A Java program that runs until stop()."""

    def __init__(self, dir, name, memory, *arguments):
        self.log = os.path.join(dir, name + ".out")
        self.command = ["java", "-Xmx" + memory, "-cp", CLASSPATHS[name], *arguments]
        self.dir = dir

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, cwd=self.dir, stdin=subprocess.PIPE,
                                            stdout=log, stderr=subprocess.STDOUT)

    def alive(self):
        assert self.process.poll() is None, "it ended: " + open(self.log).read()[-2000:]
        return True

    def stop(self):
        self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def request(port, path, body=None, method=None):
    """The JSON answer, or None when there is none (yet)."""
    call = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", data=body, method=method,
                                  headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(call, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return {"error": error.read().decode("utf-8", "replace")}
    except OSError:
        return None


def count(port, query):
    answer = request(port, "dnstap-ecs-*/_count", json.dumps({"query": query}).encode())
    return (answer or {}).get("count")


@tap.timeout(150)
def test_opensearch(case):
    port = free_port()
    node = case.start(Java(case.dir, "opensearch", "1g", os.path.join(HERE, "destinations/opensearch/Node.java"),
                           case.dir + "/node", str(port), str(free_port())))
    wait_for("a node", lambda: node.alive() and request(port, ""), 100)
    with open(os.path.join(CONF_DIR, "elasticsearch/dnstap-ecs.template.json"), "rb") as file:
        answer = request(port, "_index_template/dnstap-ecs", file.read(), "PUT")
    assert answer == {"acknowledged": True}, answer
    daemon = start(case, "elasticsearch.conf", ('server="localhost"', 'server="127.0.0.1"'),
                   ('serverport="9200"', f'serverport="{port}"'), RETRY, ("/var/log/", case.dir + "/"))
    odd = [frame for _, frame in hostile.all_frames()]
    play(daemon)
    play(daemon, odd)
    events = [json.loads(x) for x in rendered("ecs") + made.render("ecs", odd)]
    errors = case.dir + "/dnstap-elasticsearch.err"

    def indexed():
        assert not os.path.exists(errors) or os.path.getsize(errors) == 0, open(errors).read()[:2000]
        request(port, "dnstap-ecs-*/_refresh", b"")
        return count(port, {"match_all": {}}) == len(events)
    wait_for(f"{len(events)} documents", indexed, 60)
    for path in ("dns.question.name", "dns.response_code", "client.ip"):
        values = []
        for event in events:
            value = event
            for key in path.split("."):
                value = value.get(key, {})
            values.append(value or None)
        for value in sorted({v for v in values if isinstance(v, str)})[:20]:
            got = count(port, {"term": {path: value}})
            assert got == values.count(value), f"{path} {value}: {got} of {values.count(value)}"


@tap.timeout(120)
def test_kafka(case):
    if races_watched():
        raise tap.OtherBuild("librdkafka starts threads that ThreadSanitizer does not know, and dies of it")
    port, controller = free_port(), free_port()
    with open(os.path.join(case.dir, "broker"), "w") as file:
        file.write(f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={case.dir}/kafka
offsets.topic.replication.factor=1
num.partitions=1
""")
    java = ["java", "-cp", CLASSPATHS["kafka"]]
    subprocess.run(java + ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", "broker"],
                   cwd=case.dir, check=True, capture_output=True, timeout=60)
    broker = case.start(Java(case.dir, "kafka", "512m", "kafka.Kafka", "broker"))

    def listening():
        with socket.socket() as s:
            return broker.alive() and s.connect_ex(("127.0.0.1", port)) == 0
    wait_for("a broker", listening, 60)
    daemon = start(case, "kafka.conf", ("localhost:9092", f"127.0.0.1:{port}"), RETRY,
                   ("/var/log/", case.dir + "/"), ("/var/spool/rsyslog/", case.dir + "/"))
    play(daemon)
    want = rendered("json")
    run = subprocess.run(java + ["kafka.tools.ConsoleConsumer", "--bootstrap-server", f"127.0.0.1:{port}",
                                 "--topic", "dnstap", "--from-beginning", "--max-messages", str(len(want)),
                                 "--timeout-ms", "40000"], cwd=case.dir, capture_output=True, timeout=80)
    daemon.check_alive()
    got = [json.loads(line) for line in run.stdout.splitlines()]
    for event in got:
        event.pop("peer", None)
    check_same([json.dumps(e, sort_keys=True) for e in got],
               [json.dumps(json.loads(x), sort_keys=True) for x in want])


if __name__ == "__main__":
    if os.environ.get("E2E_ONLY") == "none":
        tap.main()  # an empty plan: nothing to fetch
    if not shutil.which("java") or not shutil.which("mvn"):
        skip_all("no Java or no Maven here")
    for destination in ("opensearch", "kafka"):
        CLASSPATHS[destination] = classpath(destination)
    tap.main()
