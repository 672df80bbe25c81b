/* ssh_bcrypt.h - keys out of passphrases, as OpenSSH's private key files have them. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_BCRYPT_H
#define SSH_BCRYPT_H

#include <gost/base.h>

/* bcrypt_pbkdf. Slow on purpose: a few milliseconds a round. GOST_OK, GOST_EUNSUPPORTED (rounds),
 * GOST_ENOMEM. */
int ssh_bcrypt_pbkdf(struct gost_bytes pass, struct gost_bytes salt, uint32_t rounds, uint8_t *out,
                     size_t n);

#endif
