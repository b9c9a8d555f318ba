# The library: libc, protobuf-c and libfstrm's control-frame codec, nothing else.
noinst_LTLIBRARIES += lib/libdnstap.la
lib_libdnstap_la_SOURCES = \
	lib/span.h lib/word.h \
	lib/text.c lib/text_json.c lib/text.h \
	lib/frame.c lib/frame.h \
	lib/envelope_write.c lib/envelope_read.c lib/envelope.h lib/envelope_internal.h \
	lib/dnstap.c lib/dnstap_plain.c lib/dnstap_glance.c lib/dnstap_walk.c lib/dnstap.h lib/dnstap_internal.h
lib_libdnstap_la_SOURCES += \
	lib/fmt_common.c lib/fmt_common.h lib/fmt_keys.c lib/fmt_keys.h lib/fmt_severity.h \
	lib/fmt_logstash.c lib/fmt_logstash.h lib/fmt_logstash_cut.c lib/fmt_ecs.c lib/fmt_ocsf.c \
	lib/fmt_cef.c lib/fmt_passivedns.c lib/fmt_cof.c
lib_libdnstap_la_SOURCES += \
	lib/event.c lib/event.h lib/fmt.c lib/fmt.h lib/fmt_list.h lib/fmt_json.c lib/fmt_text.c
lib_libdnstap_la_SOURCES += \
	lib/names.c lib/names_dns.c lib/names_dnstap.c lib/names.h \
	lib/dns.h lib/dns_internal.h lib/dns_name.c lib/dns_message.c lib/dns_edns.c \
	lib/dns_rdata.c lib/dns_rdata_table.c lib/dns_rdata_fields.c lib/dns_rdata_special.c lib/dns_rdata_svcb.c
nodist_lib_libdnstap_la_SOURCES = lib/dnstap.pb-c.c lib/dnstap.pb-c.h
lib_libdnstap_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(PROTOBUF_C_CFLAGS) $(FSTRM_CFLAGS)
lib_libdnstap_la_LIBADD = $(PROTOBUF_C_LIBS) $(FSTRM_LIBS)

BUILT_SOURCES += lib/dnstap.pb-c.c lib/dnstap.pb-c.h
CLEANFILES += lib/dnstap.pb-c.c lib/dnstap.pb-c.h
EXTRA_DIST += lib/dnstap.proto

lib/dnstap.pb-c.h: lib/dnstap.pb-c.c
lib/dnstap.pb-c.c: lib/dnstap.proto
	$(AM_V_GEN)$(MKDIR_P) lib && $(PROTOC_C) -I$(srcdir)/lib --c_out=lib $(srcdir)/lib/dnstap.proto
