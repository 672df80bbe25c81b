/* conf_schema.c - the table of all configuration objects, in the order of output. */
/* SPDX-License-Identifier: MIT */
#include "conf_schema.h"

#include <string.h>
#include <strings.h>

/* Rows of the tables. `flags` is GH_ALWAYS for the keys that are printed even when empty. */
/* clang-format off */
#define STR(name, flag)      {.key = (name), .type = GH_FIELD_STRING, .flags = (flag)}
#define REF(name, section)   {.key = (name), .type = GH_FIELD_STRING, .ref = (section)}
#define REFS(name, section)  {.key = (name), .type = GH_FIELD_STRINGS, .ref = (section)}
#define STRS(name)           {.key = (name), .type = GH_FIELD_STRINGS}
#define INT(name, flag)      {.key = (name), .type = GH_FIELD_INT, .flags = (flag)}
#define BOOL(name, flag)     {.key = (name), .type = GH_FIELD_BOOL, .flags = (flag)}
#define DUR(name, flag)      {.key = (name), .type = GH_FIELD_DURATION, .flags = (flag)}
#define TEXTMAP(name)        {.key = (name), .type = GH_FIELD_TEXTMAP}
#define FREE(name)           {.key = (name), .type = GH_FIELD_FREE}
#define OBJ(name, kind)      {.key = (name), .type = GH_FIELD_OBJECT, .sub = (kind)}
#define OBJS(name, kind, flag) \
    {.key = (name), .type = GH_FIELD_OBJECTS, .sub = (kind), .flags = (flag)}
#define END {.key = NULL}
/* clang-format on */

