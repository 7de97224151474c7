// connect(): ports towards one destination.
local promql = import '../promql.libsonnet';
local alert = import 'alert.libsonnet';
local words = import 'words.libsonnet';

function(config)
  local settings(alert) = promql.settings(config, alert);
  local select(metric, matchers='') = promql.selector(config, metric, matchers);
  local ratio = 'timewait_connect_ports_usage_ratio';
  local perTuple(condition) = promql.perTuple(condition, ratio, promql.connectTuple);

  // A destination's series begins with its first failures, of which increase() knows nothing. That it was not there
  // before says something only where the daemon was scraped then, or has not run for so long.
  local risen(destinations) = |||
    (
      (%(of)s unless %(of)s offset %(window)s) > 0
      and ignoring (%(labels)s)
      (%(total)s offset %(window)s or %(started)s > time() - %(seconds)d)
    )
    or
    increase(%(of)s[%(window)s]) > 0
  ||| % {
    of: destinations,
    window: config.alerts.TimewaitConnectFailures.window,
    seconds: promql.seconds(config.alerts.TimewaitConnectFailures.window),
    labels: 'netns, %s, process' % promql.connectTuple,
    total: select('timewait_connect_failures_total'),
    started: select('process_start_time_seconds'),
  };

  local failures =
    local own = settings('TimewaitConnectFailures');
    local byDestination = 'timewait_connect_failures_by_destination_total';
    // What is counted under `other` has moved there and need not be new.
    local parts = own {
      total: select('timewait_connect_failures_total'),
      started: select('process_start_time_seconds'),
      destinations: select(byDestination, 'remote_address!="other"'),
      seconds: promql.seconds(own.window),
    };
    // The total counts from the daemon's start on: of a young one all of it is new.
    local recent = promql.group(|||
      increase(%(total)s[%(window)s]) > %(threshold)s
      or
      (%(total)s > %(threshold)s and %(started)s > time() - %(seconds)d)
    ||| % parts);
    // One alert for a destination, whichever of many short-lived processes fail.
    local attributed = 'sum without (netns, process) ' + promql.group(risen(parts.destinations));
    local unattributed = recent + '\nunless ignoring (%s)\n' % promql.connectTuple + attributed;
    attributed + '\nand ignoring (%s)\n' % promql.connectTuple + recent + '\nor\n' + promql.group(unattributed);

  // At 1 the ratio falls and rises again with each port that comes free.
  local exhausted =
    local own = settings('TimewaitConnectPortsExhausted');
    perTuple(function(metric) 'max_over_time(%s[%s]) >= %s' % [select(metric), own.window, own.threshold]);
  // Where bind() has taken every port there need not be a tuple.
  local allBlocked =
    local own = settings('TimewaitConnectPortsExhausted');
    promql.group(|||
      sum without (evidence) (%(blocked)s) / %(capacity)s >= %(threshold)s
      unless
      max_over_time(%(highest)s[%(window)s]) >= %(threshold)s
    ||| % own {
      blocked: select('timewait_ephemeral_ports_blocked'),
      capacity: select('timewait_ephemeral_ports'),
      highest: select(ratio + '_max'),
    }) + '\nor\n' +
    // Reserved, all of them: there is nothing that a ratio could be of.
    '(%s == 0) + 1' % select('timewait_ephemeral_ports');

  local nearly =
    local own = settings('TimewaitConnectPortsNearlyExhausted');
    perTuple(function(metric) 'avg_over_time(%s[%s]) > %s' % [select(metric), own.window, own.threshold]);

  // The long window tells a trend from noise, the short one from a step that is over.
  local predicted =
    local own = settings('TimewaitConnectPortsExhaustionPredicted');
    local condition(metric) = promql.group(|||
      (1 - %(metric)s) / (deriv(%(metric)s[%(window)s]) > 0) < %(seconds)d
      and
      (1 - %(metric)s) / (deriv(%(metric)s[%(shortWindow)s]) > 0) < %(seconds)d
      and
      %(metric)s > %(threshold)s
    ||| % own { metric: select(metric), seconds: promql.seconds(own.horizon) });
    // The highest figure makes steps of its own where one tuple takes over from another.
    local highest = condition(ratio + '_max') + '\nunless ignoring (%s)\n' % promql.connectTuple + select(ratio);
    condition(ratio) + '\nor\n' + promql.group(highest);

  local preferred =
    local own = settings('TimewaitConnectPreferredPortsExhausted');
    local metric = select('timewait_connect_preferred_ports_usage_ratio_max');
    'max_over_time(%s[%s]) >= %s' % [metric, own.window, own.threshold];

  [
    alert(
      config,
      'TimewaitConnectFailures',
      failures,
      'connect() fails for want of an ephemeral port.',
      |||
        On {{ $labels.instance }} connects %s fail with EADDRNOTAVAIL: {{ $value | humanize }} in the last %s.
      ||| % [words.connectTuple, config.alerts.TimewaitConnectFailures.window],
      words.failedProcesses(risen('%[1]s')),
    ),
    alert(
      config,
      'TimewaitConnectPortsExhausted',
      exhausted + '\nor\n' + allBlocked,
      'All ephemeral ports towards a destination are in use.',
      |||
        On %s {{ $value | humanizePercentage }} of the ephemeral ports %s were in use within the last %s: there
        connect() fails with EADDRNOTAVAIL.
      ||| % [words.host, words.connectTuple, config.alerts.TimewaitConnectPortsExhausted.window],
    ),
    alert(
      config,
      'TimewaitConnectPortsNearlyExhausted',
      nearly,
      'Nearly all ephemeral ports towards a destination are in use.',
      |||
        On %s {{ $value | humanizePercentage }} of the ephemeral ports %s are in use.
      ||| % [words.host, words.connectTuple],
    ),
    alert(
      config,
      'TimewaitConnectPortsExhaustionPredicted',
      predicted,
      'At this rate the ephemeral ports towards a destination will run out.',
      |||
        On %s the ephemeral ports %s will run out in {{ $value | humanizeDuration }} if they go on as
        in the last %s.
      ||| % [words.host, words.connectTuple, config.alerts.TimewaitConnectPortsExhaustionPredicted.window],
    ),
    alert(
      config,
      'TimewaitConnectPreferredPortsExhausted',
      preferred,
      'connect() is slow: the half of the ephemeral ports that it searches first is full.',
      |||
        On %s a destination has {{ $value | humanizePercentage }} of the half of the ephemeral ports that connect()
        searches first in use, and searches it in vain at each connect().
      ||| % words.host,
      words.list(
        'topk(1, timewait_connect_ports_usage_ratio{%s})',
        ' The fullest, from {{ .Labels.local_address }} to {{ .Labels.remote_address }} ' +
        'port {{ .Labels.remote_port }}, has {{ .Value | humanizePercentage }} of both halves in use.'
      ),
    ),
  ]
