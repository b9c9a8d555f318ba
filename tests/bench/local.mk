# Benchmarks: `make bench` measures; `make check` only guards the instruction count.
check_PROGRAMS += tests/bench/bench_lib tests/bench/bench_send
tests_bench_bench_lib_SOURCES = tests/bench/bench_lib.c mmdnstapparse/recurring.c mmdnstapparse/recurring.h \
	mmdnstapparse/tree.c mmdnstapparse/tree.h
tests_bench_bench_lib_CFLAGS = $(AM_CFLAGS) $(FASTJSON_CFLAGS)
tests_bench_bench_lib_LDADD = lib/libdnstap.la $(FASTJSON_LIBS)
tests_bench_bench_send_SOURCES = tests/bench/bench_send.c
tests_bench_bench_send_CFLAGS = $(AM_CFLAGS) -pthread

TESTS += tests/bench/check_instructions.sh
EXTRA_DIST += tests/bench/check_instructions.sh tests/bench/instructions.txt \
	tests/bench/bench.py tests/bench/measure.py

# What `properties` is compared with: a tree without decoding. Built for the bench alone.
if WITH_RSYSLOG
EXTRA_LTLIBRARIES = tests/bench/ready_tree.la
tests_bench_ready_tree_la_SOURCES = $(DAEMON_CHECK_SOURCES) tests/bench/ready_tree.c
tests_bench_ready_tree_la_CPPFLAGS = $(RSYSLOG_MODULE_CPPFLAGS)
tests_bench_ready_tree_la_CFLAGS = $(RSYSLOG_MODULE_CFLAGS)
tests_bench_ready_tree_la_LDFLAGS = $(RSYSLOG_MODULE_LDFLAGS) -rpath $(libdir)
tests_bench_ready_tree_la_LIBADD = $(RSYSLOG_MODULE_LIBADD)
BENCH_MODULES = tests/bench/ready_tree.la
endif

bench: all tests/bench/bench_lib tests/bench/bench_send $(BENCH_MODULES)
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) $(srcdir)/tests/bench/bench.py --builddir $(abs_builddir) $(BENCH_FLAGS)
