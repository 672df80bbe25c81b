# host - the program gost-host.
# SPDX-License-Identifier: MIT

# All of the host but main(): what its unit tests and fuzz targets are linked with.
noinst_LIBRARIES += libgh.a
libgh_a_SOURCES = \
	%D%/action.c \
	%D%/action.h \
	%D%/action_ask.c \
	%D%/action_file.c \
	%D%/action_inspect.c \
	%D%/action_open.c \
	%D%/auth.c \
	%D%/auth.h \
	%D%/bind.c \
	%D%/bind.h \
	%D%/bridge.c \
	%D%/bridge.h \
	%D%/carrier.c \
	%D%/carrier.h \
	%D%/carrier_private.h \
	%D%/carrier_reload.c \
	%D%/chain.c \
	%D%/chain.h \
	%D%/cli.c \
	%D%/cli.h \
	%D%/component.c \
	%D%/component.h \
	%D%/conf_access.c \
	%D%/conf_check.c \
	%D%/conf_emit.c \
	%D%/conf_emit.h \
	%D%/conf_emit_internal.h \
	%D%/conf_emit_scalar.c \
	%D%/conf_emit_yaml.c \
	%D%/conf_errors.c \
	%D%/conf_errors.h \
	%D%/conf_gourl.c \
	%D%/conf_gourl.h \
	%D%/conf_json.c \
	%D%/conf_load.c \
	%D%/conf_load.h \
	%D%/conf_load_internal.h \
	%D%/conf_merge.c \
	%D%/conf_meta.c \
	%D%/conf_meta.h \
	%D%/conf_normalise.c \
	%D%/conf_number.c \
	%D%/conf_number.h \
	%D%/conf_parse.h \
	%D%/conf_schema.c \
	%D%/conf_schema.h \
	%D%/conf_search.c \
	%D%/conf_source.c \
	%D%/conf_text.c \
	%D%/conf_text.h \
	%D%/conf_tree.c \
	%D%/conf_tree.h \
	%D%/conf_types.c \
	%D%/conf_types.h \
	%D%/conf_url.c \
	%D%/conf_url.h \
	%D%/conf_url_internal.h \
	%D%/conf_url_lift.c \
	%D%/conf_url_node.c \
	%D%/conf_url_params.c \
	%D%/conf_url_ports.c \
	%D%/conf_url_service.c \
	%D%/conf_yaml.c \
	%D%/conf_yaml_scalar.c \
	%D%/confbuild.c \
	%D%/confbuild.h \
	%D%/confset.c \
	%D%/confset_private.h \
	%D%/confset_use.c \
	%D%/confset.h \
	%D%/endpoint.c \
	%D%/endpoint.h \
	%D%/endpoint_private.h \
	%D%/endpoint_visit.c \
	%D%/errand.c \
	%D%/errand.h \
	%D%/explain.c \
	%D%/explain.h \
	%D%/flow.c \
	%D%/gather.c \
	%D%/gather.h \
	%D%/flow.h \
	%D%/grave.c \
	%D%/grave.h \
	%D%/hash.c \
	%D%/hash.h \
	%D%/hop.c \
	%D%/hop.h \
	%D%/host.h \
	%D%/io_assoc.c \
	%D%/io_dial.c \
	%D%/io_error.c \
	%D%/io_internal.h \
	%D%/io_keyed.c \
	%D%/io_keymap.c \
	%D%/io_keymap.h \
	%D%/io_listen.c \
	%D%/io_main.c \
	%D%/io_names.c \
	%D%/io_packets.c \
	%D%/io_poll.c \
	%D%/io_reserve.c \
	%D%/io_sock.c \
	%D%/io_splice.c \
	%D%/io_udp.c \
	%D%/io_worker.c \
	%D%/join.c \
	%D%/join.h \
	%D%/limits.c \
	%D%/limits.h \
	%D%/log.c \
	%D%/memory.c \
	%D%/memory.h \
	%D%/log.h \
	%D%/naming.c \
	%D%/naming.h \
	%D%/net.h \
	%D%/node.c \
	%D%/node.h \
	%D%/observe.c \
	%D%/observe.h \
	%D%/own_table.c \
	%D%/pin.c \
	%D%/pin.h \
	%D%/plugin.h \
	%D%/plugin_crash.c \
	%D%/plugin_list.c \
	%D%/plugin_load.c \
	%D%/plugin_note.c \
	%D%/plugin_registry.c \
	%D%/policy.c \
	%D%/policy.h \
	%D%/policy_ask.c \
	%D%/policy_index.c \
	%D%/policy_private.h \
	%D%/policy_source.c \
	%D%/policy_target.c \
	%D%/record.c \
	%D%/record.h \
	%D%/record_flow.c \
	%D%/reload.c \
	%D%/reload.h \
	%D%/resolver.c \
	%D%/resolver.h \
	%D%/remote.c \
	%D%/remote.h \
	%D%/remote_packets.c \
	%D%/remote_private.h \
	%D%/route.c \
	%D%/route.h \
	%D%/route_node.c \
	%D%/route_private.h \
	%D%/running.c \
	%D%/running.h \
	%D%/sdnotify.c \
	%D%/sdnotify.h \
	%D%/selector.c \
	%D%/selector.h \
	%D%/service.c \
	%D%/service.h \
	%D%/shared_table.c \
	%D%/shared_table.h \
	%D%/single.c \
	%D%/single.h \
	%D%/siphash.c \
	%D%/siphash.h \
	%D%/stackdef.c \
	%D%/stackdef.h \
	%D%/supervise.c \
	%D%/supervise.h \
	%D%/worker_plugins.c
libgh_a_CPPFLAGS = $(HOST_CPPFLAGS)
libgh_a_CFLAGS = $(HOST_CFLAGS)

HOST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/sdk/engine -I$(top_srcdir)/sdk/loader \
	-DGH_PLUGIN_DIR='"$(plugindir)"' -DGH_CONF_DIR='"$(confdir)"'
HOST_CFLAGS = $(AM_CFLAGS) $(UV_CFLAGS) $(YAML_CFLAGS) $(CJSON_CFLAGS)
HOST_LIBS = libgh.a libgost-engine.a libgost-helpers.a \
	$(UV_LIBS) $(YAML_LIBS) $(CJSON_LIBS) $(DL_LIBS) -lm

bin_PROGRAMS += gost-host
gost_host_SOURCES = %D%/main.c
gost_host_CPPFLAGS = $(HOST_CPPFLAGS)
gost_host_CFLAGS = $(HOST_CFLAGS)
gost_host_LDADD = $(HOST_LIBS)

EXTRA_DIST += %D%/README.md
