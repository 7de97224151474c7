// All hosts: who fails now, who is next, who is set up differently.
local panels = import 'panels.libsonnet';

function(kit, common)
  local ofHost = kit.ofHost;
  local ofNamespace = kit.ofNamespace;

  local hostUrl(job, instance) =
    '/d/timewait-host?${datasource:queryparam}&var-job=%s&var-instance=%s&${__url_time_range}' % [job, instance];
  local toHost = panels.linkColumn(
    'Open the host', hostUrl('${__data.fields.job}', '${__data.fields.instance}'), panels.width(220)
  );
  local seriesToHost = {
    overrides: [panels.byRegexp('.*', {
      links: [{
        title: 'Open ${__field.labels.instance}',
        url: hostUrl('${__field.labels.job}', '${__field.labels.instance}'),
      }],
    })],
  };

  local byHost(aggregation, selector) = '%s by (job, instance) (%s)' % [aggregation, selector];
  local usage = byHost('max', ofNamespace('timewait_connect_ports_usage_ratio_max'));
  local worstHosts = 'topk(20, %s)' % usage;
  local ofWorstHosts(expr) = panels.rows('%s and on (job, instance) %s' % [expr, worstHosts]);

  // The ten hosts with the highest values in the whole time range, so that no line comes and goes.
  local worst(expr, peak) = panels.query('%s and topk(10, %s)' % [expr, peak], '{{instance}}');
  local worstGauge(aggregation, selector) =
    worst(byHost(aggregation, selector), byHost(aggregation, 'max_over_time(%s[$__range] @ end())' % selector));
  local worstCounter(selectors) =
    local sum(range) = std.join(' + ', [byHost('sum', 'rate(%s%s)' % [each, range]) for each in selectors]);
    worst('(%s)' % sum('[$__rate_interval]'), '(%s)' % sum('[$__range] @ end()'));

  local tuple = 'job, instance, netns, local_address, remote_address, remote_port';
  local worstTuples = 'topk(20, max by (%s) (%s))' % [tuple, ofNamespace('timewait_connect_ports_usage_ratio')];
  local ofTuple(metric, more='') = 'sum by (%s) (%s)' % [tuple, ofNamespace(metric, more)];
  local ofWorstTuples(expr) = panels.rows('%s and on (%s) %s' % [expr, tuple, worstTuples]);

  local failures = ofHost('timewait_connect_failures_total');
  local notCounted = 'not counted';

  local now = panels.section('Is anything failing?', [
    panels.stat(
      'Hosts watched',
      'Exporters that answer Prometheus now. The number below is of those chosen above.',
      panels.instant('count(up{job=~"$job", instance=~"$instance"} == 1)'),
      { noValue: '0' }
    ),
    panels.stat(
      'Exporters down',
      'Targets that Prometheus cannot scrape. Of their hosts nothing is known, which is not the same as nothing wrong.',
      panels.instant('count(up{job=~"$job", instance=~"$instance"} == 0) or vector(0)'),
      { thresholds: panels.zeroThresholds(), links: [kit.runbook('TimewaitExporterDown')] }
    ),
    panels.stat(
      'Connects failing',
      |||
        connect() calls a second that fail with EADDRNOTAVAIL because no port is left. No counter of the kernel tells
        of them. "not counted" is shown where no exporter may use the kernel's event: it needs CAP_PERFMON.
      |||,
      panels.query('sum(%s)' % kit.rate(failures), 'failing'),
      {
        unit: 'cps',
        noValue: notCounted,
        thresholds: panels.zeroThresholds(),
        links: [kit.runbook('TimewaitConnectFailures')],
      }
    ),
    panels.stat(
      'Fullest destination',
      |||
        The highest share of ephemeral ports that one destination has taken, of all hosts. Each destination (remote
        address and port) has its own supply; at 100 % every further connect() to it fails.
      |||,
      panels.query('max(%s)' % ofNamespace('timewait_connect_ports_usage_ratio_max'), 'usage'),
      {
        unit: 'percentunit',
        decimals: 0,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitConnectPortsNearlyExhausted')],
      }
    ),
    panels.stat(
      'Entering TIME-WAIT',
      |||
        Connections that enter TIME-WAIT each second, of all hosts (TW + TWKilled). Each stays for 60 seconds. The
        number itself is no problem: what counts is how many of them share one destination.
      |||,
      panels.query(kit.entryRate(), 'entering'),
      { unit: 'cps' }
    ),
    panels.stat(
      'Advice',
      'Rules of severity critical or warning that speak, over all hosts; the table below names them.',
      panels.instant('sum(%s)' % ofNamespace('timewait_advice', 'severity=~"critical|warning"')),
      { thresholds: panels.zeroThresholds('orange') }
    ),
  ]);

  local failing = panels.colouredColumn(panels.zeroThresholds(), panels.absent(notCounted) {
    unit: 'cps',
    'custom.width': 120,
  });

  local worstNow = panels.section('The worst now', [
    panels.table(
      'Hosts with the fullest destination',
      |||
        The 20 hosts that are nearest to running out of ports. Preferred half: the ports that connect() tries first;
        at 100 % each connect() becomes slow, though nothing fails yet. bind(): the same for programs that bind to a
        source address and port 0. Click a host to see which destination it is.
      |||,
      [
        panels.rows(worstHosts),
        ofWorstHosts(byHost('max', ofNamespace('timewait_connect_preferred_ports_usage_ratio_max'))),
        ofWorstHosts(byHost('max', ofNamespace('timewait_bind_ports_usage_ratio_max'))),
        ofWorstHosts(byHost('sum', kit.rate(failures))),
        ofWorstHosts('(%s)' % kit.entryRate('job, instance')),
        ofWorstHosts(byHost('sum', ofNamespace('timewait_time_wait_sockets', 'role="client"'))),
        ofWorstHosts(byHost('sum', ofNamespace('timewait_sockets', 'state="close_wait"'))),
        ofWorstHosts(byHost('sum', ofNamespace('timewait_advice', 'severity=~"critical|warning"'))),
      ],
      [
        ['instance', 'Host', toHost],
        ['job', 'Job', panels.width(120)],
        ['Value #A', 'Fullest destination', panels.ratioColumn(kit.usage) + panels.width(180)],
        ['Value #B', 'Preferred half', panels.ratioColumn(kit.usage) + panels.width(180)],
        ['Value #C', 'bind()', panels.ratioColumn(kit.usage) + panels.width(180)],
        ['Value #D', 'Failing', failing],
        ['Value #E', 'Entering TIME-WAIT', { unit: 'cps' }],
        ['Value #F', 'TIME-WAIT as client', { decimals: 0 }],
        ['Value #G', 'CLOSE-WAIT', panels.count(110)],
        ['Value #H', 'Advice', panels.colouredColumn(panels.zeroThresholds('orange'), panels.width(80))],
      ],
      { sortBy: 'Fullest destination', links: [kit.runbook('TimewaitConnectPortsNearlyExhausted')] }
    ),
    panels.table(
      'Fullest destinations',
      |||
        The 20 fullest destinations of all hosts, and what holds their ports. Used + reusable is the cautious figure:
        a reusable port is free only if the remote host speaks TCP timestamps. Many in CLOSE-WAIT is a program that
        forgets to close.
      |||,
      [
        panels.rows(worstTuples),
        ofWorstTuples(ofTuple('timewait_connect_ports_used')),
        ofWorstTuples(ofTuple('timewait_connect_ports_reusable')),
        ofWorstTuples(ofTuple('timewait_connect_sockets', 'state="time_wait"')),
        ofWorstTuples(ofTuple('timewait_connect_sockets', 'state="established"')),
        ofWorstTuples(ofTuple('timewait_connect_sockets', 'state="close_wait"')),
      ],
      [
        ['instance', 'Host', toHost],
        ['job', 'Job', panels.width(120)],
        ['netns', 'Namespace', panels.width(110)],
        ['local_address', 'From'],
        ['remote_address', 'To'],
        ['remote_port', 'Port', panels.width(80)],
        ['Value #A', 'Usage', panels.ratioColumn(kit.usage) + panels.width(180)],
        ['Value #B', 'Used', panels.count(100)],
        ['Value #C', 'Reusable', panels.count(100)],
        ['Value #D', 'TIME-WAIT', panels.count(105)],
        ['Value #E', 'Established', panels.count(105)],
        ['Value #F', 'CLOSE-WAIT', panels.count(110)],
      ],
      { sortBy: 'Usage', links: [kit.runbook('TimewaitConnectPortsExhausted')] }
    ),
    panels.table(
      'Connects that found no port, in the time range',
      |||
        Which process could not connect to what, and how often, counted by the kernel's own event. It is of all
        network namespaces of a host, whatever is chosen above: self is the exporter's own. Empty is good, as long as
        "Connects failing" is not "not counted".
      |||,
      [panels.rows('topk(20, sum by (%s, process) (%s))' % [
        tuple,
        kit.failuresInRange(ofHost('timewait_connect_failures_by_destination_total')),
      ])],
      [
        ['instance', 'Host', toHost],
        ['job', 'Job', panels.width(120)],
        ['process', 'Process'],
        ['netns', 'Namespace'],
        ['local_address', 'From'],
        ['remote_address', 'To'],
        ['remote_port', 'Port'],
        ['Value', 'Failed connects', panels.colouredColumn(panels.zeroThresholds(), { decimals: 0 })],
      ],
      {
        height: 6,
        sortBy: 'Failed connects',
        noValue: kit.noFailures,
        links: [kit.runbook('TimewaitConnectFailures')],
      }
    ),
  ]);

  local overTime = panels.section('Over time: the ten highest hosts of the time range', [
    panels.timeseries(
      'Fullest destination of each host',
      'Share of the ephemeral ports that the fullest destination has taken. Half is where connect() becomes slow.',
      [worstGauge('max', ofNamespace('timewait_connect_ports_usage_ratio_max'))],
      seriesToHost { unit: 'percentunit', max: 1, thresholds: kit.usage }
    ),
    panels.timeseries(
      'Failing connects',
      'connect() calls a second that found no port.',
      [worstCounter([failures])],
      seriesToHost { unit: 'cps', noValue: notCounted, links: [kit.runbook('TimewaitConnectFailures')] }
    ),
    panels.timeseries(
      'Entering TIME-WAIT, by host',
      'Connections that enter TIME-WAIT each second. 28,232 ports carry 470 a second to one destination.',
      [worstCounter([
        ofNamespace('timewait_netstat_tw_total'),
        ofNamespace('timewait_netstat_tw_killed_total'),
      ])],
      seriesToHost { unit: 'cps' }
    ),
    panels.timeseries(
      'CLOSE-WAIT',
      |||
        The peer has closed and the program has not. There is no timeout: the socket, its descriptor and its port
        stay. A line that only rises is a leak in a program, and no sysctl mends it.
      |||,
      [worstGauge('sum', ofNamespace('timewait_sockets', 'state="close_wait"'))],
      seriesToHost { links: [kit.runbook('TimewaitCloseWaitAccumulating')] }
    ),
  ]);

  // One row for each value that the hosts have.
  local settings(names) = std.join(' or ', [
    'label_replace(count_values("value", %s), "sysctl", "net.ipv4.%s", "", "")' % [
      ofNamespace('timewait_sysctl_net_ipv4_' + name),
      name,
    ]
    for name in names
  ]);

  local setup = panels.section('Settings and advice', [
    panels.table(
      'Advice that speaks',
      'What is set wrongly or about to hurt, host by host. Click a rule for what it means, what to do and what not.',
      // The order of the queries is that of the rows.
      [
        panels.rows('sum by (job, instance, netns, rule, severity) (%s) > 0' %
                    ofNamespace('timewait_advice', 'severity="%s"' % severity))
        for severity in ['critical', 'warning', 'info']
      ],
      [
        ['severity', 'Severity', panels.severityColumn],
        ['rule', 'Rule', panels.linkColumn('What to do', kit.runbookOf('${__value.raw}'))],
        ['instance', 'Host', toHost],
        ['netns', 'Namespace', panels.width(110)],
      ],
      { width: 14, noValue: 'No rule speaks.' }
    ),
    panels.table(
      'Settings of the kernel, and how many hosts have them',
      |||
        A value that few hosts have is often a leftover of an old guide. tcp_tw_reuse is 2 (loopback only) by default,
        tcp_timestamps 1, tcp_fin_timeout 60, and the range begins at 32768.
      |||,
      [panels.rows(settings([
        'tcp_tw_reuse',
        'tcp_timestamps',
        'tcp_fin_timeout',
        'tcp_max_tw_buckets',
        'ip_local_port_range_min',
        'ip_local_port_range_max',
        'ip_local_reserved_ports_ports',
      ]))],
      [
        ['sysctl', 'Setting'],
        ['value', 'Value', panels.width(100)],
        ['Value', 'Hosts', panels.count(90)],
      ],
      { width: 10 }
    ),
  ]);

  panels.dashboard(common {
    uid: 'timewait-fleet',
    title: 'TIME-WAIT / Fleet',
    description: 'Which hosts run out of ephemeral ports, towards what, and which ones are set up differently.',
    variables: [kit.datasource, kit.job, kit.instance + panels.variables.several, kit.netns + panels.variables.several],
    annotations: [kit.alerts],
    sections: [now, worstNow, overTime, setup],
  })
