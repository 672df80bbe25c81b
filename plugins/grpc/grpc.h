/* grpc.h - the grpc plugin: a stream in the messages of one gRPC call, as GOST's tunnel. */
/* SPDX-License-Identifier: MIT */
#ifndef GRPC_H
#define GRPC_H

#include <gost/plugin.h>

#define GRPC_MESSAGE_MAX 4194304u /* the largest message to accept, as grpc-go */
#define GRPC_CHUNK_MAX   32768u   /* bytes of the stream in one message of ours */
#define GRPC_PREFIX_MAX  11u      /* what stands before them */

struct grpc_conf {
    const char *path, *host;
    uint32_t insecure;
    char *method; /* owned: "/service/method" made of path */
};

/* Where we are in the messages: `Chunk { bytes data = 1; }`, each behind five bytes of gRPC. */
enum grpc_phase { GRPC_HEAD = 0, GRPC_TAG, GRPC_LENGTH, GRPC_DATA, GRPC_SKIP_NUMBER, GRPC_SKIP };

struct grpc_reader {
    uint32_t phase;  /* enum grpc_phase */
    uint32_t left;   /* bytes of the message still to come */
    uint32_t data;   /* DATA, SKIP: bytes of the field still to come */
    uint32_t number; /* of the number being read */
    uint32_t digits; /* HEAD: bytes of it; else bytes of the number */
    uint32_t skip;   /* LENGTH is that of a field to skip */
    uint32_t seen;   /* the message has had its data */
};

/* grpc_frame.c: pure */
int grpc_feed(struct grpc_reader *r, struct gost_bytes in);
uint32_t grpc_data(const struct grpc_reader *r);
void grpc_pass(struct grpc_reader *r, uint32_t n);
int grpc_between(const struct grpc_reader *r);
size_t grpc_prefix(uint8_t *to, uint32_t n);
size_t grpc_method(char *to, size_t size, const char *path);

/* State of one call. */
struct grpc {
    struct grpc_reader in;
    uint32_t asked;     /* client: the request is sent */
    uint32_t refused;   /* server: the answer was no */
    uint32_t head_sent; /* server */
    uint32_t got_head;  /* client */
};

/* grpc_layer.c */
extern const struct gost_layer_ops grpc_layer_ops;

#endif
