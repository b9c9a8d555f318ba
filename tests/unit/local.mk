# Unit tests: one program per file of lib/.
UNIT_TESTS = tests/unit/test_text
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_LDADD = lib/libdnstap.la $(CMOCKA_LIBS)

tests_unit_test_text_SOURCES = tests/unit/test_text.c tests/unit/guard.h
tests_unit_test_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_text_LDADD = $(UNIT_LDADD)

# Frame Streams, the envelope, dnstap payloads.
TRANSPORT_TESTS = tests/unit/test_frame tests/unit/test_envelope \
	tests/unit/test_envelope_writer tests/unit/test_dnstap tests/unit/test_dnstap_glance \
	tests/unit/test_dnstap_memory
check_PROGRAMS += $(TRANSPORT_TESTS)
TESTS += $(TRANSPORT_TESTS)

tests_unit_test_frame_SOURCES = tests/unit/test_frame.c tests/unit/guard.h
tests_unit_test_frame_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_frame_LDADD = $(UNIT_LDADD)

tests_unit_test_envelope_SOURCES = tests/unit/test_envelope.c tests/unit/guard.h
tests_unit_test_envelope_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_envelope_LDADD = $(UNIT_LDADD)

tests_unit_test_envelope_writer_SOURCES = tests/unit/test_envelope_writer.c tests/unit/guard.h
tests_unit_test_envelope_writer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_envelope_writer_LDADD = $(UNIT_LDADD)

dnstap_test_headers = tests/unit/decode.h tests/unit/guard.h tests/unit/payload.h
tests_unit_test_dnstap_SOURCES = tests/unit/test_dnstap.c $(dnstap_test_headers)
tests_unit_test_dnstap_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dnstap_LDADD = $(UNIT_LDADD)

tests_unit_test_dnstap_glance_SOURCES = tests/unit/test_dnstap_glance.c $(dnstap_test_headers)
tests_unit_test_dnstap_glance_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dnstap_glance_LDADD = $(UNIT_LDADD)

tests_unit_test_dnstap_memory_SOURCES = tests/unit/test_dnstap_memory.c $(dnstap_test_headers)
tests_unit_test_dnstap_memory_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dnstap_memory_LDADD = $(UNIT_LDADD)
tests_unit_test_dnstap_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc

# The short way past protobuf-c.
check_PROGRAMS += tests/unit/test_dnstap_plain
TESTS += tests/unit/test_dnstap_plain
tests_unit_test_dnstap_plain_SOURCES = tests/unit/test_dnstap_plain.c tests/unit/guard.h
tests_unit_test_dnstap_plain_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dnstap_plain_LDADD = $(UNIT_LDADD)

# The event, and the formats.
EVENT_TESTS = tests/unit/test_event tests/unit/test_fmt
check_PROGRAMS += $(EVENT_TESTS)
TESTS += $(EVENT_TESTS)

tests_unit_test_event_SOURCES = tests/unit/test_event.c tests/unit/guard.h tests/unit/payload.h
tests_unit_test_event_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_event_LDADD = $(UNIT_LDADD)

tests_unit_test_fmt_SOURCES = tests/unit/test_fmt.c tests/unit/guard.h
tests_unit_test_fmt_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fmt_LDADD = $(UNIT_LDADD)

# The tree of `properties`: libfastjson, as the modules.
if WITH_RSYSLOG
check_PROGRAMS += tests/unit/test_tree
TESTS += tests/unit/test_tree
tests_unit_test_tree_SOURCES = tests/unit/test_tree.c tests/unit/guard.h tests/unit/payload.h \
	mmdnstapparse/recurring.c mmdnstapparse/recurring.h \
	mmdnstapparse/tree.c mmdnstapparse/tree.h
tests_unit_test_tree_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/mmdnstapparse
tests_unit_test_tree_CFLAGS = $(UNIT_CFLAGS) $(FASTJSON_CFLAGS)
tests_unit_test_tree_LDADD = $(UNIT_LDADD) $(FASTJSON_LIBS)
endif

# The file source.
FILES_TESTS = tests/unit/test_files tests/unit/test_files_follow tests/unit/test_files_rolled
check_PROGRAMS += $(FILES_TESTS)
TESTS += $(FILES_TESTS)
FILES_TESTS_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/imdnstap
FILES_TESTS_CFLAGS = $(UNIT_CFLAGS) $(ZLIB_CFLAGS) $(LZMA_CFLAGS) $(ZSTD_CFLAGS)
FILES_TESTS_LDADD = imdnstap/libfiles.la $(UNIT_LDADD) $(ZLIB_LIBS) $(LZMA_LIBS) $(ZSTD_LIBS)

tests_unit_test_files_SOURCES = tests/unit/test_files.c tests/unit/files_fixture.h
tests_unit_test_files_CPPFLAGS = $(FILES_TESTS_CPPFLAGS)
tests_unit_test_files_CFLAGS = $(FILES_TESTS_CFLAGS)
tests_unit_test_files_LDADD = $(FILES_TESTS_LDADD)

