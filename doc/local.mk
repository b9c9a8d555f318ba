# Manual pages and documents.
dist_man_MANS = doc/mmdnstapparse.5
dist_doc_DATA = doc/formats.md doc/hardening.md doc/migration.md doc/configuration.md doc/install.md doc/limits.md doc/servers.md \
	doc/adding-an-rr-type.md doc/compatibility.md doc/faults.md doc/fuzzing.md doc/performance.md doc/reliability.md doc/structure.md doc/testing.md doc/troubleshooting.md
