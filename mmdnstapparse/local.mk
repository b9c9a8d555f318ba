# mmdnstapparse.so: the message modification module.
module_LTLIBRARIES += mmdnstapparse/mmdnstapparse.la
mmdnstapparse_mmdnstapparse_la_SOURCES = $(DAEMON_CHECK_SOURCES) $(BODY_SOURCES) \
	mmdnstapparse/mmdnstapparse.c \
	mmdnstapparse/render.c mmdnstapparse/render.h \
	mmdnstapparse/settings.c mmdnstapparse/settings.h \
	mmdnstapparse/split.c mmdnstapparse/split.h \
	mmdnstapparse/recurring.c mmdnstapparse/recurring.h \
	mmdnstapparse/tree.c mmdnstapparse/tree.h
mmdnstapparse_mmdnstapparse_la_CPPFLAGS = $(RSYSLOG_MODULE_CPPFLAGS)
mmdnstapparse_mmdnstapparse_la_CFLAGS = $(RSYSLOG_MODULE_CFLAGS)
mmdnstapparse_mmdnstapparse_la_LDFLAGS = $(RSYSLOG_MODULE_LDFLAGS)
mmdnstapparse_mmdnstapparse_la_LIBADD = $(RSYSLOG_MODULE_LIBADD)
