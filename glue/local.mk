# What both modules are compiled with: the daemon's headers, the check that it is that daemon, a message's own buffer.
RSYSLOG_MODULE_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/glue $(RSYSLOG_CPPFLAGS)
RSYSLOG_MODULE_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(ESTR_CFLAGS) $(FASTJSON_CFLAGS)
RSYSLOG_MODULE_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -export-symbols-regex '^modInit$$'
RSYSLOG_MODULE_LIBADD = lib/libdnstap.la $(FASTJSON_LIBS) $(ESTR_LIBS)
DAEMON_CHECK_SOURCES = glue/daemon_check.c glue/daemon_check.h
BODY_SOURCES = glue/body.c glue/body.h
module_LTLIBRARIES =
