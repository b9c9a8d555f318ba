# Annotated frames and their exact text, see golden.py.
GOLDEN = \
	bind-client-response \
	bind-ede \
	bind-resolver-query \
	bind-update-query \
	coredns-mapped-address \
	dnsdist-dot-extra \
	kdig-tool-query \
	knot-both-messages \
	kresd-doh-extra \
	no-dnstap \
	no-message \
	nsd-many-types \
	nsd-two-questions \
	policy-doh-http3 \
	recursor-ecs \
	unbound-cut-answer \
	unbound-nxdomain-latency \
	unbound-pointer-loop \
	unbound-short-message \
	unbound-txt-escapes \
	unknown-numbers
EXTRA_DIST += tests/golden/golden.py \
	$(GOLDEN:%=tests/golden/%.in) $(GOLDEN:%=tests/golden/%.json) $(GOLDEN:%=tests/golden/%.text)
TESTS += tests/golden/golden.py
