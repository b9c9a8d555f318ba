# Our decoding against independent decoders: dnspython, ldns, Knot DNS, the Go dnstap tool, jq.
DIFFERENTIAL_TESTS = \
	tests/differential/rdata.py \
	tests/differential/frames.py \
	tests/differential/classes.py \
	tests/differential/knot.py \
	tests/differential/names.py \
	tests/differential/roundtrip.py
EXTRA_DIST += $(DIFFERENTIAL_TESTS) \
	tests/differential/oracle.py \
	tests/differential/parsers.py \
	tests/differential/rdata_cases.py
TESTS += $(DIFFERENTIAL_TESTS)

if HAVE_KNOT
check_PROGRAMS += tests/differential/knot_oracle
endif
tests_differential_knot_oracle_SOURCES = tests/differential/knot_oracle.c
tests_differential_knot_oracle_CFLAGS = $(AM_CFLAGS) $(KNOT_CFLAGS)
tests_differential_knot_oracle_LDADD = $(KNOT_LIBS)
