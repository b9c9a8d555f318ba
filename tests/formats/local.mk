# Formats against the parsers of their consumers.
FORMAT_TESTS = tests/formats/test_consumers.py
EXTRA_DIST += $(FORMAT_TESTS) tests/formats/consumers.py tests/formats/frames.py \
	tests/formats/hostile.py tests/formats/tap.py
