/* ss_stream.h - one stream: salt, headers and chunks, between the files that do their parts. */
/* SPDX-License-Identifier: MIT */
#ifndef SS_STREAM_H
#define SS_STREAM_H

#include <gost/host.h>

#include "ss.h"
#include "ss_header.h"

/* What is sealed at once: a chunk with its length fits one reserved piece of the queue. */
#define SS_PIECE     16384u
#define SS_CHUNK_MAX (SS_PIECE - 2 * SS_TAG - 2) /* below the 0x3fff of the methods of 2017 */

enum ss_stream_phase {
    SS_SALT,     /* the salt and the header after it */
    SS_VARIABLE, /* 2022, server: the second header */
    SS_FIRST,    /* 2017, server: the first chunk, which holds the address */
    SS_CHUNKS,
    SS_DRAIN /* server: not one of ours; what comes is read and dropped */
};

struct ss_stream {
    struct ss_arg arg;
    const struct ss_key *key; /* server: the user's, or the only one. borrowed */
    struct ss_box in, out;
    uint8_t request_salt[SS_KEY_MAX];
    uint8_t phase, opened, sealed; /* boxes in and out are there */
    uint8_t awaiting;              /* the next box is a payload of `len` bytes */
    uint8_t flushed;               /* client: the wait for first bytes is over */
    uint32_t len;
    uint8_t *big; /* a payload that no reserved piece holds; owned, NULL when none is awaited */
    uint32_t big_n;
    const char *why; /* SS_DRAIN */
};

/* The next payload is whole: its plaintext, until ss_chunk_done(). GOST_OK, GOST_AGAIN: more is
 * needed, GOST_EAUTH, GOST_ENOMEM. */
int ss_chunk_collect(struct ss_stream *s, struct gost_io *io, struct gost_bytes *ret_plain);
void ss_chunk_done(struct ss_stream *s);

/* Chunks from the wire to the user, until there are no more. A codec's decode. */
int ss_chunks_decode(struct ss_stream *s, struct gost_io *io);

/* Seal bytes of the user into chunks, until there are no more. A codec's encode. */
int ss_chunks_encode(struct ss_stream *s, struct gost_io *io);

/* The box `in` for the salt that came, `out` for one that is sent. GOST_OK, GOST_ENOMEM. */
int ss_stream_open_box(struct ss_stream *s, const uint8_t *salt);
int ss_stream_seal_box(struct ss_stream *s, const uint8_t *salt);

/* Whole seconds since 1970. */
uint64_t ss_unix(void);

int ss_server_handshake(struct ss_stream *s, struct gost_io *io);
int ss_server_first(struct ss_stream *s, struct gost_io *io); /* salt and header with first bytes */
int ss_client_first(struct ss_stream *s, struct gost_io *io);
int ss_client_answer(struct ss_stream *s, struct gost_io *io); /* the server's salt and header */

#endif
