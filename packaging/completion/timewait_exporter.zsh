#compdef timewait_exporter
# zsh completion for timewait_exporter(1)

_arguments -s \
  '(-h --help)'{-h,--help}'[print the flags and exit]' \
  '--version[print version and revision and exit]' \
  '--config.file=[configuration]:file:_files -g "*.(yml|yaml)"' \
  '--config.check[check the configuration and exit]' \
  '--once[poll once, print the metrics and exit]' \
  '--list-collectors[list the collectors and exit]' \
  '--list-metrics[list every metric and exit]' \
  '*--web.listen-address=[where to listen]:address' \
  '--web.telemetry-path=[path of the metrics]:path' \
  '--web.systemd-socket[take the listening sockets from systemd]' \
  '--web.enable-lifecycle[let POST /-/reload read the configuration again]' \
  '--web.config.file=[TLS, passwords and headers]:file:_files -g "*.(yml|yaml)"' \
  '(--no-collector.sock_diag)--collector.sock_diag[switch on TCP sockets]' \
  '(--collector.sock_diag)--no-collector.sock_diag[switch off TCP sockets]' \
  '(--no-collector.netstat)--collector.netstat[switch on counters of TCP]' \
  '(--collector.netstat)--no-collector.netstat[switch off counters of TCP]' \
  '(--no-collector.sockstat)--collector.sockstat[switch on /proc/net/sockstat]' \
  '(--collector.sockstat)--no-collector.sockstat[switch off /proc/net/sockstat]' \
  '(--no-collector.slabinfo)--collector.slabinfo[switch on slab caches]' \
  '(--collector.slabinfo)--no-collector.slabinfo[switch off slab caches]' \
  '(--no-collector.sysctl)--collector.sysctl[switch on sysctls]' \
  '(--collector.sysctl)--no-collector.sysctl[switch off sysctls]' \
  '(--no-collector.connect_failures)--collector.connect_failures[switch on connects that found no port]' \
  '(--collector.connect_failures)--no-collector.connect_failures[switch off connects that found no port]' \
  '(--no-collector.advice)--collector.advice[switch on rules]' \
  '(--collector.advice)--no-collector.advice[switch off rules]' \
  '--collector.disable-defaults[only collectors that are switched on by name]' \
  '--path.procfs=[where procfs is mounted]:directory:_files -/' \
  '--path.sysfs=[where sysfs is mounted]:directory:_files -/' \
  '--path.recording=[read a recorded host]:directory:_files -/' \
  '--log.level=[least level of the log]:level:(debug info warn error)' \
  '--log.format=[format of the log]:format:(logfmt json)'
