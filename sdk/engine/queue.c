/* queue.c - chunk, packet and head queues. */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

struct ge_chunk *ge_chunk_new(struct ge_worker *w, uint32_t cap)
{
    struct ge_chunk *c;

    if (cap <= GE_CHUNK_SIZE && w->n_pool > 0) {
        c = w->pool[--w->n_pool];
        w->usage.idle_chunks--;
    } else {
        if (cap < GE_CHUNK_SIZE)
            cap = GE_CHUNK_SIZE;
        c = malloc(sizeof *c + cap);
        if (!c)
            return NULL;
        c->cap = cap;
    }
    c->refs = 1;
    c->used = 0;
    w->usage.chunks++;
    w->usage.chunk_bytes += c->cap;
    return c;
}

void ge_chunk_unref(struct ge_worker *w, struct ge_chunk *c)
{
    if (--c->refs > 0)
        return;
    w->usage.chunks--;
    w->usage.chunk_bytes -= c->cap;
    if (c->cap == GE_CHUNK_SIZE && w->n_pool < sizeof w->pool / sizeof w->pool[0]) {
        w->pool[w->n_pool++] = c;
        w->usage.idle_chunks++;
        return;
    }
    free(c);
}

static struct ge_seg *seg_new(struct ge_worker *w, struct ge_chunk *c, uint32_t off, uint32_t len)
{
    struct ge_seg *s = w->seg_pool;

    if (s)
        w->seg_pool = s->next;
    else if (!(s = malloc(sizeof *s)))
        return NULL;
    s->next = NULL;
    s->chunk = c;
    s->off = off;
    s->len = len;
    return s;
}

static void seg_recycle(struct ge_worker *w, struct ge_seg *s)
{
    ge_chunk_unref(w, s->chunk);
    s->next = w->seg_pool;
    w->seg_pool = s;
}

/* The segment alone: its chunk has another holder now. */
void ge_seg_drop(struct ge_worker *w, struct ge_seg *s)
{
    s->next = w->seg_pool;
    w->seg_pool = s;
}

/* While plugin code runs, what it consumed stays readable: gost_take() hands out such views. */
static void seg_free(struct ge_worker *w, struct ge_seg *s)
{
    if (!w->in_step) {
        seg_recycle(w, s);
        return;
    }
    s->next = w->limbo;
    w->limbo = s;
}

void ge_limbo_release(struct ge_worker *w)
{
    struct ge_seg *s;

    while ((s = w->limbo)) {
        w->limbo = s->next;
        seg_recycle(w, s);
    }
}

static void append_seg(struct ge_queue *q, struct ge_seg *s)
{
    if (q->tail)
        q->tail->next = s;
    else
        q->head = s;
    q->tail = s;
    q->bytes += s->len;
    q->in += s->len;
}

/* Takes over a chunk that nobody on this worker counts. */
int ge_queue_adopt(struct ge_worker *w, struct ge_queue *q, struct ge_chunk *c, uint32_t off,
                   uint32_t len)
{
    struct ge_seg *s = seg_new(w, c, off, len);

    if (!s)
        return GOST_ENOMEM;
    w->usage.chunks++;
    w->usage.chunk_bytes += c->cap;
    append_seg(q, s);
    return GOST_OK;
}

struct gost_bytes ge_queue_first(const struct ge_queue *q)
{
    const struct ge_seg *s = q->head;

    while (s && s->len == 0)
        s = s->next;
    return s ? gost_bytes(s->chunk->data + s->off, s->len) : gost_bytes(NULL, 0);
}

/* Room at the tail that may be written without disturbing anybody else's view. */
static size_t tail_room(const struct ge_queue *q)
{
    const struct ge_seg *s = q->tail;

    if (!s || s->chunk->refs != 1 || s->off + s->len != s->chunk->used)
        return 0;
    return s->chunk->cap - s->chunk->used;
}

