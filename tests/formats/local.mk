# Formats against the parsers of their consumers.
FORMAT_TESTS = tests/formats/test_consumers.py tests/formats/test_mapping.py
EXTRA_DIST += $(FORMAT_TESTS) tests/formats/consumers.py tests/formats/frames.py \
	tests/formats/hostile.py tests/tapwriter.py
TESTS += $(FORMAT_TESTS)
