# End-to-end tests: a stock rsyslogd with our modules. Python's standard library only.
E2E_TESTS = \
	tests/e2e/test_bundle.py \
	tests/e2e/test_collectors.py \
	tests/e2e/test_config.py \
	tests/e2e/test_corpus.py \
	tests/e2e/test_destinations.py \
	tests/e2e/test_dial_out.py \
	tests/e2e/test_file_faults.py \
	tests/e2e/test_files.py \
	tests/e2e/test_input.py \
	tests/e2e/test_latency.py \
	tests/e2e/test_life.py \
	tests/e2e/test_limits.py \
	tests/e2e/test_live.py \
	tests/e2e/test_pressure.py \
	tests/e2e/test_privdrop.py \
	tests/e2e/test_promises.py \
	tests/e2e/test_refusals.py \
	tests/e2e/test_restart.py \
	tests/e2e/test_sandbox.py \
	tests/e2e/test_shipped.py \
	tests/e2e/test_soak.py \
	tests/e2e/test_start.py \
	tests/e2e/test_stream.py \
	tests/e2e/test_transport.py \
	tests/e2e/test_tree.py
EXTRA_DIST += $(E2E_TESTS) \
	tests/e2e/destinations/kafka/pom.xml \
	tests/e2e/destinations/opensearch/Node.java \
	tests/e2e/destinations/opensearch/pom.xml \
	tests/e2e/booted.py \
	tests/e2e/certificates.py \
	tests/e2e/chaos.py \
	tests/e2e/fstrm.py \
	tests/e2e/harness.py \
	tests/e2e/latency.py \
	tests/e2e/producers.py \
	tests/e2e/programs.py \
	tests/e2e/queue/q.00000001 \
	tests/e2e/queue/q.qi \
	tests/e2e/soak.py \
	tests/e2e/soak_load.py \
	tests/e2e/sandbox.py \
	tests/e2e/shipped.py \
	tests/e2e/tap.py \
	tests/e2e/valgrind.supp
if WITH_RSYSLOG
TESTS += $(E2E_TESTS)
endif
# The end-to-end tests alone.
e2e: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(E2E_TESTS)'
# Chaos for as long as wanted; prints its figures.
SOAK_SECONDS = 1800
soak: all
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/e2e/soak.py --seconds $(SOAK_SECONDS)
# Clients' latency with and without dnstap, and with a receiver that stands still.
latency: all
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/e2e/latency.py $(LATENCY_OPTIONS)
# systemd itself with our drop-in, in a container; the root is made where it is none yet. Needs root.
BOOTED_ROOT = /var/tmp/dnstap-booted
booted: all
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/e2e/booted.py --root $(BOOTED_ROOT)
.PHONY: booted e2e latency soak
# What the tests fetched for themselves.
distclean-local:
	rm -rf e2e-destinations e2e-packages
