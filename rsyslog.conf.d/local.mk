# A ready configuration per destination, installed beside the documents.
CONF_FILES = rsyslog.conf.d/10-dnstap-json-file.conf \
	rsyslog.conf.d/cef-tcp.conf rsyslog.conf.d/cef-tls.conf \
	rsyslog.conf.d/elasticsearch.conf rsyslog.conf.d/kafka.conf \
	rsyslog.conf.d/logstash-tcp.conf rsyslog.conf.d/logstash-udp.conf \
	rsyslog.conf.d/passivedns.conf \
	rsyslog.conf.d/relay-centre.conf rsyslog.conf.d/relay-edge.conf \
	rsyslog.conf.d/elasticsearch/dnstap-ecs.template.json \
	rsyslog.conf.d/logstash/dnstap.conf
# What confines rsyslogd, beside them.
nobase_dist_doc_DATA = $(CONF_FILES) systemd/rsyslog-dnstap.conf apparmor/rsyslog-dnstap
