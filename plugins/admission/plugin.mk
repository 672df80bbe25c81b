# admission - policy index: clients that may connect.
# SPDX-License-Identifier: MIT

if PLUGIN_ADMISSION
plugin_PROGRAMS += plugins/admission.so
%C%_so_SOURCES = \
	%D%/admission.c \
	%D%/admission.h \
	%D%/admission_set.c
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS)

TAP_TESTS += plugins/admission/test_admission
%C%_test_admission_SOURCES = %D%/test_admission.c %D%/admission_set.c
%C%_test_admission_LDADD = $(TEST_LIBS)

FUZZ_TESTS += plugins/admission/fuzz_admission
%C%_fuzz_admission_SOURCES = %D%/fuzz_admission.c %D%/admission_set.c
%C%_fuzz_admission_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_admission_LDADD = $(FUZZ_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
