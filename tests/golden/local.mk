# Annotated frames and their exact text, see golden.py.
GOLDEN = \
	bind-notauth bind-notimp bind-update-yxdomain kdig-tool-response nsd-badvers \
	nsd-formerr-header-only stub-query stub-response \
	unbound-forwarder-query unbound-forwarder-response \
	bind-client-response \
	bind-ede \
	bind-resolver-query \
	bind-update-query \
	coredns-mapped-address \
	damaged-payload \
	dnsdist-dot-extra \
	kdig-tool-query \
	knot-both-messages \
	kresd-doh-extra \
	negative-numbers \
	no-dnstap \
	no-message \
	nsd-many-types \
	nsd-two-questions \
	odd-but-whole \
	policy-doh-http3 \
	recursor-ecs \
	siem-cname-chain siem-extended-rcode siem-nodata siem-nxdomain siem-odd-text siem-query \
	siem-rdata-fields siem-root-refused siem-servfail-policy \
	unbound-cut-answer \
	unbound-nxdomain-latency \
	unbound-pointer-loop \
	unbound-short-message \
	unbound-txt-escapes \
	unknown-numbers \
	update-sections
EXTRA_DIST += tests/golden/golden.py \
	$(GOLDEN:%=tests/golden/%.in) \
	$(GOLDEN:%=tests/golden/%.json) $(GOLDEN:%=tests/golden/%.text) \
	$(GOLDEN:%=tests/golden/%.logstash) $(GOLDEN:%=tests/golden/%.logstash_cut) \
	$(GOLDEN:%=tests/golden/%.ecs) $(GOLDEN:%=tests/golden/%.ocsf) $(GOLDEN:%=tests/golden/%.cef) \
	$(GOLDEN:%=tests/golden/%.passivedns) $(GOLDEN:%=tests/golden/%.cof)
TESTS += tests/golden/golden.py
