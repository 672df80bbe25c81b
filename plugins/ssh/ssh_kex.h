/* ssh_kex.h - one key exchange: what was offered and chosen, and the secret. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_KEX_H
#define SSH_KEX_H

#include "ssh.h"

/* What was chosen; views of the peer's or our own KEXINIT. */
struct ssh_choice {
    struct gost_bytes kex, host_key, cipher_in, cipher_out, mac_in, mac_out;
};

struct ssh_kex {
    struct ssh_out mine, theirs; /* the two KEXINIT */
    struct ssh_choice choice;
    EVP_PKEY *pair;        /* ours, for this exchange only */
    struct ssh_out public; /* of it */
    struct ssh_secrets in; /* until the peer's NEWKEYS */
    uint32_t skip_guess, got, replied, sent;
};

/* ---- ssh_kex_secret.c ---- */

int ssh_kex_pair(struct ssh_kex *k);
/* The exchange hash and the keys; host: the server's public key, peer: its or the client's half.
 * GOST_OK, GOST_EPROTO: the half is no good. */
struct ssh_hash {
    uint8_t h[32];
};
struct ssh_derived {
    struct ssh_hash hash;
    struct ssh_secrets in, out;
};
int ssh_kex_derive(struct ssh_state *s, struct gost_bytes host, struct gost_bytes peer,
                   struct ssh_derived *ret_d);

#endif
