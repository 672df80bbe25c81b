/* ssh_key.h - keys: of hosts and users, what they sign, the files that hold them. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_KEY_H
#define SSH_KEY_H

#include <openssl/evp.h>

#include "ssh_wire.h"

/* What a key signs with. The name of a key's type and of its signature differ for RSA alone. */
struct ssh_algorithm {
    const char *name;  /* of the signature: "rsa-sha2-256" */
    const char *key;   /* of the key's type: "ssh-rsa" */
    const char *group; /* ECDSA: what OpenSSL calls the curve; else NULL */
    const char *curve; /* ECDSA: its name on the wire */
    const char *md;    /* NULL: the scheme has its own */
    size_t scalar;     /* ECDSA: bytes of a number below its order */
};

extern const struct ssh_algorithm ssh_algorithms[];
extern const size_t ssh_n_algorithms;

const struct ssh_algorithm *ssh_algorithm(struct gost_bytes name);
/* The first algorithm that this key can sign with, and that `offer` (a list of names; empty: any)
 * holds. NULL: none. */
const struct ssh_algorithm *ssh_key_algorithm(EVP_PKEY *key, struct gost_bytes offer);
/* The names of all that the key can sign with, comma-separated. */
void ssh_put_key_names(struct ssh_out *o, EVP_PKEY *key);

/* The public key as it stands on the wire. GOST_OK or GOST_EUNSUPPORTED. */
int ssh_put_public(struct ssh_out *o, EVP_PKEY *key);
/* NULL: it is no key of a kind we know. */
EVP_PKEY *ssh_get_public(struct gost_bytes blob);
/* 1: the blob is of the key type that the algorithm signs with. */
int ssh_blob_is(struct gost_bytes blob, const struct ssh_algorithm *a);

/* Appends string(algorithm, signature). GOST_OK or GOST_EINTERNAL. */
int ssh_sign(struct ssh_out *o, EVP_PKEY *key, const struct ssh_algorithm *a,
             struct gost_bytes data);
/* GOST_OK or GOST_EAUTH: by this algorithm and key, and no other. */
int ssh_verify(EVP_PKEY *key, const struct ssh_algorithm *a, struct gost_bytes signature,
               struct gost_bytes data);

/* "SHA256:..." as ssh-keygen prints it. */
#define SSH_FINGERPRINT 64
void ssh_fingerprint(struct gost_bytes blob, char out[SSH_FINGERPRINT]);

/* ---- ssh_keyfile.c ---- */

/* A private key from the text of a file: PEM in its kinds, or OpenSSH's own. pass NULL: none.
 * NULL and *ret_why: why not. */
EVP_PKEY *ssh_read_private(struct gost_bytes text, const char *pass, const char **ret_why);

/* The keys of an authorized_keys file: string(blob) after string(blob). Lines that hold no key are
 * passed over, as sshd does. */
void ssh_read_authorized(struct gost_bytes text, struct ssh_out *ret_keys);
int ssh_is_authorized(struct gost_bytes keys, struct gost_bytes blob);

#endif
