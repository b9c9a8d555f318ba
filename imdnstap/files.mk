# The file source; no rsyslog in it. Objects only: who links it links lib/libdnstap.la too.
noinst_LTLIBRARIES += imdnstap/libfiles.la
imdnstap_libfiles_la_SOURCES = \
	imdnstap/files.c imdnstap/files.h imdnstap/files_internal.h \
	imdnstap/files_scan.c \
	imdnstap/files_rolled.c imdnstap/files_rolled.h \
	imdnstap/files_reader.c imdnstap/files_reader.h \
	imdnstap/files_codec.c imdnstap/files_codec.h \
	imdnstap/files_state.c imdnstap/files_state.h \
	imdnstap/files_watch.c imdnstap/files_watch.h
imdnstap_libfiles_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden $(ZLIB_CFLAGS) $(LZMA_CFLAGS) $(ZSTD_CFLAGS)
imdnstap_libfiles_la_LIBADD = $(ZLIB_LIBS) $(LZMA_LIBS) $(ZSTD_LIBS)
