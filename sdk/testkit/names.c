/* names.c - gost-plugin-check asks no name servers: only numbers are looked up. */
/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

#include <gost/base.h>

/* Exported, so that plugins find it before the C library's. */
GOST_PUBLIC int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                            struct addrinfo **ret_list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    struct addrinfo numeric;

    if (!symbol)
        return EAI_FAIL;
    memcpy(&real, &symbol, sizeof real);
    memset(&numeric, 0, sizeof numeric);
    if (hints)
        numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    return real(name, service, &numeric, ret_list);
}
