/* ssh.h - what the files of the ssh layer share: its options, a session, a channel. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_H
#define SSH_H

#include <gost/plugin.h>

#include "ssh_key.h"

#define SSH_VERSION       "SSH-2.0-Go" /* what GOST says */
#define SSH_WINDOW        2097152u     /* of a channel, both ways as GOST's */
#define SSH_MAX_DATA      32768u       /* of one message */
#define SSH_PACKET_MAX    35000u       /* with all that belongs to it, RFC 4253 section 6.1 */
#define SSH_HELD_MAX      1048576u     /* messages kept back during a key exchange */
#define SSH_ASKS_MAX      64u          /* unanswered requests of the peer */
#define SSH_LISTENERS_MAX 64u          /* of one client */
#define SSH_UNREAD_MAX    4194304u     /* what waits for a peer that does not read */
#ifndef SSH_REKEY_BYTES
#define SSH_REKEY_BYTES (1ull << 30) /* RFC 4253 section 9; tests have less */
#endif

/* Message numbers, RFC 4250. */
enum ssh_message {
    SSH_DISCONNECT = 1,
    SSH_IGNORE = 2,
    SSH_UNIMPLEMENTED = 3,
    SSH_DEBUG = 4,
    SSH_SERVICE_REQUEST = 5,
    SSH_SERVICE_ACCEPT = 6,
    SSH_EXT_INFO = 7,
    SSH_KEXINIT = 20,
    SSH_NEWKEYS = 21,
    SSH_ECDH_INIT = 30,
    SSH_ECDH_REPLY = 31,
    SSH_AUTH_REQUEST = 50,
    SSH_AUTH_FAILURE = 51,
    SSH_AUTH_SUCCESS = 52,
    SSH_AUTH_BANNER = 53,
    SSH_AUTH_PK_OK = 60,
    SSH_GLOBAL_REQUEST = 80,
    SSH_REQUEST_SUCCESS = 81,
    SSH_REQUEST_FAILURE = 82,
    SSH_CHANNEL_OPEN = 90,
    SSH_OPEN_CONFIRMATION = 91,
    SSH_OPEN_FAILURE = 92,
    SSH_WINDOW_ADJUST = 93,
    SSH_CHANNEL_DATA = 94,
    SSH_EXTENDED_DATA = 95,
    SSH_CHANNEL_EOF = 96,
    SSH_CHANNEL_CLOSE = 97,
    SSH_CHANNEL_REQUEST = 98,
    SSH_CHANNEL_SUCCESS = 99,
    SSH_CHANNEL_FAILURE = 100
};

/* ---- options ---- */

struct ssh_conf {
    struct gost_bytes user, password, passphrase;
    const char *key_file, *authorized_file, *tls_key_file;
    const char *cert_file, *auther;
    struct gost_list authers;
    const char *host_key; /* client: fingerprint the server must have */
    uint32_t keyring, keepalive;
    uint64_t handshake_ns, interval_ns, timeout_ns;
    int64_t retries;
    /* made by prepare */
    EVP_PKEY *key;
    struct ssh_out authorized;
    uint32_t forwards; /* 1: the streams are port forwarding (sshd), 0: gost-tunnel (ssh) */
};

/* ---- ssh_cipher.c: one direction's protection ---- */

struct ssh_cipher_kind;

struct ssh_dir {
    const struct ssh_cipher_kind *kind; /* NULL: in the open */
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac; /* NULL: the cipher has its own */
    size_t tag;       /* bytes of the tag or MAC */
    int etm;
    uint32_t seq;
    uint64_t bytes; /* since the keys are new */
    uint8_t iv[12];
    uint8_t first[16]; /* the first block, deciphered before the rest was there */
    int have_first;
};

/* What a cipher needs of the key exchange; wiped after use. */
struct ssh_secrets {
    uint8_t iv[64], key[64], mac[64];
};

extern const char ssh_cipher_names[], ssh_mac_names[];
/* The chosen names; mac is not looked at where the cipher has its own. GOST_OK, GOST_ENOMEM. */
int ssh_dir_set(struct ssh_dir *d, struct gost_bytes cipher, struct gost_bytes mac,
                const struct ssh_secrets *secrets, int encrypt);
void ssh_dir_free(struct ssh_dir *d);
size_t ssh_dir_block(const struct ssh_dir *d);
/* The packet at the front of the wire. GOST_OK: *ret_payload is in buf (SSH_PACKET_MAX bytes) and
 * the packet is consumed; GOST_AGAIN; or an error with its text in *ret_why. */
int ssh_dir_open(struct ssh_dir *d, struct gost_io *io, uint8_t *buf,
                 struct gost_bytes *ret_payload, const char **ret_why);
/* Seals buf[0..4 + length): the length field, the padding's length, payload and padding. */
int ssh_dir_seal(struct ssh_dir *d, uint8_t *buf, size_t n, size_t *ret_n);

/* ---- a session ---- */

enum ssh_phase { SSH_PH_VERSION, SSH_PH_KEX, SSH_PH_AUTH, SSH_PH_OPEN };

struct ssh_kex; /* one key exchange */

/* A request of the peer, answered in its order. */
struct ssh_ask {
    struct ssh_ask *next;
    uint64_t stream; /* of the listener that answers; 0: answered */
    int status;
    struct ssh_out payload;
};

