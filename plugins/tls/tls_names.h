/* tls_names.h - words of a configuration into what TLS uses: versions, suites, names, pins. */
/* SPDX-License-Identifier: MIT */
#ifndef TLS_NAMES_H
#define TLS_NAMES_H

#include <gost/base.h>
#include <gost/options.h>

/* All functions here are pure, [any]. */

/* "VersionTLS12", "TLS1.2" or "1.2" in any case: 0x0303. 0: none of them. */
int tls_version_parse(const char *text);

/* What GOST calls a cipher suite, in OpenSSL's words. "" for a suite of TLS 1.3 (these are always
 * on), NULL for a name that is not known. */
const char *tls_suite_name(const char *go_name);

/* Whether server name `name` is what `pattern` stands for: the same without regard to case and
 * without a final dot; "*.example.com" is any name with one label more. */
int tls_name_match(const char *pattern, const char *name);

#define TLS_PIN_SIZE 32

/* "sha256/" and 32 bytes in base64 or hex (colons allowed). GOST_OK or GOST_EPROTO. */
int tls_pin_parse(const char *text, uint8_t ret_pin[TLS_PIN_SIZE]);

/* "sha256/" and base64. */
#define TLS_PIN_TEXT 52
void tls_pin_format(const uint8_t pin[TLS_PIN_SIZE], char buf[TLS_PIN_TEXT]);

/* The list in wire form: a length byte before each name. Returns its length; 0: empty, too long for
 * `size`, or a name that is empty or longer than 255 bytes (then *ret_bad is it, else NULL). */
size_t tls_alpn_wire(const struct gost_list *alpn, uint8_t *buf, size_t size, const char **ret_bad);

/* What a server with the wire form list `ours` answers to a client that offers `theirs`: the
 * first of ours that is in theirs. GOST_OK with *ret_name (in ours); GOST_END: go on without, a
 * client of HTTP/1.1 at an "h2" server; GOST_EPROTO: refuse. */
int tls_alpn_select(struct gost_bytes ours, struct gost_bytes theirs, struct gost_bytes *ret_name);

/* Follows record headers through a byte stream, to know whether its end is between two records. */
struct tls_records {
    uint32_t left; /* bytes of the body still to come */
    uint8_t n;     /* bytes of the header seen, 0 to 4 */
    uint8_t high;  /* first byte of the length */
};
void tls_records_feed(struct tls_records *r, const uint8_t *p, size_t n);
static inline int tls_records_between(const struct tls_records *r)
{
    return r->left == 0 && r->n == 0;
}

#endif
