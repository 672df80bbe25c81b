/* quic_compat.h - what differs between ngtcp2 0.12 and 1.x, in one place. */
/* SPDX-License-Identifier: MIT */
#ifndef QUIC_COMPAT_H
#define QUIC_COMPAT_H

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <gost/base.h>

#if NGTCP2_VERSION_NUM >= 0x010000

typedef ngtcp2_ccerr quic_error;
#define quic_error_default     ngtcp2_ccerr_default
#define quic_error_application ngtcp2_ccerr_set_application_error
#define quic_error_library     ngtcp2_ccerr_set_liberr
#define quic_error_alert       ngtcp2_ccerr_set_tls_alert
#define QUIC_ERROR_APPLICATION NGTCP2_CCERR_TYPE_APPLICATION
#define quic_is_draining       ngtcp2_conn_in_draining_period
#define QUIC_VERSION_2         NGTCP2_PROTO_VER_V2

static inline void quic_peer_error(ngtcp2_conn *conn, quic_error *ret_error)
{
    *ret_error = *ngtcp2_conn_get_ccerr(conn);
}

static inline int quic_shutdown_read(ngtcp2_conn *conn, int64_t id, uint64_t code)
{
    return ngtcp2_conn_shutdown_stream_read(conn, 0, id, code);
}

static inline int quic_shutdown_write(ngtcp2_conn *conn, int64_t id, uint64_t code)
{
    return ngtcp2_conn_shutdown_stream_write(conn, 0, id, code);
}

static inline struct gost_bytes quic_token(const ngtcp2_pkt_hd *hd)
{
    return gost_bytes(hd->token, hd->tokenlen);
}

static inline void quic_set_token(ngtcp2_settings *settings, struct gost_bytes token)
{
    settings->token = token.p;
    settings->tokenlen = token.n;
}

static inline void quic_set_original(ngtcp2_transport_params *params, const ngtcp2_cid *cid)
{
    params->original_dcid = *cid;
    params->original_dcid_present = 1;
}

#else

typedef ngtcp2_connection_close_error quic_error;
#define quic_error_default     ngtcp2_connection_close_error_default
#define quic_error_application ngtcp2_connection_close_error_set_application_error
#define quic_error_library     ngtcp2_connection_close_error_set_transport_error_liberr
#define quic_error_alert       ngtcp2_connection_close_error_set_transport_error_tls_alert
#define quic_is_draining       ngtcp2_conn_is_in_draining_period
#define quic_peer_error        ngtcp2_conn_get_connection_close_error
#define QUIC_ERROR_APPLICATION NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION
#define QUIC_VERSION_2         NGTCP2_PROTO_VER_V1 /* it knows a draft of version 2 only */
#define quic_shutdown_read     ngtcp2_conn_shutdown_stream_read
#define quic_shutdown_write    ngtcp2_conn_shutdown_stream_write

static inline struct gost_bytes quic_token(const ngtcp2_pkt_hd *hd)
{
    return gost_bytes(hd->token.base, hd->token.len);
}

static inline void quic_set_token(ngtcp2_settings *settings, struct gost_bytes token)
{
    settings->token.base = (uint8_t *)token.p;
    settings->token.len = token.n;
}

static inline void quic_set_original(ngtcp2_transport_params *params, const ngtcp2_cid *cid)
{
    params->original_dcid = *cid;
}

#endif

#endif