#define OBJECT(id, text, ...)                                        \
    static const struct gh_field id##_fields[] = {__VA_ARGS__, END}; \
    static const struct gh_object id[] = {{(text), id##_fields}}

/* ---- shared parts ---- */

OBJECT(auth, "auth", STR("username", 0), STR("password", 0), STR("file", 0));

OBJECT(tls_options, "tls options", STR("minVersion", 0), STR("maxVersion", 0), STRS("cipherSuites"),
       STRS("alpn"));

OBJECT(tls, "tls", STR("certFile", 0), STR("keyFile", 0), STR("caFile", 0), BOOL("secure", 0),
       STR("serverName", 0), OBJ("options", tls_options), DUR("validity", 0), STR("commonName", 0),
       STR("organization", 0), BOOL("rejectUnknownSNI", 0), STRS("serverNames"));

OBJECT(plugin, "plugin", STR("type", GH_ALWAYS), STR("addr", GH_ALWAYS), OBJ("tls", tls),
       DUR("timeout", 0), STR("token", 0));

OBJECT(file_loader, "file", STR("path", GH_ALWAYS));

OBJECT(redis_loader, "redis", STR("addr", GH_ALWAYS), INT("db", 0), STR("username", 0),
       STR("password", 0), STR("key", 0), STR("type", 0));

OBJECT(http_loader, "http", STR("url", GH_ALWAYS), DUR("timeout", 0));

#define LOADERS \
    DUR("reload", 0), OBJ("file", file_loader), OBJ("redis", redis_loader), OBJ("http", http_loader)
#define PLUGIN OBJ("plugin", plugin)
#define NAME   STR("name", GH_ALWAYS)

OBJECT(sockopts, "sockopts", INT("mark", 0));

OBJECT(selector, "selector", STR("strategy", GH_ALWAYS), INT("maxFails", GH_ALWAYS),
       DUR("failTimeout", GH_ALWAYS), DUR("maxLatency", 0));

OBJECT(filter, "filter", STR("host", 0), STR("protocol", 0), STR("path", 0));

OBJECT(matcher, "matcher", STR("rule", 0), INT("priority", 0),
       {.key = "bodySize", .type = GH_FIELD_INT, .yaml_key = "bodysize"});

OBJECT(probe, "probe", STR("type", GH_ALWAYS), STR("addr", GH_ALWAYS_YAML),
       DUR("interval", GH_ALWAYS), DUR("timeout", GH_ALWAYS), STR("httpPath", 0),
       STR("httpHost", 0), TEXTMAP("httpHeaders"), INT("expectedStatus", 0), STR("command", 0));

/* ---- nodes ---- */

#define REWRITE(name, key_json)                                                            \
    {                                                                                      \
        .key = (name), .type = GH_FIELD_STRING, .flags = GH_ALWAYS, .json_key = (key_json) \
    }

OBJECT(rewrite_url, "URL rewrite", REWRITE("match", "Match"),
       REWRITE("replacement", "Replacement"));

OBJECT(rewrite_body, "body rewrite", REWRITE("type", "Type"), REWRITE("match", "Match"),
       REWRITE("replacement", "Replacement"), REF("rewriter", "rewriters"), INT("maxChunkSize", 0));

OBJECT(http_node, "http", STR("host", 0), TEXTMAP("header"), TEXTMAP("requestHeader"),
       TEXTMAP("responseHeader"), OBJS("rewrite", rewrite_url, 0),
       OBJS("rewriteURL", rewrite_url, 0), OBJS("rewriteBody", rewrite_body, 0),
       OBJS("rewriteRequestBody", rewrite_body, 0), OBJS("rewriteResponseBody", rewrite_body, 0),
       STR("failCodes", 0), OBJ("auth", auth));

OBJECT(tls_node, "tls", STR("serverName", 0), BOOL("secure", 0), OBJ("options", tls_options));

OBJECT(connector, "connector", STR("type", GH_ALWAYS), OBJ("auth", auth), OBJ("tls", tls),
       FREE("metadata"));

OBJECT(dialer, "dialer", STR("type", GH_ALWAYS), OBJ("auth", auth), OBJ("tls", tls),
       FREE("metadata"));

OBJECT(node, "node", NAME, STR("addr", 0), STR("network", 0), REF("bypass", "bypasses"),
       REFS("bypasses", "bypasses"), REF("resolver", "resolvers"), REF("hosts", "hosts"),
       OBJ("connector", connector), OBJ("dialer", dialer), STR("interface", 0), STR("netns", 0),
       OBJ("sockopts", sockopts), OBJ("filter", filter), OBJ("matcher", matcher),
       OBJ("http", http_node), OBJ("tls", tls_node), OBJ("probe", probe), FREE("metadata"));

OBJECT(hop, "hop", NAME, STR("interface", 0), OBJ("sockopts", sockopts), OBJ("selector", selector),
       REF("bypass", "bypasses"), REFS("bypasses", "bypasses"), REF("resolver", "resolvers"),
       REF("hosts", "hosts"), OBJS("nodes", node, 0), LOADERS, PLUGIN, FREE("metadata"));

OBJECT(chain, "chain", NAME, OBJS("hops", hop, GH_ALWAYS | GH_HOP_REF), FREE("metadata"));

OBJECT(chain_entry, "chain group entry", REF("chain", "chains"), OBJ("matcher", matcher),
       OBJ("probe", probe));

OBJECT(chain_group, "chainGroup", OBJS("chains", chain_entry, GH_CHAIN_REF),
       OBJ("selector", selector));

/* ---- services ---- */

OBJECT(listener, "listener", STR("type", GH_ALWAYS), REF("chain", "chains"),
       OBJ("chainGroup", chain_group), REF("auther", "authers"), REFS("authers", "authers"),
       OBJ("auth", auth), OBJ("tls", tls), FREE("metadata"));

OBJECT(handler, "handler", STR("type", GH_ALWAYS), INT("retries", 0), REF("chain", "chains"),
       OBJ("chainGroup", chain_group), REF("auther", "authers"), REFS("authers", "authers"),
       OBJ("auth", auth), OBJ("tls", tls), REF("limiter", "limiters"), REF("observer", "observers"),
       FREE("metadata"));

OBJECT(forward_node, "target", STR("name", 0), STR("addr", 0), STR("network", 0),
       REF("bypass", "bypasses"), REFS("bypasses", "bypasses"), STR("protocol", 0), STR("host", 0),
       STR("path", 0), OBJ("filter", filter), OBJ("matcher", matcher), OBJ("auth", auth),
       OBJ("http", http_node), OBJ("tls", tls_node), OBJ("probe", probe), FREE("metadata"));

OBJECT(hop_entry, "hop group entry", REF("hop", "hops"), OBJ("matcher", matcher),
       OBJ("probe", probe));

OBJECT(hop_group, "hopGroup", OBJS("hops", hop_entry, 0), OBJ("selector", selector));

OBJECT(forwarder, "forwarder", REF("name", "hops"), REF("hop", "hops"), OBJ("selector", selector),
       OBJS("nodes", forward_node, GH_ALWAYS), OBJ("hopGroup", hop_group));

OBJECT(recorder_object, "recorder entry",
       {.key = "name", .type = GH_FIELD_STRING, .flags = GH_ALWAYS, .ref = "recorders"},
       STR("record", GH_ALWAYS), FREE("metadata"));

OBJECT(event, "event", INT("time", GH_ALWAYS), STR("msg", GH_ALWAYS));

OBJECT(stats, "stats", INT("totalConns", GH_ALWAYS), INT("currentConns", GH_ALWAYS),
       INT("totalErrs", GH_ALWAYS), INT("inputBytes", GH_ALWAYS), INT("outputBytes", GH_ALWAYS));

#define QUOTA_STATE                                                                           \
    INT("used", GH_ALWAYS), INT("limit", GH_ALWAYS), STR("startsAt", 0), STR("expiresAt", 0), \
        BOOL("active", GH_ALWAYS), BOOL("expired", 0), BOOL("blocked", GH_ALWAYS),            \
        STR("direction", 0)

OBJECT(service_quota, "quota status", NAME, QUOTA_STATE);

OBJECT(service_status, "service status", INT("createTime", GH_ALWAYS), STR("state", GH_ALWAYS),
       OBJS("events", event, 0), OBJ("stats", stats), BOOL("stoppedByLimit", 0),
       OBJS("quotas", service_quota, 0));

OBJECT(service, "service", NAME, STR("addr", 0), STR("interface", 0), OBJ("sockopts", sockopts),
       REF("admission", "admissions"), REFS("admissions", "admissions"), REF("bypass", "bypasses"),
       REFS("bypasses", "bypasses"), REF("resolver", "resolvers"), REF("hosts", "hosts"),
       REF("limiter", "limiters"), REFS("quotas", "quotas"), REF("climiter", "climiters"),
       REF("rlimiter", "rlimiters"), REF("logger", "loggers"), REFS("loggers", "loggers"),
       REF("observer", "observers"), REF("rewriter", "rewriters"),
       OBJS("recorders", recorder_object, 0), REF("cache", "caches"), OBJ("handler", handler),
       OBJ("listener", listener), OBJ("forwarder", forwarder), FREE("metadata"),
       OBJ("status", service_status));

/* ---- policies ---- */

OBJECT(auther, "auther", NAME, OBJS("auths", auth, 0), LOADERS, PLUGIN);

OBJECT(admission, "admission", NAME, BOOL("reverse", 0), BOOL("whitelist", 0), STRS("matchers"),
       LOADERS, PLUGIN);

OBJECT(bypass, "bypass", NAME, BOOL("reverse", 0), BOOL("whitelist", 0), STR("network", 0),
       STRS("matchers"), LOADERS, PLUGIN);

OBJECT(nameserver, "nameserver", STR("addr", GH_ALWAYS), REF("chain", "chains"), STR("prefer", 0),
       STR("clientIP", 0), STR("hostname", 0), DUR("ttl", 0), DUR("timeout", 0), BOOL("async", 0),
       STR("only", 0));

OBJECT(resolver, "resolver", NAME, OBJS("nameservers", nameserver, 0), PLUGIN);

OBJECT(mapping, "host mapping", STR("ip", GH_ALWAYS), STR("hostname", GH_ALWAYS), STRS("aliases"));

OBJECT(hosts, "hosts", NAME, OBJS("mappings", mapping, 0), LOADERS, PLUGIN);

OBJECT(ingress_rule, "ingress rule", STR("hostname", GH_ALWAYS), STR("endpoint", GH_ALWAYS));

OBJECT(ingress, "ingress", NAME, OBJS("rules", ingress_rule, 0), LOADERS, PLUGIN);

OBJECT(route, "route", STR("net", 0), STR("dst", 0), STR("gateway", GH_ALWAYS));

OBJECT(router, "router", NAME, OBJS("routes", route, 0), LOADERS, PLUGIN);

OBJECT(sd, "sd", NAME, PLUGIN);
OBJECT(observer, "observer", NAME, PLUGIN);
OBJECT(rewriter, "rewriter", NAME, PLUGIN);

OBJECT(rotation, "rotation", INT("maxSize", 0), INT("maxAge", 0), INT("maxBackups", 0),
       BOOL("localTime", 0), BOOL("compress", 0));

OBJECT(file_recorder, "file", STR("path", GH_ALWAYS), STR("sep", 0), OBJ("rotation", rotation));

OBJECT(tcp_recorder, "tcp", STR("addr", GH_ALWAYS), DUR("timeout", GH_ALWAYS));

OBJECT(http_recorder, "http", STR("url", GH_ALWAYS), DUR("timeout", 0), TEXTMAP("header"));

OBJECT(recorder, "recorder", NAME, OBJ("file", file_recorder), OBJ("tcp", tcp_recorder),
       OBJ("http", http_recorder), OBJ("redis", redis_loader), PLUGIN);

OBJECT(limiter, "limiter", NAME, STRS("limits"), LOADERS, PLUGIN);

OBJECT(quota_redis, "redis", STR("addr", GH_ALWAYS), INT("db", 0), STR("username", 0),
       STR("password", 0), STR("key", 0));

OBJECT(quota_store, "quota store", STR("type", GH_ALWAYS), STR("file", 0),
       OBJ("redis", quota_redis));

OBJECT(quota_status, "quota status", QUOTA_STATE);

OBJECT(quota, "quota", NAME, STR("limit", 0), STR("startsAt", 0), STR("expiresAt", 0),
       STR("direction", 0), STR("flush", 0), OBJ("store", quota_store),
       OBJ("status", quota_status));

OBJECT(memory_cache, "memory", DUR("ttl", 0), INT("maxSize", 0), INT("maxBytes", 0),
       DUR("cleanupInterval", 0), STR("eviction", 0));

OBJECT(redis_cache, "redis", STR("addr", GH_ALWAYS), INT("db", 0), STR("username", 0),
       STR("password", 0), DUR("ttl", 0), STR("key", 0));

OBJECT(cache, "cache", NAME, OBJ("memory", memory_cache), OBJ("redis", redis_cache));

/* ---- the process ---- */

OBJECT(log_object, "log", STR("output", 0), STR("level", 0), STR("format", 0),
       OBJ("rotation", rotation));

OBJECT(logger, "logger", NAME, OBJ("log", log_object));

OBJECT(profiling, "profiling", STR("addr", GH_ALWAYS));

OBJECT(api, "api", STR("addr", GH_ALWAYS), STR("pathPrefix", 0), BOOL("accesslog", 0),
       OBJ("auth", auth), REF("auther", "authers"));

OBJECT(metrics, "metrics", STR("addr", GH_ALWAYS), STR("path", 0), OBJ("auth", auth),
       REF("auther", "authers"));

OBJECT(root, "configuration", OBJS("services", service, GH_ALWAYS), OBJS("chains", chain, 0),
       OBJS("hops", hop, 0), OBJS("authers", auther, 0), OBJS("admissions", admission, 0),
       OBJS("bypasses", bypass, 0), OBJS("resolvers", resolver, 0), OBJS("hosts", hosts, 0),
       OBJS("ingresses", ingress, 0), OBJS("routers", router, 0), OBJS("sds", sd, 0),
       OBJS("recorders", recorder, 0), OBJS("rewriters", rewriter, 0), OBJS("caches", cache, 0),
       OBJS("limiters", limiter, 0), OBJS("quotas", quota, 0), OBJS("climiters", limiter, 0),
       OBJS("rlimiters", limiter, 0), OBJS("observers", observer, 0), OBJS("loggers", logger, 0),
       OBJ("tls", tls), OBJ("log", log_object), OBJ("profiling", profiling), OBJ("api", api),
       OBJ("metrics", metrics));

const struct gh_object *gh_schema_root(void)
{
    return root;
}

const struct gh_field *gh_schema_field(const struct gh_object *object, const char *key)
{
    for (const struct gh_field *f = object->fields; f->key != NULL; f++)
        if (strcasecmp(f->key, key) == 0)
            return f;
    return NULL;
}
