// Ports by destination: how many are left, what holds the others, and who found none.
local panels = import '../panels.libsonnet';

function(kit)
  local tuple = 'local_address, remote_address, remote_port';
  local tupleLegend = '{{local_address}} → {{remote_address}}:{{remote_port}}';
  local byTuple(metric, more='') = 'sum by (%s) (%s)' % [tuple, kit.ofNamespace(metric, more)];
  // The fullest destinations of the whole time range, so that no line comes and goes.
  local fullest(expr) = '%s and on (%s) topk(8, max by (%s) (max_over_time(%s[$__range] @ end())))' % [
    expr,
    tuple,
    tuple,
    kit.ofNamespace('timewait_connect_ports_usage_ratio'),
  ];

  local failuresBy(aggregation, range, at) =
    'sum by (process, remote_address, remote_port) (%s(%s[%s]%s))' % [
      aggregation,
      kit.ofHost('timewait_connect_failures_by_destination_total'),
      range,
      at,
    ];

  local count = panels.count(105);

  panels.section('Ports by destination, and what holds them', [
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
        panels.query(kit.capacity, 'ephemeral ports'),
      ],
      {
        overrides: [panels.limitLine('ephemeral ports')],
        links: [kit.runbook('TimewaitConnectPortsNearlyExhausted')],
      }
    ),
    panels.timeseries(
      'What holds the ports of connections to these destinations',
      'Sockets of all destinations with a series of their own, by state.',
      [panels.query('sum by (state) (%s)' % kit.ofNamespace('timewait_connect_sockets'), '{{state}}')],
      { stacked: true, overrides: kit.stateColors }
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
        noValue: kit.noFailures,
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
        kit.failuresInRange(kit.ofHost('timewait_connect_failures_by_destination_total')),
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
        noValue: kit.noFailures,
        links: [kit.runbook('TimewaitConnectFailures')],
      }
    ),
  ])
