/* quic_tls.c - the TLS half of a connection: names, verification, what is told about the peer. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "quic.h"

static ngtcp2_conn *conn_of(ngtcp2_crypto_conn_ref *ref)
{
    return ((struct quic_state *)ref->user_data)->conn;
}

/* The name to ask for and to verify: the option, what the stack says, or the host to reach. */
static void find_name(const struct quic_state *s, struct gost_addr *ret_addr)
{
    const char *name = s->conf->server_name;

    if (!name || !*name)
        name = gost_flow(s->wire)->server_name;
    if (name && *name && gost_addr_set_host(ret_addr, name, strlen(name), 0) == GOST_OK)
        return;
    *ret_addr = gost_target(s->wire)->addr;
}

static int client_names(struct quic_state *s)
{
    const struct quic_made *m = s->conf->made;
    struct gost_addr addr;
    char text[GOST_ADDR_TEXT];
    char *peer;
    size_t n;

    find_name(s, &addr);
    s->peer = "the server";
    if (addr.family == GOST_AF_NONE || addr.family == GOST_AF_UNIX) {
        if (m->check_name)
            return gost_fail(s->wire, GOST_ETLS,
                             "secure=true needs a name to verify, and none is known here: give "
                             "tls.serverName");
    } else {
        n = gost_addr_host(&addr, text, sizeof text);
        peer = gost_alloc(s->wire, n + 1);
        if (!peer)
            return gost_fail(s->wire, GOST_ENOMEM, "out of memory");
        memcpy(peer, text, n + 1);
        s->peer = peer;
        /* Go's clients name no address, and neither do we. */
        if (addr.family == GOST_AF_NAME)
            gnutls_server_name_set(s->tls, GNUTLS_NAME_DNS, text, n);
    }
    if (m->check_chain)
        gnutls_session_set_verify_cert(s->tls, m->check_name ? s->peer : NULL, 0);
    return GOST_OK;
}

int quic_tls_open(struct quic_state *s)
{
    const struct quic_made *m = s->conf->made;
    int server = s->role == GOST_SERVER;
    unsigned flags = (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NO_END_OF_EARLY_DATA;
    int r = gnutls_init(&s->tls, flags);

    if (r >= 0)
        r = gnutls_priority_set(s->tls, m->priority);
    if (r >= 0)
        r = gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, m->cred);
    if (r >= 0)
        r = gnutls_alpn_set_protocols(s->tls, m->alpn, m->n_alpn,
                                      GNUTLS_ALPN_MANDATORY |
                                          (server ? GNUTLS_ALPN_SERVER_PRECEDENCE : 0));
    if (r >= 0)
        r = server ? ngtcp2_crypto_gnutls_configure_server_session(s->tls)
                   : ngtcp2_crypto_gnutls_configure_client_session(s->tls);
    if (r < 0)
        return gost_fail(s->wire, GOST_ETLS, "TLS cannot be set up: %s", gnutls_strerror(r));
    s->ref.get_conn = conn_of;
    s->ref.user_data = s;
    gnutls_session_set_ptr(s->tls, &s->ref);
    if (!server)
        return client_names(s);
    s->peer = "the client";
    if (m->check_chain) {
        gnutls_certificate_server_set_request(s->tls, GNUTLS_CERT_REQUIRE);
        gnutls_session_set_verify_cert(s->tls, NULL, 0);
    }
    return GOST_OK;
}

void quic_tls_tell(struct quic_state *s)
{
    struct gost_secure info = {.size = sizeof info};
    const gnutls_datum_t *certs;
    char name[256], *cipher;
    uint8_t digest[32];
    size_t n = sizeof name, digest_n = sizeof digest;
    unsigned n_certs = 0, type;
    gnutls_datum_t alpn;

    info.version = gost_bytes_str("QUIC v1");
    cipher = (char *)gnutls_cipher_get_name(gnutls_cipher_get(s->tls));
    info.cipher = gost_bytes_str(cipher);
    if (gnutls_alpn_get_selected_protocol(s->tls, &alpn) == 0)
        info.alpn = gost_bytes(alpn.data, alpn.size);
    if (s->role == GOST_SERVER &&
        gnutls_server_name_get(s->tls, name, &n, &type, 0) == GNUTLS_E_SUCCESS)
        info.server_name = gost_bytes_str(name);
    certs = gnutls_certificate_get_peers(s->tls, &n_certs);
    if (certs && n_certs > 0 &&
        gnutls_fingerprint(GNUTLS_DIG_SHA256, &certs[0], digest, &digest_n) == 0)
        info.peer_fingerprint = gost_bytes(digest, digest_n);
    gost_set_secure(s->wire, &info);
}

void quic_tls_reason(struct quic_state *s, char *buf, size_t size)
{
    unsigned status = gnutls_session_get_verify_cert_status(s->tls);
    uint8_t alert = ngtcp2_conn_get_tls_alert(s->conn);
    const char *name = gnutls_alert_get_name((gnutls_alert_description_t)alert);
    gnutls_datum_t text = {NULL, 0};

    if (status && status != (unsigned)-1 &&
        gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) == 0)
        snprintf(buf, size, "the certificate of %s is refused: %.300s", s->peer, text.data);
    else if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL)
        snprintf(buf, size, "%s has none of our ALPN protocols: give tls.options.alpn", s->peer);
    else
        snprintf(buf, size, "the TLS handshake with %s failed: %s", s->peer,
                 name ? name : "unknown reason");
    gnutls_free(text.data);
}
