// Destinations whose ports last only if connect() takes over TIME-WAIT sockets.
local promql = import '../promql.libsonnet';
local alert = import 'alert.libsonnet';
local words = import 'words.libsonnet';

function(config)
  local settings(alert) = promql.settings(config, alert);
  local select(metric) = promql.selector(config, metric);

  // The ports that would be in use without reuse, as a share, near capacity; not where they are in use anyway.
  local withoutReuse(own) = |||
    (
      avg_over_time(%(used)s[%(window)s]) + avg_over_time(%(reusable)s[%(window)s])
    ) / ignoring (%(tuple)s) group_left %(capacity)s > %(threshold)s
    unless
    avg_over_time(%(ratio)s[%(window)s]) > %(threshold)s
  ||| % own {
    used: select('timewait_connect_ports_used'),
    reusable: select('timewait_connect_ports_reusable'),
    ratio: select('timewait_connect_ports_usage_ratio'),
    capacity: select('timewait_ephemeral_ports'),
    tuple: promql.connectTuple,
  };

  local notHappening =
    local own = settings('TimewaitTimeWaitReuseNotHappening');
    promql.group(withoutReuse(own)) + '\n' + |||
      and ignoring (%s)
      increase(%s[%s]) == 0
    ||| % [promql.connectTuple, select('timewait_netstat_tw_recycled_total'), own.reuseWindow];

  [
    alert(
      config,
      'TimewaitConnectDependsOnTimeWaitReuse',
      withoutReuse(settings('TimewaitConnectDependsOnTimeWaitReuse')),
      'A destination would run out of ephemeral ports without TIME-WAIT reuse.',
      |||
        On %s {{ $value | humanizePercentage }} of the ephemeral ports %s are in use or in TIME-WAIT; only
        those that connect() may take over are left.
      ||| % [words.host, words.connectTuple],
    ),
    alert(
      config,
      'TimewaitTimeWaitReuseNotHappening',
      notHappening,
      'TIME-WAIT sockets that connect() should take over are not taken over.',
      |||
        On %s {{ $value | humanizePercentage }} of the ephemeral ports %s are in use or in TIME-WAIT, and none has
        been taken over in the last %s: the remote host may be without TCP timestamps.
      ||| % [words.host, words.connectTuple, config.alerts.TimewaitTimeWaitReuseNotHappening.reuseWindow],
    ),
  ]
