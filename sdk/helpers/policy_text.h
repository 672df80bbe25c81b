/* policy_text.h - lines of policies, networks, sets of addresses (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_POLICY_TEXT_H
#define GOST_POLICY_TEXT_H

#include <gost/options.h>
#include <gost/policy.h>

/* ---- lines ---- [any], pure */

/* Without the comment that '#' starts, and without blanks at both ends. */
struct gost_bytes gost_line_trim(struct gost_bytes line);

/* The next word, empty at the end; the line is cut behind it. */
struct gost_bytes gost_line_word(struct gost_bytes *line);

/*
 * Show every line to `add`. One that is GOST_EPROTO is skipped, another error ends it and is
 * returned. What was skipped is said in `error`: "3 lines WHAT and are skipped, the first is f:1".
 */
int gost_lines_add(const struct gost_line *lines, uint32_t n,
                   int (*add)(void *to, struct gost_bytes text), void *to, const char *what,
                   char *error, size_t error_size);

/* The same for texts of the configuration: one that is GOST_EPROTO is an error, which says RULE. */
int gost_texts_add(const struct gost_list *texts, int (*add)(void *to, struct gost_bytes text),
                   void *to, const char *rule, char *error, size_t error_size);

/* Bytes in order: below 0, 0, above 0, as memcmp; a shorter one is before what it begins. */
int gost_bytes_order(struct gost_bytes a, struct gost_bytes b);

/* ---- addresses ---- [any], pure. In 16 bytes IPv4 is IPv4-mapped IPv6. */

void gost_ip_widen(uint8_t out[16], const struct gost_addr *addr);

/* Clear all but the first `bits` of 128. */
void gost_ip_mask(uint8_t ip[16], unsigned bits);

/* The digits of a prefix: at most 1289, for the caller to bound. -1: nothing or something else. */
int gost_ip_bits(struct gost_bytes digits);

/* ---- sets ---- add all, sort, then match */

struct gost_ip_range { /* inclusive */
    uint8_t lo[16], hi[16];
};

/* Zeroed: empty. */
struct gost_ip_set {
    struct gost_ip_range *v; /* *owned* */
    size_t n, room;
};

/* GOST_OK or GOST_ENOMEM. The second adds the network of an address, whose host bits do not count;
 * `bits` are those of the address's own family. */
int gost_ip_set_add(struct gost_ip_set *s, const uint8_t lo[16], const uint8_t hi[16]);
int gost_ip_set_add_net(struct gost_ip_set *s, const struct gost_addr *addr, unsigned bits);
void gost_ip_set_sort(struct gost_ip_set *s);

/* 1: the IP address is in a range. Ports are not looked at. [any] */
int gost_ip_set_match(const struct gost_ip_set *s, const struct gost_addr *addr);
void gost_ip_set_free(struct gost_ip_set *s);

/* Room for one more than n elements of `size` bytes: v, or it moved; NULL: no memory, v stays. */
void *gost_grow(void *v, size_t n, size_t *room, size_t size);

#endif
