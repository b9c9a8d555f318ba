# What the archive holds beside the sources, and coverage.
EXTRA_DIST += README.md LICENSE tests/corpus tests/tools/dnstap_send.py \
	scripts/setup.sh scripts/fetch-rsyslog-sdk.sh scripts/build.sh scripts/demo.sh scripts/check.sh scripts/matrix.sh \
	scripts/analyze.sh scripts/analyze.accepted .clang-tidy

# Static analysis of the sources as they were configured and built here.
analyze: all
	bash $(srcdir)/scripts/analyze.sh .
.PHONY: analyze

# What the tests reach of the library, line by line: gcovr's report if it is there, else gcov's sums.
.PHONY: coverage
if COVERAGE
coverage:
	find . -name '*.gcda' -exec rm -f {} +
	-$(MAKE) $(AM_MAKEFLAGS) check
	if command -v gcovr >/dev/null; then \
		gcovr -r $(srcdir) --object-directory . --filter '.*/lib/' --exclude '.*pb-c.*' --print-summary \
			-o coverage.txt && cat coverage.txt; \
	else \
		mkdir -p coverage && cd coverage && \
		find ../lib -name '*.gcda' ! -name '*pb-c*' -exec gcov -o ../lib/.libs {} + 2>/dev/null | \
			awk '/^File .*\/lib\/.*\.c/ { file = $$2; next } \
			     /^Lines executed/ && file { sub(/.*:/, "", $$2); print $$2, file; file = "" }' | \
			sort -n; \
	fi
else
coverage:
	@echo 'configure with --enable-coverage' >&2; exit 1
endif
