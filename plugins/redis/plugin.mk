# redis - policy data from redis servers.
# SPDX-License-Identifier: MIT

if PLUGIN_REDIS
plugin_PROGRAMS += plugins/redis.so
%C%_so_SOURCES = \
	%D%/redis.c \
	%D%/redis.h \
	%D%/redis_wire.c
%C%_so_CFLAGS = $(AM_CFLAGS) $(PLUGIN_REDIS_CFLAGS)
%C%_so_LDFLAGS = $(PLUGIN_LDFLAGS)
%C%_so_LDADD = $(PLUGIN_LIBS) $(PLUGIN_REDIS_LIBS)

TAP_TESTS += plugins/redis/test_redis
%C%_test_redis_SOURCES = %D%/test_redis.c %D%/redis_wire.c
%C%_test_redis_CFLAGS = $(AM_CFLAGS) $(PLUGIN_REDIS_CFLAGS)
%C%_test_redis_LDADD = $(TEST_LIBS) $(PLUGIN_REDIS_LIBS)

FUZZ_TESTS += plugins/redis/fuzz_redis
%C%_fuzz_redis_SOURCES = %D%/fuzz_redis.c %D%/redis_wire.c
%C%_fuzz_redis_CFLAGS = $(AM_CFLAGS) $(PLUGIN_REDIS_CFLAGS)
%C%_fuzz_redis_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
%C%_fuzz_redis_LDADD = $(FUZZ_LIBS) $(PLUGIN_REDIS_LIBS)
endif

EXTRA_DIST += %D%/README.md %D%/corpus