tests_unit_test_files_follow_SOURCES = tests/unit/test_files_follow.c tests/unit/files_fixture.h
tests_unit_test_files_follow_CPPFLAGS = $(FILES_TESTS_CPPFLAGS)
tests_unit_test_files_follow_CFLAGS = $(FILES_TESTS_CFLAGS)
tests_unit_test_files_follow_LDADD = $(FILES_TESTS_LDADD)

tests_unit_test_files_rolled_SOURCES = tests/unit/test_files_rolled.c tests/unit/files_fixture.h
tests_unit_test_files_rolled_CPPFLAGS = $(FILES_TESTS_CPPFLAGS)
tests_unit_test_files_rolled_CFLAGS = $(FILES_TESTS_CFLAGS)
tests_unit_test_files_rolled_LDADD = $(FILES_TESTS_LDADD)

# Names, DNS messages, rdata, EDNS.
DNS_TESTS = tests/unit/test_names tests/unit/test_dns_name tests/unit/test_dns_message \
	tests/unit/test_dns_rdata tests/unit/test_dns_edns tests/unit/test_dns_records
check_PROGRAMS += $(DNS_TESTS)
TESTS += $(DNS_TESTS)

tests_unit_test_names_SOURCES = tests/unit/test_names.c
tests_unit_test_names_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_names_LDADD = $(UNIT_LDADD)

tests_unit_test_dns_name_SOURCES = tests/unit/test_dns_name.c tests/unit/guard.h
tests_unit_test_dns_name_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dns_name_LDADD = $(UNIT_LDADD)

tests_unit_test_dns_message_SOURCES = tests/unit/test_dns_message.c tests/unit/guard.h
tests_unit_test_dns_message_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dns_message_LDADD = $(UNIT_LDADD)
tests_unit_test_dns_message_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc

tests_unit_test_dns_records_SOURCES = tests/unit/test_dns_records.c tests/unit/guard.h
tests_unit_test_dns_records_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dns_records_LDADD = $(UNIT_LDADD)

tests_unit_test_dns_rdata_SOURCES = tests/unit/test_dns_rdata.c tests/unit/guard.h
tests_unit_test_dns_rdata_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dns_rdata_LDADD = $(UNIT_LDADD)

tests_unit_test_dns_edns_SOURCES = tests/unit/test_dns_edns.c tests/unit/guard.h
tests_unit_test_dns_edns_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dns_edns_LDADD = $(UNIT_LDADD)

# What hostile DNS messages cost.
check_PROGRAMS += tests/unit/test_dns_cost
TESTS += tests/unit/test_dns_cost
tests_unit_test_dns_cost_SOURCES = tests/unit/test_dns_cost.c tests/unit/hostile.h
tests_unit_test_dns_cost_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dns_cost_LDADD = $(UNIT_LDADD)

# The socket server, without rsyslog.
SERVER_TESTS = tests/unit/test_server tests/unit/test_source tests/unit/test_unix_socket tests/unit/test_listener
check_PROGRAMS += $(SERVER_TESTS)
TESTS += $(SERVER_TESTS)
SERVER_TESTS_LDADD = imdnstap/libserver.la imdnstap/libfiles.la $(UNIT_LDADD)

tests_unit_test_server_SOURCES = tests/unit/test_server.c tests/unit/server_fixture.h
tests_unit_test_server_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_server_LDADD = $(SERVER_TESTS_LDADD)
tests_unit_test_server_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime

tests_unit_test_source_SOURCES = tests/unit/test_source.c
tests_unit_test_source_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_source_LDADD = $(SERVER_TESTS_LDADD)

tests_unit_test_unix_socket_SOURCES = tests/unit/test_unix_socket.c tests/unit/server_fixture.h
tests_unit_test_unix_socket_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_unix_socket_LDADD = $(SERVER_TESTS_LDADD)
tests_unit_test_unix_socket_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=listen

tests_unit_test_listener_SOURCES = tests/unit/test_listener.c tests/unit/server_fixture.h
tests_unit_test_listener_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_listener_LDADD = $(SERVER_TESTS_LDADD)
tests_unit_test_listener_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=accept4,--wrap=epoll_wait,--wrap=getaddrinfo,--wrap=freeaddrinfo

# Counters of its peers.
check_PROGRAMS += tests/unit/test_peers
TESTS += tests/unit/test_peers
tests_unit_test_peers_SOURCES = tests/unit/test_peers.c
tests_unit_test_peers_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_peers_LDADD = imdnstap/libserver.la imdnstap/libfiles.la $(UNIT_LDADD)

# All of the library with allocations that fail.
check_PROGRAMS += tests/unit/test_alloc
TESTS += tests/unit/test_alloc
tests_unit_test_alloc_SOURCES = tests/unit/test_alloc.c
tests_unit_test_alloc_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_alloc_LDADD = $(UNIT_LDADD)
tests_unit_test_alloc_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# The buffer of a message, with rsyslog's headers and without rsyslog.
if WITH_RSYSLOG
check_PROGRAMS += tests/unit/test_body
TESTS += tests/unit/test_body
endif
tests_unit_test_body_SOURCES = tests/unit/test_body.c $(BODY_SOURCES)
tests_unit_test_body_CPPFLAGS = $(RSYSLOG_MODULE_CPPFLAGS)
tests_unit_test_body_CFLAGS = $(RSYSLOG_MODULE_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_body_LDADD = $(UNIT_LDADD)
