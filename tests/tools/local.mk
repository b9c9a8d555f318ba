# Small tools over lib/ alone, for the tests that compare text.
check_PROGRAMS += tests/tools/dnstap_render tests/tools/names_list tests/tools/rdata_text
tests_tools_dnstap_render_SOURCES = tests/tools/dnstap_render.c
tests_tools_dnstap_render_LDADD = lib/libdnstap.la
tests_tools_names_list_SOURCES = tests/tools/names_list.c
tests_tools_names_list_LDADD = lib/libdnstap.la
tests_tools_rdata_text_SOURCES = tests/tools/rdata_text.c
tests_tools_rdata_text_LDADD = lib/libdnstap.la

# Shared, and not installed: for LD_PRELOAD.
check_LTLIBRARIES = tests/tools/fail_malloc.la
tests_tools_fail_malloc_la_SOURCES = tests/tools/fail_malloc.c
tests_tools_fail_malloc_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere
tests_tools_fail_malloc_la_LIBADD = -ldl
