# imdnstap.so: the input module. What is rsyslog-free is a library, for the tests too.
noinst_LTLIBRARIES += imdnstap/libserver.la
imdnstap_libserver_la_SOURCES = \
	imdnstap/source.c imdnstap/source.h \
	imdnstap/peers.c imdnstap/peers.h \
	imdnstap/loop.c imdnstap/loop.h \
	imdnstap/intake.c imdnstap/intake.h \
	imdnstap/session.c imdnstap/session.h \
	imdnstap/session_io.c imdnstap/session_io.h imdnstap/printable.h \
	imdnstap/dial.c imdnstap/dial.h \
	imdnstap/tail.c imdnstap/tail.h imdnstap/files.h \
	imdnstap/tls.h \
	imdnstap/listener.c imdnstap/listener.h \
	imdnstap/server.c imdnstap/server.h \
	imdnstap/unix_dir.c imdnstap/unix_dir.h \
	imdnstap/unix_socket.c imdnstap/unix_socket.h
if HAVE_OPENSSL
imdnstap_libserver_la_SOURCES += imdnstap/tls.c imdnstap/tls_peer.c imdnstap/tls_peer.h
else
imdnstap_libserver_la_SOURCES += imdnstap/tls_none.c
endif
EXTRA_DIST += imdnstap/tls.c imdnstap/tls_peer.c imdnstap/tls_peer.h imdnstap/tls_none.c
imdnstap_libserver_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(OPENSSL_CFLAGS)
imdnstap_libserver_la_LIBADD = $(OPENSSL_LIBS)

if WITH_RSYSLOG
module_LTLIBRARIES += imdnstap/imdnstap.la
imdnstap_imdnstap_la_SOURCES = $(DAEMON_CHECK_SOURCES) $(BODY_SOURCES) \
	imdnstap/imdnstap.c \
	imdnstap/inputs.c imdnstap/inputs.h \
	imdnstap/inputs_kind.c imdnstap/inputs_kind.h \
	imdnstap/inputs_tls.c imdnstap/inputs_tls.h \
	imdnstap/limit.c imdnstap/limit.h \
	imdnstap/params.c imdnstap/params.h \
	imdnstap/stats.c imdnstap/stats.h \
	imdnstap/submit.c imdnstap/submit.h
imdnstap_imdnstap_la_CPPFLAGS = $(RSYSLOG_MODULE_CPPFLAGS)
imdnstap_imdnstap_la_CFLAGS = $(RSYSLOG_MODULE_CFLAGS)
imdnstap_imdnstap_la_LDFLAGS = $(RSYSLOG_MODULE_LDFLAGS)
imdnstap_imdnstap_la_LIBADD = imdnstap/libserver.la imdnstap/libfiles.la $(RSYSLOG_MODULE_LIBADD)
endif
