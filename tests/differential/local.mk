# Our decoding against independent decoders: dnspython, ldns, the Go dnstap tool, jq.
DIFFERENTIAL_TESTS = \
	tests/differential/rdata.py \
	tests/differential/frames.py \
	tests/differential/roundtrip.py
EXTRA_DIST += $(DIFFERENTIAL_TESTS) \
	tests/differential/oracle.py \
	tests/differential/rdata_cases.py
TESTS += $(DIFFERENTIAL_TESTS)
