# Small tools over lib/ alone, for the tests that compare text.
check_PROGRAMS += tests/tools/dnstap_render tests/tools/rdata_text
tests_tools_dnstap_render_SOURCES = tests/tools/dnstap_render.c
tests_tools_dnstap_render_LDADD = lib/libdnstap.la
tests_tools_rdata_text_SOURCES = tests/tools/rdata_text.c
tests_tools_rdata_text_LDADD = lib/libdnstap.la
