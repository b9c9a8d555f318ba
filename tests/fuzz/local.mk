# Fuzz targets: fuzz_NAME.c, inputs in corpus/NAME, found crashes in regress/NAME.
# A new one is a name in FUZZ_TARGETS and three lines below; doc/fuzzing.md says how to run them.
FUZZ_TARGETS = tests/fuzz/fuzz_frame tests/fuzz/fuzz_dnstap tests/fuzz/fuzz_envelope \
	tests/fuzz/fuzz_dns tests/fuzz/fuzz_fmt
FUZZ_LDADD = lib/libdnstap.la
check_PROGRAMS += $(FUZZ_TARGETS)
if FUZZING
FUZZ_MAIN =
else
FUZZ_MAIN = tests/fuzz/replay.c
TESTS += $(FUZZ_TARGETS)
endif

tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_frame_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_frame_LDADD = $(FUZZ_LDADD)

tests_fuzz_fuzz_dnstap_SOURCES = tests/fuzz/fuzz_dnstap.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dnstap_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_dnstap_LDADD = $(FUZZ_LDADD)

tests_fuzz_fuzz_envelope_SOURCES = tests/fuzz/fuzz_envelope.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_envelope_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_envelope_LDADD = $(FUZZ_LDADD)

tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz_dns.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_dns_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_dns_LDADD = $(FUZZ_LDADD)

tests_fuzz_fuzz_fmt_SOURCES = tests/fuzz/fuzz_fmt.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_fmt_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_fmt_LDADD = $(FUZZ_LDADD)

# Every target for FUZZ_SECONDS, from the seeds of the captures; what is found stays in fuzz-work/.
FUZZ_SECONDS = 60
.PHONY: fuzz
if FUZZING
fuzz: $(FUZZ_TARGETS)
	$(PYTHON3) $(srcdir)/tests/fuzz/make_seeds.py $(srcdir)/tests/corpus fuzz-work/seeds
	set -e; for target in $(FUZZ_TARGETS); do \
		name=$${target#tests/fuzz/fuzz_}; \
		mkdir -p fuzz-work/$$name fuzz-work/seeds/$$name; \
		inputs=fuzz-work/seeds/$$name; \
		for dir in corpus regress; do \
			test ! -d $(srcdir)/tests/fuzz/$$dir/$$name || inputs="$$inputs $(srcdir)/tests/fuzz/$$dir/$$name"; \
		done; \
		./$$target -dict=$(srcdir)/tests/fuzz/dnstap.dict -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-print_final_stats=1 -artifact_prefix=fuzz-work/$$name- fuzz-work/$$name $$inputs; \
	done
else
fuzz:
	@echo 'configure with CC=clang --enable-fuzzing --enable-sanitizers=address,undefined' >&2; exit 1
endif

EXTRA_DIST += tests/fuzz/make_seeds.py tests/fuzz/dnstap.dict tests/fuzz/corpus tests/fuzz/regress