/* At least n bytes of room (n == 0: what is worth reading into). */
uint8_t *ge_queue_reserve(struct ge_worker *w, struct ge_queue *q, size_t n, size_t *ret_room)
{
    struct ge_chunk *c;
    struct ge_seg *s;
    size_t room = tail_room(q);

    if (room < (n ? n : 2048u)) {
        c = ge_chunk_new(w, n > GE_CHUNK_SIZE ? (uint32_t)n : GE_CHUNK_SIZE);
        if (!c)
            return NULL;
        s = seg_new(w, c, 0, 0);
        if (!s) {
            ge_chunk_unref(w, c);
            return NULL;
        }
        append_seg(q, s);
        room = c->cap;
    }
    if (ret_room)
        *ret_room = room;
    return q->tail->chunk->data + q->tail->chunk->used;
}

void ge_queue_commit(struct ge_worker *w, struct ge_queue *q, size_t n)
{
    struct ge_seg *s = q->tail, *p;

    if (!s)
        return;
    s->chunk->used += (uint32_t)n;
    s->len += (uint32_t)n;
    q->bytes += n;
    q->in += n;
    if (s->len > 0)
        return;
    /* nothing came: give the chunk back, an idle queue holds no memory */
    if (q->head == s) {
        q->head = q->tail = NULL;
    } else {
        for (p = q->head; p->next != s; p = p->next)
            ;
        p->next = NULL;
        q->tail = p;
    }
    seg_free(w, s);
}

int ge_queue_append(struct ge_worker *w, struct ge_queue *q, const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t room, k;
    uint8_t *to;

    while (n > 0) {
        to = ge_queue_reserve(w, q, 1, &room);
        if (!to)
            return GOST_ENOMEM;
        k = n < room ? n : room;
        memcpy(to, p, k);
        ge_queue_commit(w, q, k);
        p += k;
        n -= k;
    }
    return GOST_OK;
}

void ge_queue_consume(struct ge_worker *w, struct ge_queue *q, size_t n)
{
    struct ge_seg *s;
    size_t k;

    while ((s = q->head)) {
        k = n < s->len ? n : s->len;
        s->off += (uint32_t)k;
        s->len -= (uint32_t)k;
        q->bytes -= k;
        n -= k;
        if (s->len > 0)
            return;
        q->head = s->next;
        if (!q->head)
            q->tail = NULL;
        seg_free(w, s);
        if (n == 0 && q->head && q->head->len > 0)
            return;
    }
}

const uint8_t *ge_queue_peek(struct ge_worker *w, struct ge_queue *q, size_t n)
{
    struct ge_chunk *c;
    struct ge_seg *s;
    size_t have = 0, k;

    if (n > q->bytes)
        return NULL;
    while (q->head && q->head->len == 0 && q->head->next) {
        s = q->head;
        q->head = s->next;
        seg_free(w, s);
    }
    if (q->head && q->head->len >= n)
        return q->head->chunk->data + q->head->off;
    /* Gather with room to spare: the bytes that follow are appended in place, so a parser that asks
     * for one more byte each time copies every byte a constant number of times. */
    c = ge_chunk_new(w, n > GE_CHUNK_SIZE / 2 ? (uint32_t)(2 * n) : GE_CHUNK_SIZE);
    if (!c)
        return NULL;
    s = seg_new(w, c, 0, 0);
    if (!s) {
        ge_chunk_unref(w, c);
        return NULL;
    }
    while (have < n) {
        struct ge_seg *h = q->head;

        k = h->len < c->cap - have ? h->len : c->cap - have;
        memcpy(c->data + have, h->chunk->data + h->off, k);
        have += k;
        ge_queue_consume(w, q, k);
    }
    c->used = (uint32_t)have;
    s->len = (uint32_t)have;
    s->next = q->head;
    q->head = s;
    if (!q->tail)
        q->tail = s;
    q->bytes += have;
    return c->data;
}

