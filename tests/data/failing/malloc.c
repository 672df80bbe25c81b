/* malloc.c - preloaded by a test: every n-th allocation fails, n as a shared file says. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

/* In the file: n (0: none fails), then how many have failed. */
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

static int fails(void)
{
    unsigned n = shared ? atomic_load(&shared[0]) : 0;

    if (!n || atomic_fetch_add(&count, 1) % n != n - 1)
        return 0;
    atomic_fetch_add(&shared[1], 1);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return n && fails() ? NULL : __libc_realloc(p, n);
}
