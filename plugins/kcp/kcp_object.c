/* kcp_object.c - the configuration object of kcp: a JSON file or a map. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "kcp.h"

#define FILE_MAX 65536

static int refuse(struct gost_prepare *p, const char *what, const char *why)
{
    snprintf(p->error, p->error_size, "%s: %s", what, why);
    return GOST_EPROTO;
}

static void set(struct kcp_object *o, const char *key, int64_t value)
{
    if (strcasecmp(key, "datashard") == 0)
        o->data_shard = value;
    else if (strcasecmp(key, "parityshard") == 0)
        o->parity_shard = value;
    else if (strcasecmp(key, "nodelay") == 0)
        o->nodelay = value;
    else if (strcasecmp(key, "resend") == 0)
        o->resend = value;
    else if (strcasecmp(key, "nc") == 0)
        o->no_cwnd = value;
    else if (strcasecmp(key, "acknodelay") == 0)
        o->ack_nodelay = value != 0;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, FILE_MAX + 1) : NULL;

    if (text && fread(text, 1, FILE_MAX, f) == 0) {
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

static int from_file(const char *path, struct kcp_object *o, struct gost_prepare *p)
{
    char *text = read_file(path);
    cJSON *json = text ? cJSON_Parse(text) : NULL, *item;

    if (!text)
        return refuse(p, path, "the file of kcp.configFile cannot be read");
    free(text);
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return refuse(p, path, "the file of kcp.configFile is not one JSON object");
    }
    cJSON_ArrayForEach(item, json)
    {
        if (cJSON_IsNumber(item))
            set(o, item->string, (int64_t)item->valuedouble);
        else if (cJSON_IsBool(item))
            set(o, item->string, cJSON_IsTrue(item));
    }
    cJSON_Delete(json);
    return GOST_OK;
}

int kcp_object_read(const struct kcp_conf *conf, struct kcp_object *ret, struct gost_prepare *p)
{
    struct kcp_object o;
    uint32_t i;
    int r = GOST_OK;

    memset(&o, 0, sizeof o);
    if (conf->file && *conf->file) {
        r = from_file(conf->file, &o, p);
    } else if (!conf->config.n) {
        o.data_shard = 10;
        o.parity_shard = 3;
    }
    for (i = 0; i < conf->config.n; i++) {
        const char *v = conf->config.v[i].value;

        set(&o, conf->config.v[i].key, strcasecmp(v, "true") == 0 ? 1 : strtoll(v, NULL, 10));
    }
    if (r != GOST_OK)
        return r;
    if (o.data_shard < 0 || o.parity_shard < 0 || o.data_shard + o.parity_shard > KCP_FEC_MAX)
        return refuse(p, "datashard and parityshard", "they must be 0 or more, together below 256");
    if (o.resend < 0 || o.resend > 1000)
        return refuse(p, "resend", "it must be from 0 to 1000");
    *ret = o;
    return GOST_OK;
}