size_t ge_queue_move(struct ge_worker *w, struct ge_queue *to, struct ge_queue *from, size_t n)
{
    struct ge_seg *s, *t;
    size_t moved = 0;

    while (n > 0 && (s = from->head)) {
        if (s->len == 0) {
            from->head = s->next;
            if (!from->head)
                from->tail = NULL;
            seg_free(w, s);
            continue;
        }
        if (s->len < 512 && tail_room(to) >= s->len && s->len <= n) {
            /* small pieces are copied together: fewer iovecs, no chunk held for a few bytes */
            size_t len = s->len;

            memcpy(to->tail->chunk->data + to->tail->chunk->used, s->chunk->data + s->off, len);
            ge_queue_commit(w, to, len);
            ge_queue_consume(w, from, len);
            moved += len;
            n -= len;
            continue;
        }
        if (s->len <= n) {
            from->head = s->next;
            if (!from->head)
                from->tail = NULL;
            from->bytes -= s->len;
            s->next = NULL;
            moved += s->len;
            n -= s->len;
            append_seg(to, s);
            continue;
        }
        t = seg_new(w, s->chunk, s->off, (uint32_t)n);
        if (!t)
            break;
        s->chunk->refs++;
        append_seg(to, t);
        s->off += (uint32_t)n;
        s->len -= (uint32_t)n;
        from->bytes -= n;
        moved += n;
        n = 0;
    }
    return moved;
}

void ge_queue_splice_front(struct ge_queue *q, struct ge_queue *front)
{
    if (front->head) {
        front->tail->next = q->head;
        q->head = front->head;
        if (!q->tail)
            q->tail = front->tail;
    }
    if (front->phead) {
        *front->ptail = q->phead;
        if (!q->phead)
            q->ptail = front->ptail;
        q->phead = front->phead;
    }
    q->bytes += front->bytes;
    q->in += front->bytes;
    q->packets += front->packets;
    front->head = front->tail = NULL;
    front->phead = NULL;
    front->ptail = NULL;
    front->bytes = 0;
    front->packets = 0;
}

void ge_queue_clear(struct ge_worker *w, struct ge_queue *q)
{
    struct ge_seg *s;
    struct ge_pkt *p;
    struct ge_headq *h;

    while ((s = q->head)) {
        q->head = s->next;
        seg_free(w, s);
    }
    q->tail = NULL;
    while ((p = q->phead)) {
        q->phead = p->next;
        free(p);
    }
    while ((h = q->heads)) {
        q->heads = h->next;
        free(h);
    }
    q->ptail = NULL;
    q->bytes = 0;
    q->packets = 0;
    q->n_heads = 0;
}

static int packets_full(const struct ge_queue *q, size_t n)
{
    return q->packets >= GE_PACKETS_MAX || q->bytes + n > GE_PACKET_BYTES_MAX;
}

static void append_packet(struct ge_queue *q, struct ge_pkt *k)
{
    k->next = NULL;
    if (!q->ptail)
        q->ptail = &q->phead;
    *q->ptail = k;
    q->ptail = &k->next;
    q->packets++;
    q->bytes += k->len;
}

int ge_queue_add_packet(struct ge_queue *q, struct ge_pkt *k)
{
    if (packets_full(q, k->len))
        return GOST_FULL;
    append_packet(q, k);
    return GOST_OK;
}

int ge_queue_put_packet(struct ge_queue *q, const struct gost_packet *p)
{
    size_t at = sizeof(struct ge_pkt) + p->data.n, align = _Alignof(struct gost_addr);
    struct ge_pkt *n;

    if (p->data.n > 65535)
        return GOST_ETOOBIG;
    if (packets_full(q, p->data.n))
        return GOST_FULL;
    at = (at + align - 1) / align * align;
    n = malloc(at + (p->local ? sizeof *p->local : 0));
    if (!n)
        return GOST_ENOMEM;
    n->local = p->local ? (struct gost_addr *)((uint8_t *)n + at) : NULL;
    if (p->local)
        *n->local = *p->local;
    n->len = (uint32_t)p->data.n;
    n->segment = p->segment;
    n->ecn = p->ecn;
    n->flags = p->flags;
    n->has_addr = p->addr != NULL;
    if (p->addr)
        n->addr = *p->addr;
    if (p->data.n)
        memcpy(n->data, p->data.p, p->data.n);
    append_packet(q, n);
    return GOST_OK;
}

