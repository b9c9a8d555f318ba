# Benchmarks: `make bench` measures; `make check` only guards the instruction count.
check_PROGRAMS += tests/bench/bench_lib tests/bench/bench_send
tests_bench_bench_lib_SOURCES = tests/bench/bench_lib.c mmdnstapparse/tree.c mmdnstapparse/tree.h
tests_bench_bench_lib_CFLAGS = $(AM_CFLAGS) $(FASTJSON_CFLAGS)
tests_bench_bench_lib_LDADD = lib/libdnstap.la $(FASTJSON_LIBS)
tests_bench_bench_send_SOURCES = tests/bench/bench_send.c
tests_bench_bench_send_CFLAGS = $(AM_CFLAGS) -pthread

TESTS += tests/bench/check_instructions.sh
EXTRA_DIST += tests/bench/check_instructions.sh tests/bench/instructions.txt tests/bench/bench.py

bench: all tests/bench/bench_lib tests/bench/bench_send
	/usr/bin/python3 $(srcdir)/tests/bench/bench.py --builddir $(abs_builddir) $(BENCH_FLAGS)
