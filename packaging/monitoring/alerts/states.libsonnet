// Sockets in TIME-WAIT and CLOSE-WAIT, and what is done to those in TIME-WAIT.
local promql = import '../promql.libsonnet';
local alert = import 'alert.libsonnet';
local words = import 'words.libsonnet';

function(config)
  local settings(alert) = promql.settings(config, alert);
  local select(metric, matchers='') = promql.selector(config, metric, matchers);
  local recycle = select('timewait_sysctl_net_ipv4_tcp_tw_recycle') + ' > 0';

  local limitNear =
    local own = settings('TimewaitBucketLimitNear');
    'avg_over_time(%s[%s]) / %s > %s' % [
      select('timewait_sockstat_tcp_time_wait'),
      own.window,
      select('timewait_sysctl_net_ipv4_tcp_max_tw_buckets'),
      own.threshold,
    ];

  local overflow =
    local own = settings('TimewaitBucketOverflow');
    'increase(%s[%s]) > %s' % [select('timewait_netstat_tcp_time_wait_overflow_total'), own.window, own.threshold];

  local rejections =
    local own = settings('TimewaitPawsRejectionsWithRecycle');
    'rate(%s[%s]) > %s\nand\n' % [select('timewait_netstat_paws_passive_total'), own.window, own.threshold] +
    recycle;

  // What is always there: a connection that is being closed passes through CLOSE-WAIT, too.
  local closeWait =
    local own = settings('TimewaitCloseWaitAccumulating');
    'sum without (family, state) (min_over_time(%s[%s])) > %s' % [
      select('timewait_sockets', 'state="close_wait"'),
      own.window,
      own.threshold,
    ];

  [
    alert(
      config,
      'TimewaitBucketLimitNear',
      limitNear,
      'The number of TIME-WAIT sockets is near tcp_max_tw_buckets.',
      |||
        On %s TIME-WAIT sockets are at {{ $value | humanizePercentage }} of net.ipv4.tcp_max_tw_buckets; connections
        that close beyond it get no TIME-WAIT.
      ||| % words.host,
    ),
    alert(
      config,
      'TimewaitBucketOverflow',
      overflow,
      'Connections end without TIME-WAIT and its protection.',
      |||
        On %s {{ $value | humanize }} connections ended without TIME-WAIT in the last %s, because
        net.ipv4.tcp_max_tw_buckets was reached or memory was short.
      ||| % [words.host, config.alerts.TimewaitBucketOverflow.window],
    ),
    alert(
      config,
      'TimewaitPawsRejectionsWithRecycle',
      rejections,
      'tcp_tw_recycle has clients behind NAT refused.',
      |||
        On %s {{ $value | humanize }} connection attempts a second are dropped for an old timestamp, and
        net.ipv4.tcp_tw_recycle is on.
      ||| % words.host,
    ),
    alert(
      config,
      'TimewaitTcpTwRecycleEnabled',
      recycle,
      'tcp_tw_recycle is on, which breaks clients behind NAT.',
      'On %s net.ipv4.tcp_tw_recycle is {{ $value | humanize }}.' % words.host,
    ),
    alert(
      config,
      'TimewaitCloseWaitAccumulating',
      closeWait,
      'A program does not close connections that its peers have closed.',
      |||
        On %s {{ $value | humanize }} sockets or more have been in CLOSE-WAIT throughout the last %s.
      ||| % [words.host, config.alerts.TimewaitCloseWaitAccumulating.window],
      words.list(
        'topk(1, timewait_connect_sockets{state="close_wait",%s} > 0)',
        ' Now {{ .Value | humanize }} are from {{ .Labels.local_address }} to {{ .Labels.remote_address }} ' +
        'port {{ .Labels.remote_port }}.'
      ) + words.list(
        'topk(1, timewait_server_sockets{state="close_wait",%s} > 0)',
        ' Now {{ .Value | humanize }} are accepted ones from {{ .Labels.remote_address }} ' +
        'to {{ .Labels.local_address }} port {{ .Labels.local_port }}.'
      ),
    ),
  ]
