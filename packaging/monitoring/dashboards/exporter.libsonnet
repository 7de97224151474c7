// The exporter itself: does it see everything, and what does it cost?
local panels = import 'panels.libsonnet';

function(kit, common)
  local ofHost = kit.ofHost;
  local ofNamespace = kit.ofNamespace;
  local own(metric, more='') = ofHost('timewait_exporter_' + metric, more);

  local okColumn = panels.colouredColumn(panels.noThresholds, {
    mappings: [{ type: 'value', options: {
      '0': { text: 'failed', color: 'red', index: 0 },
      '1': { text: 'ok', color: 'green', index: 1 },
    } }],
  });

  local byCollector(expr) = 'max by (job, instance, collector) (%s)' % expr;

  local now = panels.section('Can its figures be trusted?', [
    panels.stat(
      'Up',
      'Exporters that answer Prometheus now.',
      panels.instant('sum(up{job=~"$job", instance=~"$instance"})'),
      { links: [kit.runbook('TimewaitExporterDown')] }
    ),
    panels.stat(
      'Down',
      'Targets that Prometheus cannot scrape.',
      panels.instant('count(up{job=~"$job", instance=~"$instance"} == 0) or vector(0)'),
      { thresholds: panels.zeroThresholds(), links: [kit.runbook('TimewaitExporterDown')] }
    ),
    panels.stat(
      'Oldest figures',
      |||
        Age of the oldest snapshot that an exporter hands out. Exporters poll the kernel by their own clock, every 15
        seconds by default, whoever scrapes; much more than three intervals means that polling is stuck.
      |||,
      panels.query('max(time() - %s)' % own('snapshot_timestamp_seconds'), 'age'),
      {
        unit: 's',
        decimals: 0,
        thresholds: panels.thresholds([['orange', 60], ['red', 180]]),
        links: [kit.runbook('TimewaitSnapshotStale')],
      }
    ),
    panels.stat(
      'Failing collectors',
      |||
        Collectors whose last poll could not read all of its sources. For an exporter without privileges those of
        slabinfo and connect_failures are expected: grant them, or switch them off.
      |||,
      panels.instant('count(%s == 0) or vector(0)' % own('collector_success')),
      { thresholds: panels.zeroThresholds('orange'), links: [kit.runbook('TimewaitCollectorFailing')] }
    ),
    panels.stat(
      'Refused reloads',
      |||
        Exporters that were told to read their configuration again, found it bad and kept the old one; the log says
        why.
      |||,
      panels.instant('count(%s == 0) or vector(0)' % own('config_last_reload_successful')),
      { thresholds: panels.zeroThresholds('orange') }
    ),
    panels.stat(
      'Counting failures',
      |||
        Exporters that count the connects that find no port. The others lack CAP_PERFMON, a tracefs that they may
        read, or a kernel.perf_event_paranoid of at most 2.
      |||,
      panels.instant('sum(%s)' % ofHost('timewait_connect_failures_available')),
      { noValue: 'switched off', links: [kit.runbook('TimewaitConnectFailures')] }
    ),
    panels.table(
      'Collectors',
      |||
        The last poll of each collector. Interval: from one poll to the next; sock_diag waits longer on a host with
        very many sockets, to stay within its share of a core (cpu_budget_ratio). CPU: share of one core.
      |||,
      [
        panels.rows(byCollector(own('collector_success'))),
        panels.rows(byCollector('time() - ' + own('collector_last_success_timestamp_seconds'))),
        panels.rows(byCollector(own('collector_interval_seconds'))),
        panels.rows(byCollector(own('collector_duration_seconds'))),
        panels.rows(byCollector(kit.rate(own('collector_cpu_seconds_total')))),
      ],
      [
        ['instance', 'Host', panels.width(220)],
        ['collector', 'Collector', panels.width(150)],
        ['Value #A', 'Last poll', okColumn + panels.width(100)],
        ['Value #B', 'Last success', panels.count(120) { unit: 's', noValue: 'never' }],
        ['Value #C', 'Interval', panels.width(100) { unit: 's' }],
        ['Value #D', 'Duration', panels.width(100) { unit: 's' }],
        ['Value #E', 'CPU', { unit: 'percentunit', decimals: 3 }],
      ],
      { width: 15, height: 10, sortBy: 'Last poll', ascending: true, links: [kit.runbook('TimewaitCollectorFailing')] }
    ),
    panels.table(
      'What these kernels do not offer',
      |||
        Counters and sysctls that were looked for and not found: removed from newer kernels (PAWSPassive and
        tcp_tw_recycle went in Linux 4.12), not in older ones yet, or not in a network namespace other than the
        host's. Panels that want them say so instead of showing 0.
      |||,
      [panels.rows(
        'count by (name) (label_replace(%s == 0, "name", "$1", "field", "(.+)")' %
        ofNamespace('timewait_netstat_field_available')
        + ' or label_replace(%s == 0, "name", "$1", "sysctl", "(.+)"))' % ofNamespace('timewait_sysctl_available')
      )],
      [['name', 'Counter or sysctl'], ['Value', 'Hosts without', panels.count(120)]],
      { width: 9, height: 10, noValue: 'Everything is there.' }
    ),
  ]);

  local cost = panels.section('What it costs', [
    panels.timeseries(
      'CPU time of the collectors',
      'Share of one core, by collector. sock_diag is bounded by cpu_budget_ratio, 2 % by default.',
      [panels.query('sum by (collector) (%s)' % kit.rate(own('collector_cpu_seconds_total')), '{{collector}}')],
      { unit: 'percentunit', stacked: true, width: 8 }
    ),
    panels.timeseries(
      'Duration of a poll',
      'The longest of the chosen exporters. It grows with the number of sockets.',
      [panels.query('max by (collector) (%s)' % own('collector_duration_seconds'), '{{collector}}')],
      { unit: 's', width: 8 }
    ),
    panels.timeseries(
      'Interval in force',
      |||
        Time from one poll to the next. Where it rises above the configured one, polls have become dear, and figures
        are older than usual; raise cpu_budget_ratio if that matters more than the CPU time.
      |||,
      [panels.query('max by (collector) (%s)' % own('collector_interval_seconds'), '{{collector}}')],
      { unit: 's', width: 8 }
    ),
    panels.timeseries(
      'Memory of the process',
      'Resident memory of each exporter.',
      [panels.query('max by (instance) (%s)' % ofHost('process_resident_memory_bytes'), '{{instance}}')],
      { unit: 'bytes', width: 8 }
    ),
    panels.timeseries(
      'CPU time of the process',
      'Share of one core of each exporter: collectors, scrapes and failed connects together.',
      [panels.query('sum by (instance) (%s)' % kit.rate(ofHost('process_cpu_seconds_total')), '{{instance}}')],
      { unit: 'percentunit', width: 8 }
    ),
    panels.timeseries(
      'Open file descriptors',
      'Each connection of a scraper takes one, and each CPU one for the event of failed connects.',
      [panels.query('max by (instance) (%s)' % ofHost('process_open_fds'), '{{instance}}')],
      { width: 8 }
    ),
  ]);

  local polling = panels.section('Polls, errors and scrapes', [
    panels.timeseries(
      'Errors',
      |||
        Sources a second that could not be read, by collector and reason: unavailable (the kernel does not offer it),
        permission, io, malformed, interrupted. The log says each once.
      |||,
      [panels.query(
        'sum by (collector, reason) (%s) > 0' % kit.rate(own('collector_errors_total')), '{{collector}}: {{reason}}'
      )],
      {
        unit: 'ops',
        width: 8,
        noValue: 'Every source could be read.',
        links: [kit.runbook('TimewaitCollectorFailing')],
      }
    ),
    panels.timeseries(
      'Polls and missed deadlines',
      'Rounds of polling a second, of all chosen exporters, and deadlines left out because a round took too long.',
      [
        panels.query('sum(%s)' % kit.rate(own('polls_total')), 'polls'),
        panels.query('sum(%s)' % kit.rate(own('poll_overruns_total')), 'missed deadlines'),
      ],
      {
        unit: 'ops',
        width: 8,
        overrides: [panels.inColor('missed deadlines', 'red')],
      }
    ),
    panels.timeseries(
      'Age of the figures',
      'A saw tooth between 0 and the interval of polling. A line that rises on and on is a daemon that is stuck.',
      [panels.query(
        'max by (instance) (time() - %s)' % own('snapshot_timestamp_seconds'), '{{instance}}'
      )],
      { unit: 's', width: 8, links: [kit.runbook('TimewaitSnapshotStale')] }
    ),
    panels.timeseries(
      'Duration of a scrape',
      'As Prometheus sees it. A scrape hands out what the last poll found, so it should take milliseconds.',
      [panels.query(
        'max by (instance) (scrape_duration_seconds{job=~"$job", instance=~"$instance"})', '{{instance}}'
      )],
      { unit: 's', width: 8 }
    ),
    panels.timeseries(
      'Series of a scrape',
      'Samples that Prometheus takes from each exporter. `top` in the configuration bounds those of destinations.',
      [panels.query(
        'max by (instance) (scrape_samples_scraped{job=~"$job", instance=~"$instance"})', '{{instance}}'
      )],
      { width: 8 }
    ),
    panels.timeseries(
      'Failed connects without a destination',
      'Counted, but their records were lost in a flood of failures: the total is exact, the destinations are not.',
      [panels.query(
        'sum by (instance) (%s)' % kit.rate(ofHost('timewait_connect_failures_lost_total')), '{{instance}}'
      )],
      { unit: 'cps', width: 8, noValue: 'Failed connects are not counted.' }
    ),
  ]);

  local sight = panels.section('What is left out, and versions', [
    panels.timeseries(
      'Destinations and clients without a series',
      |||
        Only the fullest 20 (`top`) have series of their own; the _max gauges cover all. This many more there are.
      |||,
      [
        panels.query('sum(%s)' % ofNamespace('timewait_connect_tuples_omitted'), 'destinations of connect()'),
        panels.query('sum(%s)' % ofNamespace('timewait_server_tuples_omitted'), 'remote hosts of servers'),
        panels.query('sum(%s)' % ofNamespace('timewait_bind_local_addresses_omitted'), 'local addresses of bind()'),
      ],
      { width: 7 }
    ),
    panels.timeseries(
      'Sockets that a figure may lack',
      |||
        0 means exact. Above max_tuples destinations the heaviest are followed, and a figure may lack this many
        sockets.
      |||,
      [
        panels.query('max(%s)' % ofNamespace('timewait_connect_sockets_error_bound'), 'connect()'),
        panels.query('max(%s)' % ofNamespace('timewait_server_sockets_error_bound'), 'servers'),
      ],
      { width: 7 }
    ),
    panels.table(
      'Versions and sources',
      |||
        What runs where, and which interface of the kernel it reads: proc_net_tcp is the slow one, where netlink is
        refused.
      |||,
      [
        panels.rows('max by (job, instance, version, revision) (%s)' % own('build_info')),
        panels.rows('max by (job, instance, source) (%s == 1)' % ofNamespace('timewait_socket_source')),
      ],
      [
        ['instance', 'Host', panels.width(220)],
        ['version', 'Version', panels.width(80)],
        ['revision', 'Revision'],
        ['source', 'Sockets from'],
      ],
      { width: 10 }
    ),
  ]);

  panels.dashboard(common {
    uid: 'timewait-exporter',
    title: 'TIME-WAIT / Exporter health',
    description: 'Whether timewait_exporter sees everything, how old its figures are and what it costs.',
    variables: [kit.datasource, kit.job, kit.instance + panels.variables.several, kit.netns + panels.variables.several],
    annotations: [kit.started, kit.reloaded],
    sections: [now, cost, polling, sight],
  })