struct ssh_state {
    const struct ssh_conf *conf;
    struct gost_io *io; /* of the running call */
    uint32_t phase;
    uint32_t server, strict, keyed; /* keyed: the first exchange is over */
    struct ssh_out peer_version;
    struct ssh_kex *kex;   /* NULL: none under way */
    uint32_t kex_got;      /* the peer's KEXINIT is here, its NEWKEYS not yet */
    uint32_t sending_held; /* our KEXINIT is out, our NEWKEYS not yet */
    struct ssh_out held;
    uint8_t session_id[64];
    size_t session_id_n;
    struct ssh_dir in, out;
    uint8_t *rx, *tx; /* SSH_PACKET_MAX bytes each, while a call runs */
    uint32_t secret;  /* they may hold a password */
    /* users */
    uint32_t service_ok, attempts, tried;
    struct ssh_out sig_algs; /* client: what the server lets users sign with */
    /* channels */
    uint32_t next_id;
    uint64_t next_control;
    struct ssh_ask *asks;
    uint32_t n_asks, n_listeners, pings, misses;
    uint64_t ping_at;
    uint64_t give_up_at;
};

/* ---- ssh_packet.c ---- */

/* Room for packets; GOST_OK or GOST_ENOMEM. Dropped by ssh_leave(). */
int ssh_enter(struct ssh_state *s, struct gost_io *io);
void ssh_leave(struct ssh_state *s);
/* Sends a message, or keeps it back until a key exchange is over. */
int ssh_send(struct ssh_state *s, struct ssh_out *message);
int ssh_send_held(struct ssh_state *s);
/* Channel data without another copy. */
int ssh_send_data(struct ssh_state *s, uint32_t channel, const uint8_t *p, size_t n);
int ssh_next_packet(struct ssh_state *s, struct gost_bytes *ret_payload);
/* Tells the peer why, and fails. */
int ssh_fail(struct ssh_state *s, int code, uint32_t reason, const char *fmt, ...)
    GOST_PRINTF(4, 5);

/* ---- ssh_kex.c, ssh_kex_secret.c ---- */

int ssh_kex_start(struct ssh_state *s); /* sends our KEXINIT */
int ssh_kex_message(struct ssh_state *s, struct gost_bytes payload);
void ssh_kex_free(struct ssh_state *s);

/* ---- ssh_auth_client.c, ssh_auth_server.c ---- */

int ssh_auth_start(struct ssh_state *s);
int ssh_auth_reply(struct ssh_state *s, struct gost_bytes payload);
int ssh_auth_request(struct ssh_state *s, struct gost_bytes payload);
/* What a public key signs to prove itself. */
void ssh_put_auth(struct ssh_out *o, struct gost_bytes user, const char *method);

/* ---- ssh_channel.c, ssh_request.c ---- */

/* One channel, or a listener's control stream; the data of its port. */
struct ssh_channel {
    uint32_t peer_id, peer_max;
    uint64_t peer_window;
    uint32_t window;   /* what the peer may still send */
    uint32_t untold;   /* consumed by our user, the peer not told */
    uint8_t lazy;      /* its user has not yet said what it opens */
    uint8_t announced; /* its user awaits a byte that says it is open */
    uint8_t skip;      /* that byte is no part of the window */
    uint8_t control;   /* a listener's: not on the wire */
    uint8_t open, eof_due, eof_sent, eof_got, close_sent, close_got;
};

extern const struct gost_session_ops ssh_session_ops;
int ssh_channel_message(struct ssh_state *s, struct gost_bytes payload);
int ssh_encode_stream(struct ssh_state *s, struct gost_io *port);
int ssh_attach(struct gost_io *port, struct ssh_channel **ret_channel);

int ssh_global_request(struct ssh_state *s, struct gost_bytes payload);
int ssh_global_reply(struct ssh_state *s);
int ssh_ping(struct ssh_state *s);
/* The listener of this control stream answers, or is gone. */
int ssh_answer(struct ssh_state *s, uint64_t stream, int status, struct gost_bytes payload);
int ssh_control_data(struct ssh_state *s, struct gost_io *port);
void ssh_asks_free(struct ssh_state *s);

/* ---- the words between this layer and the connector and handler on it ----
 *
 * A stream of the sshd layer that is opened without an arg begins with what it opens:
 * "open", u32 length, string(channel type), its data. One byte comes back: 0, or the reason why the
 * peer does not agree, and the end. A listener that the peer asks for
 * comes as a stream whose arg is string("tcpip-forward"), string(address), u32(port); its user
 * writes one byte status (0: it listens), u32 port, and keeps it as long as it listens.
 */
#define SSH_OPEN_WORD  "open"
#define SSH_OPEN_HEAD  8u
#define SSH_OPEN_LIMIT 4096u /* longest head with what follows it */
#define SSH_CONTROL    5u    /* bytes of a listener's answer */
void ssh_put_open(struct ssh_out *o, struct gost_bytes what);

/* ---- ssh_step.c, ssh_conf.c ---- */

extern const struct gost_layer_ops ssh_layer_ops;
extern const struct gost_opt ssh_options[];
int ssh_prepare_tunnel(void *conf, struct gost_prepare *p);
int ssh_prepare_forward(void *conf, struct gost_prepare *p);
void ssh_release(void *conf);

#endif