struct ge_pkt *ge_queue_get_packet(struct ge_queue *q)
{
    struct ge_pkt *p = q->phead;

    if (!p)
        return NULL;
    q->phead = p->next;
    if (!q->phead)
        q->ptail = &q->phead;
    q->packets--;
    q->bytes -= p->len;
    return p;
}

void ge_pkt_view(const struct ge_pkt *k, struct gost_packet *ret)
{
    ret->ecn = k->ecn;
    ret->flags = k->flags;
    ret->segment = k->segment;
    ret->data = gost_bytes(k->data, k->len);
    ret->addr = k->has_addr ? &k->addr : NULL;
    ret->local = k->local;
}

static uint8_t *copy_view(uint8_t *at, struct gost_bytes *v)
{
    if (v->n)
        memcpy(at, v->p, v->n);
    v->p = at;
    return at + v->n;
}

int ge_queue_put_head(struct ge_queue *q, const struct gost_head *head)
{
    struct ge_headq *h, **at;
    struct gost_field *f;
    size_t n = 0;
    uint32_t i;
    uint8_t *p;

    n += head->method.n + head->scheme.n + head->authority.n + head->path.n + head->protocol.n;
    for (i = 0; i < head->n_fields; i++)
        n += head->fields[i].name.n + head->fields[i].value.n;
    if (n > GOST_PEEK_MAX || head->n_fields > 1024)
        return GOST_ETOOBIG;
    if (q->n_heads >= GE_HEADS_MAX)
        return GOST_ELIMIT;
    h = malloc(sizeof *h + head->n_fields * sizeof *f + n + 1);
    if (!h)
        return GOST_ENOMEM;
    h->next = NULL;
    h->at = q->in;
    memset(&h->head, 0, sizeof h->head);
    memcpy(&h->head, head, head->size < sizeof h->head ? head->size : sizeof h->head);
    f = (struct gost_field *)(h + 1);
    p = (uint8_t *)(f + head->n_fields);
    p = copy_view(p, &h->head.method);
    p = copy_view(p, &h->head.scheme);
    p = copy_view(p, &h->head.authority);
    p = copy_view(p, &h->head.path);
    p = copy_view(p, &h->head.protocol);
    for (i = 0; i < head->n_fields; i++) {
        f[i] = head->fields[i];
        p = copy_view(p, &f[i].name);
        p = copy_view(p, &f[i].value);
    }
    h->head.fields = f;
    for (at = &q->heads; *at; at = &(*at)->next)
        ;
    *at = h;
    q->n_heads++;
    return GOST_OK;
}

struct ge_headq *ge_queue_get_head(struct ge_queue *q)
{
    struct ge_headq *h = q->heads;

    if (!h || h->at > q->in - q->bytes)
        return NULL;
    q->heads = h->next;
    q->n_heads--;
    return h;
}

/* Heads that are due go first, then bytes up to the next head. Returns heads and bytes moved. */
size_t ge_queue_move_exchange(struct ge_worker *w, struct ge_queue *to, struct ge_queue *from,
                              size_t n, size_t *ret_bytes)
{
    size_t heads = 0, bytes = 0, k = 1;
    struct ge_headq *h, **at;

    while (k > 0) {
        while (to->n_heads < GE_HEADS_MAX && (h = ge_queue_get_head(from))) {
            h->next = NULL;
            h->at = to->in;
            for (at = &to->heads; *at; at = &(*at)->next)
                ;
            *at = h;
            to->n_heads++;
            heads++;
        }
        k = n - bytes;
        if (from->heads && from->heads->at - (from->in - from->bytes) < k)
            k = (size_t)(from->heads->at - (from->in - from->bytes));
        k = k ? ge_queue_move(w, to, from, k) : 0;
        bytes += k;
    }
    *ret_bytes = bytes;
    return heads + bytes;
}
