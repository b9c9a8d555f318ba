# What both modules are compiled with: the daemon's headers, and the check that it is that daemon.
RSYSLOG_VERSION_SED = s/^AC_INIT(\[rsyslog\],\[\([^]]*\)\].*/\1/p
RSYSLOG_MODULE_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/glue \
	-isystem $(RSYSLOG_SRC) -isystem $(RSYSLOG_SRC)/runtime -isystem $(RSYSLOG_SRC)/grammar \
	-D_FILE_OFFSET_BITS=64 -DNDEBUG -DHAVE_ATOMIC_BUILTINS -DHAVE_ATOMIC_BUILTINS64 -DFEATURE_REGEXP \
	-DRSYSLOG_VERSION="\"$$(sed -n '$(RSYSLOG_VERSION_SED)' $(RSYSLOG_SRC)/configure.ac)\""
RSYSLOG_MODULE_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(ESTR_CFLAGS) $(FASTJSON_CFLAGS)
RSYSLOG_MODULE_LDFLAGS = -module -avoid-version -export-symbols-regex '^modInit$$'
RSYSLOG_MODULE_LIBADD = lib/libdnstap.la $(FASTJSON_LIBS) $(ESTR_LIBS)
DAEMON_CHECK_SOURCES = glue/daemon_check.c glue/daemon_check.h
moduledir = $(libdir)/rsyslog
module_LTLIBRARIES =
