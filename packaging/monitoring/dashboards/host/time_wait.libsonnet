// TIME-WAIT: how fast connections enter it, how long they stay, how soon they go.
local panels = import '../panels.libsonnet';

function(kit)
  local entering = '(%s)' % kit.entryRate('job, instance, netns');
  local within(seconds) = kit.ofNamespace('timewait_time_wait_expiring_sockets', 'within_seconds="%s"' % seconds);
  local between(from, to) = panels.query(
    'sum(%s) - sum(%s)' % [within(to), within(from)], 'in %s to %s s' % [from, to]
  );

  panels.section('TIME-WAIT: how fast in, how long, how soon out', [
    panels.timeseries(
      'TIME-WAIT sockets by role',
      |||
        Whoever closes first keeps the connection for 60 seconds. client: connections that this host opened; each
        holds an ephemeral port towards its destination. server: accepted ones; they share the port of the listener
        and cost 256 bytes each, nothing more.
      |||,
      [panels.query('sum by (role) (%s)' % kit.ofNamespace('timewait_time_wait_sockets'), '{{role}}')],
      { width: 8, stacked: true, overrides: [panels.inColor('client', 'orange'), panels.inColor('server', 'blue')] }
    ),
    panels.timeseries(
      'Connections that enter TIME-WAIT',
      |||
        TW + TWKilled, FIN-WAIT-2 minisocks included. The dashed line is what one destination can sustain (ephemeral
        ports / 60). Above it nothing fails as long as the connections are spread over several destinations.
      |||,
      [
        panels.query('sum(%s)' % entering, 'entering'),
        panels.query('sum(%s)' % kit.rateOf('timewait_netstat_active_opens_total'), 'opened by this host'),
        panels.query('sum(%s)' % kit.rateOf('timewait_netstat_passive_opens_total'), 'accepted'),
        panels.query(kit.capacity + ' / 60', 'sustainable towards one destination'),
      ],
      { width: 8, unit: 'cps', overrides: [panels.limitLine('sustainable towards one destination')] }
    ),
    panels.timeseries(
      'How long they stay',
      |||
        Sockets in TIME-WAIT over the rate of entry (Little's law), so it holds where the rate is steady: too low
        while it rises, too high while it falls. Expect 60 seconds, which no sysctl changes. Less means that connect()
        took some over (tcp_tw_reuse), or that a new SYN or a RST ended them.
      |||,
      [panels.query(
        'sum(avg_over_time(%s[$__rate_interval])) / (sum(%s) > 0)' % [
          kit.ofNamespace('timewait_sockstat_tcp_time_wait'),
          entering,
        ],
        'mean time in TIME-WAIT'
      )],
      { width: 8, unit: 'suffix:s', noValue: 'no connection has entered TIME-WAIT' }
    ),
    panels.bargauge(
      'TIME-WAIT sockets that go within',
      |||
        How many of them are gone soon, and with them their ports: within 5, 15, 30 and 60 seconds from now,
        cumulative.
      |||,
      [
        panels.instant('sum(%s)' % within(seconds), seconds + ' s')
        for seconds in ['5', '15', '30', '60']
      ],
      { width: 8, color: panels.fixed('blue') }
    ),
    panels.timeseries(
      'Time left to TIME-WAIT sockets',
      'The same over time: even bands are a steady flow, a band that wanders from the bottom to the top was a burst.',
      [
        panels.query('sum(%s)' % within('5'), 'in 0 to 5 s'),
        between('5', '15'),
        between('15', '30'),
        between('30', '60'),
      ],
      { width: 8, stacked: true }
    ),
    panels.timeseries(
      'Room for TIME-WAIT',
      |||
        Share of tcp_max_tw_buckets that TIME-WAIT sockets have taken. At the limit connections close without
        TIME-WAIT and its protection, and only the counter TCPTimeWaitOverflow tells of it: raise the limit, it costs
        little.
      |||,
      [
        panels.query(
          'max(%s / %s)' % [
            kit.ofNamespace('timewait_sockstat_tcp_time_wait'),
            kit.ofNamespace('timewait_sysctl_net_ipv4_tcp_max_tw_buckets'),
          ],
          'TIME-WAIT / tcp_max_tw_buckets'
        ),
        panels.query(
          'sum(%s)' % kit.rateOf('timewait_netstat_tcp_time_wait_overflow_total'), 'closed without, per second'
        ),
      ],
      {
        width: 8,
        unit: 'percentunit',
        max: 1,
        thresholds: kit.usage,
        overrides: [
          panels.byName('closed without, per second', {
            max: null,
            unit: 'cps',
            color: panels.fixed('orange'),
            'custom.axisPlacement': 'right',
            'custom.axisSoftMax': 1,
          }),
        ],
        links: [kit.runbook('TimewaitBucketLimitNear'), kit.runbook('TimewaitBucketOverflow')],
      }
    ),
  ])
