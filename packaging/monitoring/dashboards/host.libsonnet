// One host: is it in danger, which destination, what holds its ports, what to do.
local panels = import 'panels.libsonnet';

function(kit, common)
  local ofHost = kit.ofHost;
  local ofNamespace = kit.ofNamespace;
  local rate(metric, more='') = kit.rate(ofNamespace(metric, more));

  local tuple = 'local_address, remote_address, remote_port';
  local tupleLegend = '{{local_address}} → {{remote_address}}:{{remote_port}}';
  local byTuple(metric, more='') = 'sum by (%s) (%s)' % [tuple, ofNamespace(metric, more)];
  // The fullest destinations of the whole time range, so that no line comes and goes.
  local fullest(expr) = '%s and on (%s) topk(8, max by (%s) (max_over_time(%s[$__range] @ end())))' % [
    expr,
    tuple,
    tuple,
    ofNamespace('timewait_connect_ports_usage_ratio'),
  ];
  local capacity = 'max(%s)' % ofNamespace('timewait_ephemeral_ports');

  local fixed(name, color) = panels.byName(name, { color: panels.fixed(color) });
  local limitLine(name) = panels.byName(name, {
    color: panels.fixed('red'),
    'custom.lineStyle': { fill: 'dash', dash: [8, 6] },
    'custom.fillOpacity': 0,
    'custom.stacking': { mode: 'none', group: 'limit' },
  });
  local stateColors = [
    fixed('time_wait', 'blue'),
    fixed('established', 'green'),
    fixed('close_wait', 'red'),
    fixed('fin_wait1', 'light-purple'),
    fixed('fin_wait2', 'purple'),
    fixed('syn_sent', 'yellow'),
    fixed('syn_recv', 'light-yellow'),
    fixed('last_ack', 'orange'),
    fixed('listen', 'text'),
    fixed('other', 'text'),
  ];

  local needsSlabinfo = 'not readable: needs CAP_DAC_READ_SEARCH';

  local secondsLeft =
    |||
      min((
        (max by (job, instance, netns) (%(capacity)s) - on (job, instance, netns) group_right %(used)s)
        / (deriv(%(used)s[10m]) > 0.1)
      ) < 86400)
    ||| % {
      capacity: ofNamespace('timewait_ephemeral_ports'),
      used: ofNamespace('timewait_connect_ports_used'),
    };

  local danger = panels.section('Is this host in danger?', [
    panels.stat(
      'Fullest destination',
      |||
        Share of the ephemeral ports that the fullest destination (remote address and port) has taken. At 100 %
        connect() to it fails with EADDRNOTAVAIL; other destinations are not affected.
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
      'Full in',
      |||
        When the first destination runs out, if its use of ports goes on as in the last ten minutes. "not in sight" is
        what you want: no destination is growing, or it takes more than a day.
      |||,
      panels.instant(panels.oneLine(secondsLeft)),
      {
        unit: 's',
        noValue: 'not in sight',
        thresholds: panels.thresholds([['orange', 600], ['green', 7200]], 'red'),
        links: [kit.runbook('TimewaitConnectPortsExhaustionPredicted')],
      }
    ),
    panels.stat(
      'Connects failing',
      |||
        connect() calls a second that found no free port, in all network namespaces of the host. No counter of the
        kernel tells of them; the exporter counts a tracepoint of the kernel, for which it needs CAP_PERFMON.
      |||,
      panels.query('sum(%s)' % kit.rate(ofHost('timewait_connect_failures_total')), 'failing'),
      {
        unit: 'cps',
        noValue: 'not counted',
        thresholds: panels.zeroThresholds(),
        links: [kit.runbook('TimewaitConnectFailures')],
      }
    ),
    panels.stat(
      'Preferred half',
      |||
        connect() searches the ports of one parity first. This is how full they are for the fullest destination. At
        100 % each connect() searches through all of them in vain: it becomes slow, before anything fails.
      |||,
      panels.query('max(%s)' % ofNamespace('timewait_connect_preferred_ports_usage_ratio_max'), 'preferred half'),
      {
        unit: 'percentunit',
        decimals: 0,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitConnectPreferredPortsExhausted')],
      }
    ),
    panels.stat(
      'bind() to port 0',
      |||
        Share of the ports that bind(address, port 0) cannot take, for the fullest local address. Here every socket on
        the address counts, wherever it is connected to. At 100 % bind() fails with EADDRINUSE. Clients that set
        IP_BIND_ADDRESS_NO_PORT are not concerned.
      |||,
      panels.query('max(%s)' % ofNamespace('timewait_bind_ports_usage_ratio_max'), 'bind()'),
      {
        unit: 'percentunit',
        decimals: 0,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitBindPortsNearlyExhausted')],
      }
    ),
    panels.stat(
      'Sustainable per destination',
      |||
        New connections a second to one destination that the range carries, if this host closes first and nothing is
        reused: ephemeral ports / 60 seconds.
      |||,
      panels.query(capacity + ' / 60', 'sustainable'),
      { unit: 'cps', decimals: 0 }
    ),
  ]);

  local failuresBy(aggregation, range, at) =
    'sum by (process, remote_address, remote_port) (%s(%s[%s]%s))' % [
      aggregation,
      ofHost('timewait_connect_failures_by_destination_total'),
      range,
      at,
    ];

  local count = panels.count(105);

  local destinations = panels.section('Ports by destination, and what holds them', [
    panels.table(
      'Destinations',
      |||
        Each line has its own supply of ports. Used: ports that a new connect() from there to there cannot have.
        Reusable: in TIME-WAIT, but connect() may take them over if the remote host speaks TCP timestamps; if it does
        not, they are taken too. Then what holds the ports, by state. CLOSE-WAIT: the program on this host has not
        closed.
      |||,
      [panels.rows(byTuple('timewait_connect_ports_' + metric)) for metric in ['usage_ratio', 'used', 'reusable']]
      + [
        panels.rows(byTuple('timewait_connect_sockets', 'state="%s"' % state))
        for state in ['time_wait', 'established', 'close_wait', 'fin_wait2', 'syn_sent', 'other']
      ],
      [
        ['local_address', 'From'],
        ['remote_address', 'To'],
        ['remote_port', 'Port', panels.width(80)],
        ['Value #A', 'Usage', panels.ratioColumn(kit.usage) + panels.width(220)],
        ['Value #B', 'Used', count],
        ['Value #C', 'Reusable', count],
        ['Value #D', 'TIME-WAIT', count],
        ['Value #E', 'Established', count],
        ['Value #F', 'CLOSE-WAIT', panels.colouredColumn(panels.thresholds([['orange', 100]], 'text'), count)],
        ['Value #G', 'FIN-WAIT-2', count],
        ['Value #H', 'SYN-SENT', count],
        ['Value #I', 'Other', count],
      ],
      { sortBy: 'Usage', links: [kit.runbook('TimewaitConnectPortsExhausted')] }
    ),
    panels.timeseries(
      'Ports used by destination',
      |||
        The eight fullest destinations of the time range. The dashed line is the number of ephemeral ports: a
        destination that touches it is exhausted.
      |||,
      [
        panels.query(fullest(byTuple('timewait_connect_ports_used')), tupleLegend),
        panels.query(capacity, 'ephemeral ports'),
      ],
      {
        overrides: [limitLine('ephemeral ports')],
        links: [kit.runbook('TimewaitConnectPortsNearlyExhausted')],
      }
    ),
    panels.timeseries(
      'What holds the ports of connections to these destinations',
      'Sockets of all destinations with a series of their own, by state.',
      [panels.query('sum by (state) (%s)' % ofNamespace('timewait_connect_sockets'), '{{state}}')],
      { stacked: true, overrides: stateColors }
    ),
    panels.timeseries(
      'Failing connects by destination and process',
      |||
        connect() calls a second that found no port: who wanted to go where. Of all network namespaces of the host.
      |||,
      [panels.query(
        '%s and topk(10, %s)' % [
          failuresBy('rate', '$__rate_interval', ''),
          failuresBy('increase', '$__range', ' @ end()'),
        ],
        '{{process}} → {{remote_address}}:{{remote_port}}'
      )],
      {
        unit: 'cps',
        noValue: 'no connect() has failed for want of a port',
        links: [kit.runbook('TimewaitConnectFailures')],
      }
    ),
    panels.table(
      'Connects that found no port, in the time range',
      |||
        How many connect() calls have failed with EADDRNOTAVAIL, by process and destination. Namespace: self is the
        exporter's own network namespace.
      |||,
      [panels.rows('topk(20, sum by (process, netns, %s) (%s))' % [
        tuple,
        kit.failuresInRange(ofHost('timewait_connect_failures_by_destination_total')),
      ])],
      [
        ['process', 'Process', panels.width(130)],
        ['netns', 'Namespace', panels.width(150)],
        ['local_address', 'From'],
        ['remote_address', 'To'],
        ['remote_port', 'Port', panels.width(70)],
        ['Value', 'Failed', panels.colouredColumn(panels.zeroThresholds(), panels.count(90))],
      ],
      {
        width: 12,
        sortBy: 'Failed',
        noValue: 'No connect() has failed for want of a port.',
        links: [kit.runbook('TimewaitConnectFailures')],
      }
    ),
  ]);

  local blocked(evidence) = panels.query(
    'sum(%s)' % ofNamespace('timewait_ephemeral_ports_blocked', 'evidence="%s"' % evidence), 'blocked, ' + evidence
  );

  local others = panels.section('Ports that are closed to all, bind(), and the server side', [
    panels.timeseries(
      'Ephemeral ports of the host',
      |||
        unused: no socket has the port, so it is free for every destination. blocked: no connect() may use it,
        whatever its destination, because bind() took it; observed is certain, inferred an estimate. shared:
        connections have it, and connect() may use it again towards another destination.
      |||,
      [
        blocked('observed'),
        blocked('inferred'),
        panels.query(
          'clamp_min(sum(%s) - sum(%s) - sum(%s), 0)' % [
            ofNamespace('timewait_ephemeral_ports'),
            ofNamespace('timewait_ephemeral_ports_unused'),
            ofNamespace('timewait_ephemeral_ports_blocked'),
          ],
          'shared by connections'
        ),
        panels.query('sum(%s)' % ofNamespace('timewait_ephemeral_ports_unused'), 'unused'),
      ],
      {
        width: 7,
        stacked: true,
        overrides: [
          fixed('blocked, observed', 'red'),
          fixed('blocked, inferred', 'orange'),
          fixed('shared by connections', 'blue'),
          fixed('unused', 'green'),
        ],
        links: [kit.runbook('TimewaitEphemeralPortsBlocked')],
      }
    ),
    panels.timeseries(
      'bind() to port 0, by local address',
      |||
        Share of the ports that bind(address, port 0) cannot take. A program that binds to its source address without
        IP_BIND_ADDRESS_NO_PORT takes a port here for each connection, wherever it goes. 0.0.0.0 and :: stand for a
        bind to every address.
      |||,
      [panels.query(
        'topk(10, max by (local_address) (%s))' % ofNamespace('timewait_bind_ports_usage_ratio'), '{{local_address}}'
      )],
      {
        width: 7,
        unit: 'percentunit',
        max: 1,
        thresholds: kit.usage,
        links: [kit.runbook('TimewaitBindPortsNearlyExhausted')],
      }
    ),
    panels.table(
      "Clients of this host's servers",
      |||
        Quadruplets between a listening port and one remote host. The ports are the remote host's; the ratio takes it
        to have 28,232 of them (server_assumed_remote_ports). Seldom a problem here: a newer SYN takes the place of a
        TIME-WAIT socket. It tells which client is about to run out.
      |||,
      [
        panels.rows('max by (local_address, local_port, remote_address) (%s)' %
                    ofNamespace('timewait_server_remote_ports_usage_ratio')),
        panels.rows('max by (local_address, local_port, remote_address) (%s)' %
                    ofNamespace('timewait_server_remote_ports_used')),
      ],
      [
        ['local_address', 'Server'],
        ['local_port', 'Port', panels.width(65)],
        ['remote_address', 'Client'],
        ['Value #B', 'Used', panels.count(70)],
        ['Value #A', 'Usage', panels.ratioColumn(kit.usage) + panels.width(180)],
      ],
      {
        width: 10,
        sortBy: 'Used',
        noValue: 'No connection was accepted.',
        links: [kit.runbook('TimewaitServerQuadrupletsNearlyExhausted')],
      }
    ),
  ]);

  local entering = '(%s)' % kit.entryRate('job, instance, netns');
  local within(seconds) = ofNamespace('timewait_time_wait_expiring_sockets', 'within_seconds="%s"' % seconds);
  local between(from, to) = panels.query(
    'sum(%s) - sum(%s)' % [within(to), within(from)], 'in %s to %s s' % [from, to]
  );

  local timeWait = panels.section('TIME-WAIT: how fast in, how long, how soon out', [
    panels.timeseries(
      'TIME-WAIT sockets by role',
      |||
        Whoever closes first keeps the connection for 60 seconds. client: connections that this host opened; each
        holds an ephemeral port towards its destination. server: accepted ones; they share the port of the listener
        and cost 256 bytes each, nothing more.
      |||,
      [panels.query('sum by (role) (%s)' % ofNamespace('timewait_time_wait_sockets'), '{{role}}')],
      { width: 8, stacked: true, overrides: [fixed('client', 'orange'), fixed('server', 'blue')] }
    ),
    panels.timeseries(
      'Connections that enter TIME-WAIT',
      |||
        TW + TWKilled, FIN-WAIT-2 minisocks included. The dashed line is what one destination can sustain (ephemeral
        ports / 60). Above it nothing fails as long as the connections are spread over several destinations.
      |||,
      [
        panels.query('sum(%s)' % entering, 'entering'),
        panels.query('sum(%s)' % rate('timewait_netstat_active_opens_total'), 'opened by this host'),
        panels.query('sum(%s)' % rate('timewait_netstat_passive_opens_total'), 'accepted'),
        panels.query(capacity + ' / 60', 'sustainable towards one destination'),
      ],
      { width: 8, unit: 'cps', overrides: [limitLine('sustainable towards one destination')] }
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
          ofNamespace('timewait_sockstat_tcp_time_wait'),
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
            ofNamespace('timewait_sockstat_tcp_time_wait'),
            ofNamespace('timewait_sysctl_net_ipv4_tcp_max_tw_buckets'),
          ],
          'TIME-WAIT / tcp_max_tw_buckets'
        ),
        panels.query('sum(%s)' % rate('timewait_netstat_tcp_time_wait_overflow_total'), 'closed without, per second'),
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
  ]);

  local reuse = panels.section('Reuse and PAWS', [
    panels.timeseries(
      'Reuse of TIME-WAIT by connect()',
      |||
        Connects a second that took over a TIME-WAIT socket (TWRecycled: the name misleads, it counts tcp_tw_reuse),
        and ports that could be taken over now. Many reusable ports of a full destination while nothing is taken over:
        the remote host has no timestamps, and these ports are not free.
      |||,
      [
        panels.query('sum(%s)' % rate('timewait_netstat_tw_recycled_total'), 'taken over, per second'),
        panels.query('sum(%s)' % ofNamespace('timewait_connect_ports_reusable'), 'reusable ports'),
      ],
      {
        width: 8,
        overrides: [
          panels.byName('taken over, per second', { unit: 'cps', 'custom.axisPlacement': 'right' }),
        ],
        links: [
          kit.runbook('TimewaitConnectDependsOnTimeWaitReuse'),
          kit.runbook('TimewaitTimeWaitReuseNotHappening'),
        ],
      }
    ),
    panels.timeseries(
      'PAWS: segments dropped for their timestamp',
      |||
        Protection against wrapped sequence numbers. TIME-WAIT: a SYN of a client whose clock is behind, such as of
        several hosts behind one NAT address. tcp_tw_recycle (PAWSPassive, until Linux 4.11): clients that it refused.
        Kernels have some of these only; what is missing is not drawn.
      |||,
      [
        panels.query('sum(%s)' % rate('timewait_netstat_%s_total' % each[0]), each[1])
        for each in [
          ['paws_active', 'SYN-SENT'],
          ['paws_estab', 'established'],
          ['paws_timewait', 'TIME-WAIT'],
          ['paws_old_ack', 'old ACK'],
          ['ts_ecr_rejected', 'echo never sent'],
          ['paws_passive', 'tcp_tw_recycle'],
        ]
      ],
      { width: 8, unit: 'cps', links: [kit.runbook('TimewaitPawsRejectionsWithRecycle')] }
    ),
    panels.timeseries(
      'Ends without TIME-WAIT',
      |||
        Connections that were reset instead: they explain why there are fewer TIME-WAIT sockets than closes. Data:
        SO_LINGER with 0 seconds, or data that came after the close. Close: data was left unread at the close.
      |||,
      [
        panels.query('sum(%s)' % rate('timewait_netstat_tcp_abort_on_%s_total' % each), each)
        for each in ['data', 'close', 'linger', 'timeout', 'memory']
      ],
      { width: 8, unit: 'cps', links: [kit.runbook('linger_resets')] }
    ),
  ]);

  local states = panels.section('States', [
    panels.timeseries(
      'TCP sockets by state',
      'All TCP sockets, IPv4 and IPv6.',
      [panels.query('sum by (state) (%s)' % ofNamespace('timewait_sockets'), '{{state}}')],
      { stacked: true, overrides: stateColors, placement: 'right', height: 9 }
    ),
    panels.timeseries(
      'States that should pass quickly',
      |||
        CLOSE-WAIT that only rises: a program forgets to close. FIN-WAIT-2: the remote host is slow to close
        (tcp_fin_timeout is about this). SYN-SENT: a destination does not answer. LAST-ACK and FIN-WAIT-1: the remote
        host has vanished.
      |||,
      [panels.query(
        'sum by (state) (%s)' % ofNamespace(
          'timewait_sockets', 'state=~"close_wait|fin_wait1|fin_wait2|last_ack|syn_sent|syn_recv|closing"'
        ),
        '{{state}}'
      )],
      {
        overrides: stateColors,
        placement: 'right',
        height: 9,
        links: [kit.runbook('TimewaitCloseWaitAccumulating')],
      }
    ),
  ]);

  local size(caches) =
    'sum by (job, instance) (%s)' % ofHost('timewait_slab_object_size_bytes', 'cache=~"%s"' % caches);
  local held(number, caches) =
    'sum by (job, instance) (%s) * on (job, instance) %s' % [number, size(caches)];
  local caches = 'tw_sock_TCP|tw_sock_TCPv6|tcp_bind_bucket|tcp_bind2_bucket|request_sock_TCP|TCP|TCPv6';
  local ofCaches(metric) = panels.rows('sum by (cache) (%s)' % ofHost(metric, 'cache=~"%s"' % caches));

  local memory = panels.section('What TIME-WAIT costs in memory', [
    panels.timeseries(
      'Memory of TIME-WAIT, reckoned',
      |||
        Sockets × the size of one (tw_sock_TCP), and one bind bucket for each local port in use: an accepted
        connection shares the listener's, an outgoing one has its own. 40,000 of them are 10 to 20 MB. It is never a
        reason to fight TIME-WAIT.
      |||,
      [
        panels.query(
          held(ofNamespace('timewait_time_wait_sockets', 'role="server"'), 'tw_sock_TCP'), 'accepted'
        ),
        panels.query(
          held(ofNamespace('timewait_time_wait_sockets', 'role="client"'), 'tw_sock_TCP'), 'outgoing'
        ),
        panels.query(
          held(ofNamespace('timewait_bind_buckets'), 'tcp_bind2?_bucket'), 'bind buckets'
        ),
      ],
      {
        width: 7,
        unit: 'bytes',
        stacked: true,
        noValue: needsSlabinfo,
        overrides: [fixed('accepted', 'blue'), fixed('outgoing', 'orange'), fixed('bind buckets', 'purple')],
      }
    ),
    panels.table(
      'Slab caches, as slabtop shows them',
      |||
        Of the whole host, all network namespaces. Active is an upper bound: objects that lie ready on a CPU count as
        in use. The kernel may merge a cache with others of its size (bind buckets, usually): then only the size of an
        object is known.
      |||,
      [
        ofCaches('timewait_slab_object_size_bytes'),
        ofCaches('timewait_slab_objects'),
        ofCaches('timewait_slab_objects_active'),
        ofCaches('timewait_slab_size_bytes'),
        ofCaches('timewait_slab_merged'),
      ],
      [
        ['cache', 'Cache'],
        ['Value #B', 'Objects', panels.count(85) { noValue: '' }],
        ['Value #C', 'Active', panels.count(85) { noValue: '' }],
        ['Value #A', 'Object size', panels.count(100) { unit: 'bytes' }],
        ['Value #D', 'Cache size', panels.width(100) { unit: 'bytes', noValue: '' }],
        ['Value #E', 'Merged', panels.width(80) {
          noValue: '',
          mappings: [{ type: 'value', options: { '0': { text: 'no', index: 0 }, '1': { text: 'yes', index: 1 } } }],
        }],
      ],
      { width: 10, noValue: needsSlabinfo }
    ),
    panels.timeseries(
      'Beside what live connections take',
      |||
        Slabs of TIME-WAIT sockets, of full sockets, and the buffers of full sockets; of the whole host.
      |||,
      [
        panels.query(
          'sum(%s)' % ofHost('timewait_slab_size_bytes', 'cache=~"tw_sock_TCP|tw_sock_TCPv6"'), 'TIME-WAIT sockets'
        ),
        panels.query('sum(%s)' % ofHost('timewait_slab_size_bytes', 'cache=~"TCP|TCPv6"'), 'full sockets'),
        panels.query('sum(%s)' % ofHost('timewait_sockstat_tcp_memory_bytes'), 'socket buffers'),
      ],
      {
        width: 7,
        unit: 'bytes',
        noValue: needsSlabinfo,
        overrides: [
          fixed('TIME-WAIT sockets', 'blue'),
          fixed('full sockets', 'green'),
          fixed('socket buffers', 'orange'),
        ],
      }
    ),
  ]);

  // Their names as sysctl(8) writes them: only the dots before the last part have become underscores.
  local sysctls = std.foldl(
    function(expr, part) 'label_replace(%s, "sysctl", "%s$1", "__name__", "timewait_sysctl_%s_(.+)")' % [
      expr,
      part + '.',
      std.strReplace(part, '.', '_'),
    ],
    ['net.ipv4', 'net.core', 'net.netfilter'],
    '{__name__=~"timewait_sysctl_net_.+", job=~"$job", instance=~"$instance", netns=~"$netns"}'
  );

  local setup = panels.section('Settings and advice', [
    panels.table(
      'Advice',
      |||
        Checks of the settings against what this host does. Click a rule for what it means, what to do, and what not
        to touch. A rule that is missing lacks a source.
      |||,
      [panels.rows('sum by (rule, severity) (%s)' % ofNamespace('timewait_advice'))],
      [
        ['Value', 'State', {
          'custom.width': 90,
          'custom.cellOptions': { type: 'color-text' },
          mappings: [{ type: 'value', options: {
            '0': { text: 'silent', color: 'green', index: 1 },
            '1': { text: 'speaks', color: 'orange', index: 0 },
          } }],
        }],
        ['severity', 'Severity', panels.width(100)],
        ['rule', 'Rule', panels.linkColumn('What to do', kit.runbookOf('${__value.raw}'))],
      ],
      { width: 12, height: 14, sortBy: 'State' }
    ),
    panels.table(
      'Settings of the kernel',
      |||
        The sysctls that govern TIME-WAIT and ephemeral ports, in the exporter's network namespace; dots are
        underscores. A pair has _min and _max, a list of ports its length as _ports. One that this kernel lacks is not
        there.
      |||,
      [panels.rows('sum by (sysctl) (%s)' % sysctls)],
      [
        ['sysctl', 'Setting'],
        ['Value', 'Value', { unit: 'none', 'custom.width': 120 }],
      ],
      { width: 12, height: 14 }
    ),
  ]);

  panels.dashboard(common {
    uid: 'timewait-host',
    title: 'TIME-WAIT / Host',
    description: 'One host: which destination runs out of ephemeral ports, what holds them, and what to do.',
    variables: [kit.datasource, kit.job, kit.instance + panels.variables.one, kit.netns + panels.variables.one],
    annotations: [kit.alerts, kit.started, kit.reloaded],
    sections: [danger, destinations, others, timeWait, reuse, states, memory, setup],
  })
