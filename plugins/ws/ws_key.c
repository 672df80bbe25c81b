/* ws_key.c - Sec-WebSocket-Key and Sec-WebSocket-Accept (RFC 6455 section 4). */
/* SPDX-License-Identifier: MIT */
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "ws.h"

static const char salt[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

void ws_key_put(char key[WS_KEY_SIZE], const uint8_t raw[16])
{
    uint8_t text[WS_KEY_SIZE + 1];

    EVP_EncodeBlock(text, raw, 16);
    memcpy(key, text, WS_KEY_SIZE);
}

int ws_key_valid(struct gost_bytes key)
{
    uint8_t raw[18], text[WS_KEY_SIZE + 1];
    int n;

    if (key.n != WS_KEY_SIZE)
        return 0;
    n = EVP_DecodeBlock(raw, key.p, (int)key.n);
    if (n != sizeof raw)
        return 0;
    /* the decoder is lenient: only what it would write itself is right */
    EVP_EncodeBlock(text, raw, 16);
    return memcmp(text, key.p, WS_KEY_SIZE) == 0;
}

void ws_key_accept(char accept[WS_ACCEPT_SIZE], struct gost_bytes key)
{
    uint8_t plain[WS_KEY_SIZE + sizeof salt - 1], digest[SHA_DIGEST_LENGTH];
    uint8_t text[WS_ACCEPT_SIZE + 1];

    memcpy(plain, key.p, WS_KEY_SIZE);
    memcpy(plain + WS_KEY_SIZE, salt, sizeof salt - 1);
    SHA1(plain, sizeof plain, digest);
    EVP_EncodeBlock(text, digest, (int)sizeof digest);
    memcpy(accept, text, WS_ACCEPT_SIZE);
}
