/* tls_error.c - what went wrong, for people: whose certificate, why, and what to do. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls.h"

#define REASON_MAX 480

void tls_reason(struct tls_state *s, const char *fmt, ...)
{
    char *text;
    va_list ap;

    if (s->reason)
        return;
    text = gost_alloc(s->wire, REASON_MAX);
    if (!text)
        return;
    va_start(ap, fmt);
    vsnprintf(text, REASON_MAX, fmt, ap);
    va_end(ap);
    s->reason = text;
}

/* ---- certificates ---- */

static int is_server(const struct tls_state *s)
{
    return s->conf->made->role == GOST_SERVER;
}

static const char *trust_remedy(const struct tls_state *s)
{
    if (is_server(s))
        return "sign it with the authority in tls.caFile, or add its own authority there";
    if (s->conf->ca_file)
        return "tls.caFile is not the authority that signed it: give the right one";
    return "give its authority as tls.caFile, pin it with tls.pin, or set secure=false";
}

static void date_text(const ASN1_TIME *t, char *buf, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    if (bio && ASN1_TIME_print(bio, t) == 1)
        n = BIO_read(bio, buf, (int)size - 1);
    buf[n > 0 ? n : 0] = 0;
    BIO_free(bio);
}

static void date_reason(struct tls_state *s, X509_STORE_CTX *x, int error)
{
    X509 *cert = X509_STORE_CTX_get_current_cert(x);
    int early = error == X509_V_ERR_CERT_NOT_YET_VALID;
    char subject[160] = "", date[64] = "";

    if (cert) {
        tls_cert_subject(cert, subject, sizeof subject);
        date_text(early ? X509_get0_notBefore(cert) : X509_get0_notAfter(cert), date, sizeof date);
    }
    if (early)
        tls_reason(s, "certificate of %s is not valid before %s (%s): look at this machine's clock",
                   s->peer, date, subject);
    else
        tls_reason(
            s,
            "certificate of %s has expired on %s (%s): renew it, or look at this machine's clock",
            s->peer, date, subject);
}

void tls_cert_reason(struct tls_state *s, X509_STORE_CTX *x, int error)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(x);
    char text[240] = "";

    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        if (leaf)
            tls_cert_names(leaf, text, sizeof text);
        tls_reason(s, "certificate of %s is for %s: give the right name with tls.serverName",
                   s->peer, text);
        return;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        date_reason(s, x, error);
        return;
    default:
        if (leaf)
            tls_cert_subject(leaf, text, sizeof text);
        tls_reason(s, "certificate of %s is not trusted: %s (%s); %s", s->peer,
                   X509_verify_cert_error_string(error), text, trust_remedy(s));
    }
}

/* ---- alerts of the peer ---- */

struct hint {
    int code;
    const char *text;
};

static const struct hint client_alerts[] = {
    /* received by a client */
    {SSL_AD_CERTIFICATE_REQUIRED,
     "it wants a client certificate: give tls.certFile and tls.keyFile"},
    {SSL_AD_BAD_CERTIFICATE,
     "give a client certificate it accepts with tls.certFile and tls.keyFile"},
    {SSL_AD_UNKNOWN_CA,
     "it does not know who signed our client certificate: give another tls.certFile"},
    {SSL_AD_CERTIFICATE_EXPIRED, "renew the client certificate in tls.certFile"},
    {SSL_AD_HANDSHAKE_FAILURE,
     "it wants a client certificate (tls.certFile) or other cipher suites "
     "(tls.options.cipherSuites)"},
    {SSL_AD_PROTOCOL_VERSION,
     "it speaks other versions: see tls.options.minVersion and maxVersion"},
    {SSL_AD_UNRECOGNIZED_NAME, "it does not serve this name: give another with tls.serverName"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, "it has none of the protocols in tls.options.alpn"},
    {0, "its log says why"},
};

static const struct hint server_alerts[] = {
    /* received by a server */
    {SSL_AD_UNKNOWN_CA,
     "it does not trust our certificate: give one it knows with tls.certFile and "
     "tls.keyFile"},
    {SSL_AD_BAD_CERTIFICATE, "it does not accept our certificate: look at its names and its date"},
    {SSL_AD_CERTIFICATE_EXPIRED, "our certificate has expired: renew tls.certFile"},
    {SSL_AD_CERTIFICATE_UNKNOWN,
     "it does not accept our certificate: look at its names and its date"},
    {0, "its own messages say why"},
};

static const char *hint_for(const struct hint *table, int code)
{
    while (table->code && table->code != code)
        table++;
    return table->text;
}

/* ---- what OpenSSL found itself ---- */

static const struct hint faults[] = {
    {SSL_R_WRONG_VERSION_NUMBER,
     "what it sends is not TLS: look at the port, and at whether TLS is on "
     "at the other end"},
    {SSL_R_HTTP_REQUEST, "it speaks plain HTTP to a TLS port: use https:// there"},
    {SSL_R_HTTPS_PROXY_REQUEST,
     "it speaks to us as to a plain HTTP proxy: use an https:// proxy there"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "it speaks only versions outside of tls.options.minVersion and "
                                 "maxVersion"},
    {SSL_R_VERSION_TOO_LOW, "it speaks only versions below tls.options.minVersion"},
    {SSL_R_NO_SHARED_CIPHER,
     "none of its cipher suites is among tls.options.cipherSuites, or fits the "
     "key of our certificate"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
     "it showed no certificate, and tls.caFile asks for one: "
     "give the client a certificate of that authority"},
    {0, NULL},
};

/* Reasons that only say that the bytes were not those of TLS, met by the first bytes of a wrong
 * peer. */
static const char *fault_for(int reason)
{
    const char *text = hint_for(faults, reason);

    if (!text && (reason == SSL_R_UNEXPECTED_MESSAGE || reason == SSL_R_PACKET_LENGTH_TOO_LONG ||
                  reason == SSL_R_BAD_RECORD_TYPE || reason == SSL_R_UNKNOWN_PROTOCOL))
        text = hint_for(faults, SSL_R_WRONG_VERSION_NUMBER);
    return text;
}

int tls_fail(struct tls_state *s, const char *doing)
{
    unsigned long error = ERR_peek_error();
    int code = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    int alert = code - SSL_AD_REASON_OFFSET;
    const char *text = ERR_reason_error_string(error), *hint;

    s->failed = 1;
    ERR_clear_error();
    if (s->reason)
        return gost_fail(s->wire, GOST_ETLS, "%s", s->reason);
    if (alert >= 0 && alert < 256) {
        hint = hint_for(is_server(s) ? server_alerts : client_alerts, alert);
        return gost_fail(s->wire, GOST_ETLS, "%s ended %s with the alert \"%s\": %s", s->peer,
                         doing, SSL_alert_desc_string_long(alert), hint);
    }
    hint = code ? fault_for(code) : NULL;
    return gost_fail(s->wire, GOST_ETLS, "%s with %s failed: %s%s%s", doing, s->peer,
                     text ? text : "OpenSSL gives no reason", hint ? "; " : "", hint ? hint : "");
}
