// Destinations whose ports last only if connect() takes over TIME-WAIT sockets.
local promql = import '../promql.libsonnet';
local alert = import 'alert.libsonnet';
local words = import 'words.libsonnet';

function(config)
  local settings(alert) = promql.settings(config, alert);
  local select(metric) = promql.selector(config, metric);

  // What of the ports sockets hold, those that connect() may take over included, as a share; not where a share of
  // them is in use that other alerts look at. `more` is added to the sockets.
  local held(own, more='') = |||
    (
      avg_over_time(%(used)s[%(window)s]) + avg_over_time(%(reusable)s[%(window)s])%(more)s
    ) / ignoring (%(tuple)s) group_left %(capacity)s > %(threshold)s
    unless
    avg_over_time(%(ratio)s[%(window)s]) > %(threshold)s
  ||| % own {
    used: select('timewait_connect_ports_used'),
    reusable: select('timewait_connect_ports_reusable'),
    ratio: select('timewait_connect_ports_usage_ratio'),
    capacity: select('timewait_ephemeral_ports'),
    tuple: promql.connectTuple,
    more: more,
  };

  // While reuse works, connect() stays within the half of the ports that it searches first. What it takes over in a
  // minute is what TIME-WAIT would hold beside that.
  local depends =
    local own = settings('TimewaitConnectDependsOnTimeWaitReuse');
    local halfFull = own { threshold: promql.number(config.alerts.TimewaitConnectDependsOnTimeWaitReuse.heldThreshold) };
    local takenOver = '\n  + ignoring (%s) group_left 60 * rate(%s[%s])' %
                      [promql.connectTuple, select('timewait_netstat_tw_recycled_total'), own.reuseWindow];
    promql.group(held(own, takenOver)) + '\nand\n' + promql.group(held(halfFull));

  local notHappening =
    local own = settings('TimewaitTimeWaitReuseNotHappening');
    promql.group(held(own)) + '\nand\n' + promql.group(|||
      avg_over_time(%s[%s]) * %g
      > ignoring (%s) group_left
      increase(%s[%s])
    ||| % [
      select('timewait_connect_ports_reusable'),
      own.window,
      own.share,
      promql.connectTuple,
      select('timewait_netstat_tw_recycled_total'),
      own.reuseWindow,
    ]);

  [
    alert(
      config,
      'TimewaitConnectDependsOnTimeWaitReuse',
      depends,
      'A destination would run out of ephemeral ports without TIME-WAIT reuse.',
      |||
        On %s connections %s would hold {{ $value | humanizePercentage }} of the ephemeral ports if connect() did not
        take over TIME-WAIT sockets.
      ||| % [words.host, words.connectTuple],
    ),
    alert(
      config,
      'TimewaitTimeWaitReuseNotHappening',
      notHappening,
      'TIME-WAIT sockets that connect() should take over are not taken over.',
      |||
        On %s {{ $value | humanizePercentage }} of the ephemeral ports %s are in use or in TIME-WAIT, and hardly any
        have been taken over in the last %s: the remote host may be without TCP timestamps.
      ||| % [words.host, words.connectTuple, config.alerts.TimewaitTimeWaitReuseNotHappening.reuseWindow],
    ),
  ]
