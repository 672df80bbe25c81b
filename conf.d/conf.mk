# conf.d - what is printed by the built programs (man pages, snippets), and how it is installed.
# SPDX-License-Identifier: MIT

if GENERATED_DOCS
PLUGIN_MANS = $(plugin_PROGRAMS:plugins/%.so=man/gost-%.7)
PLUGIN_SNIPPETS = $(plugin_PROGRAMS:plugins/%.so=conf.d/plugins/%.yml)

noinst_DATA = man/gost-host.1 $(PLUGIN_MANS) $(PLUGIN_SNIPPETS)
CLEANFILES += $(noinst_DATA)

# Printing is no test: what a program that ends at once still holds must not stop a build with
# sanitizers.
PRINT = ASAN_OPTIONS=detect_leaks=0

man/gost-host.1: gost-host
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(PRINT) ./gost-host --man >$@.tmp && mv $@.tmp $@

man/gost-%.7: plugins/%.so gost-plugin-check
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(PRINT) ./gost-plugin-check --man $< >$@.tmp && mv $@.tmp $@

conf.d/plugins/%.yml: plugins/%.so gost-plugin-check
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(PRINT) ./gost-plugin-check --conf-snippet $< >$@.tmp \
		&& mv $@.tmp $@

install-data-local: $(noinst_DATA)
	$(MKDIR_P) "$(DESTDIR)$(mandir)/man1" "$(DESTDIR)$(mandir)/man7"
	$(INSTALL_DATA) man/gost-host.1 "$(DESTDIR)$(mandir)/man1"
	for man in $(PLUGIN_MANS); do \
		$(INSTALL_DATA) $$man "$(DESTDIR)$(mandir)/man7" || exit 1; \
	done

uninstall-local:
	rm -f "$(DESTDIR)$(mandir)/man1/gost-host.1"
	for man in $(PLUGIN_MANS); do rm -f "$(DESTDIR)$(mandir)/man7/$${man##*/}"; done
endif

# A file that is there already is the user's, whatever it says. One that was changed outlives us.
install-data-hook:
	$(MKDIR_P) "$(DESTDIR)$(confdir)"
	for file in $(srcdir)/%D%/10-default.yml $(PLUGIN_SNIPPETS); do \
		target="$(DESTDIR)$(confdir)/$${file##*/}"; \
		test -e "$$target" || $(INSTALL_DATA) "$$file" "$$target" || exit 1; \
	done

uninstall-hook:
	for file in $(srcdir)/%D%/10-default.yml $(PLUGIN_SNIPPETS); do \
		target="$(DESTDIR)$(confdir)/$${file##*/}"; \
		if cmp -s "$$file" "$$target"; then rm -f "$$target"; fi; \
	done

EXTRA_DIST += %D%/10-default.yml
