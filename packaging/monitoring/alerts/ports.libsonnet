// Ports that bind(), listeners and remote hosts hold.
local promql = import '../promql.libsonnet';
local alert = import 'alert.libsonnet';
local words = import 'words.libsonnet';

function(config)
  local settings(alert) = promql.settings(config, alert);
  local select(metric, matchers='') = promql.selector(config, metric, matchers);

  // One for a namespace: what an address holds, 0.0.0.0 and :: hold as well.
  local bind =
    local own = settings('TimewaitBindPortsNearlyExhausted');
    'avg_over_time(%s[%s]) > %s' % [select('timewait_bind_ports_usage_ratio_max'), own.window, own.threshold];

  local server =
    local own = settings('TimewaitServerQuadrupletsNearlyExhausted');
    promql.perTuple(
      function(metric) 'avg_over_time(%s[%s]) > %s' % [select(metric), own.window, own.threshold],
      'timewait_server_remote_ports_usage_ratio',
      promql.serverTuple,
    );

  local blocked =
    local own = settings('TimewaitEphemeralPortsBlocked');
    'sum without (evidence) (avg_over_time(%s[%s])) / %s > %s' % [
      select('timewait_ephemeral_ports_blocked'),
      own.window,
      select('timewait_ephemeral_ports'),
      own.threshold,
    ];

  local listener = 'max without (rule, severity) (%s) == 1' %
                   select('timewait_advice', 'rule="listener_inside_ephemeral_range"');

  [
    alert(
      config,
      'TimewaitBindPortsNearlyExhausted',
      bind,
      'Nearly all ephemeral ports of a local address are in use for bind().',
      |||
        On %s {{ $value | humanizePercentage }} of the ephemeral ports of a local address are in use; when all are,
        bind() to it and port 0 fails with EADDRINUSE.
      ||| % words.host,
      words.list(
        'topk(3, timewait_bind_ports_usage_ratio{%s})',
        ' Of {{ .Labels.local_address }} {{ .Value | humanizePercentage }} are.'
      ),
    ),
    alert(
      config,
      'TimewaitServerQuadrupletsNearlyExhausted',
      server,
      'A remote host has used up nearly all of its ports towards a listener.',
      |||
        On %s the connections from %s use {{ $value | humanizePercentage }} of the ports that a remote host is taken
        to have (server_assumed_remote_ports).
      ||| % [words.host, words.serverTuple],
    ),
    alert(
      config,
      'TimewaitEphemeralPortsBlocked',
      blocked,
      'bind() keeps ephemeral ports from connect().',
      |||
        On %s {{ $value | humanizePercentage }} of the ephemeral ports are closed to every connect(), whatever its
        destination: listeners or sockets that were bound hold them.
      ||| % words.host,
    ),
    alert(
      config,
      'TimewaitListenerInsideEphemeralRange',
      listener,
      'A program listens on a port that connect() may take while the program is stopped.',
      |||
        On %s a program listens on a port inside net.ipv4.ip_local_port_range that is not in
        net.ipv4.ip_local_reserved_ports; the exporter's log names the lowest.
      ||| % words.host,
    ),
  ]
