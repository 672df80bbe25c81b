# webpolicy - policies that a web service decides.
# SPDX-License-Identifier: MIT

if PLUGIN_WEBPOLICY
plugin_PROGRAMS += plugins/webpolicy.so
%C%_so_SOURCES = %D%/webpolicy.c %D%/webpolicy.h %D%/webpolicy_json.c
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WEBPOLICY_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_WEBPOLICY_LIBS)

TAP_TESTS += plugins/webpolicy/test_webpolicy
%C%_test_webpolicy_SOURCES = \
	sdk/testkit/test_tap.h \
	%D%/test_webpolicy.c \
	%D%/webpolicy.h \
	%D%/webpolicy_json.c
%C%_test_webpolicy_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WEBPOLICY_CFLAGS)
%C%_test_webpolicy_LDADD = $(TEST_LIBS) $(PLUGIN_WEBPOLICY_LIBS)

FUZZ_TESTS += plugins/webpolicy/fuzz_webpolicy
%C%_fuzz_webpolicy_SOURCES = %D%/fuzz_webpolicy.c %D%/webpolicy.h %D%/webpolicy_json.c
%C%_fuzz_webpolicy_CFLAGS = $(AM_CFLAGS) $(PLUGIN_WEBPOLICY_CFLAGS)
%C%_fuzz_webpolicy_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_webpolicy_LDADD = $(FUZZ_LIBS) $(PLUGIN_WEBPOLICY_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
