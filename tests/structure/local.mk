# The tree and what was built of it: purity of the library, exports, documentation, formatting.
STRUCTURE_TESTS = tests/structure/test_configure.sh tests/structure/test_library.sh tests/structure/test_source.sh \
	tests/structure/test_bounds.py tests/structure/test_faults.py tests/structure/test_layers.py tests/structure/test_log_lines.py tests/structure/test_sandbox_files.py
if WITH_RSYSLOG
STRUCTURE_TESTS += tests/structure/test_exports.sh tests/structure/test_hardening.sh \
	tests/structure/test_parameters.sh
endif
TESTS += $(STRUCTURE_TESTS)
EXTRA_DIST += tests/structure/tap.sh tests/structure/test_configure.sh tests/structure/test_library.sh \
	tests/structure/test_bounds.py tests/structure/test_faults.py tests/structure/test_layers.py tests/structure/test_log_lines.py tests/structure/test_sandbox_files.py tests/structure/test_source.sh \
	tests/structure/test_exports.sh tests/structure/test_hardening.sh tests/structure/test_parameters.sh
