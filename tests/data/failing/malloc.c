/* malloc.c - preloaded by a test: allocations fail as a shared file says. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

/* In the file: n, every n-th fails (0: none); how many have failed; k, only the k-th from now on
 * fails (0: none). */
static _Atomic unsigned *shared;
static atomic_uint count;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAILING_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p;

    if (fd < 0)
        return;
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        shared = p;
}

/* Of a library that does not survive it: not our code is on trial. */
static int is_spared(const void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) && info.dli_fname &&
           (strstr(info.dli_fname, "libcrypto") || strstr(info.dli_fname, "libssl"));
}

static int fails(const void *caller)
{
    unsigned n = shared ? atomic_load(&shared[0]) : 0;
    unsigned k = shared ? atomic_load(&shared[2]) : 0;

    if ((n || k) && is_spared(caller))
        return 0;
    if (k && atomic_compare_exchange_strong(&shared[2], &k, k - 1) && k == 1)
        n = 1;
    if (!n || atomic_fetch_add(&count, 1) % n != n - 1)
        return 0;
    atomic_fetch_add(&shared[1], 1);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return n && fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}
