// prometheusRules: what fleets are compared by. NAME is of level:metric:operations.
local promql = import '../promql.libsonnet';

{
  local config = self._config,
  local select(metric, matchers='') = promql.selector(config, metric, matchers),
  local ratio = select('timewait_connect_ports_usage_ratio'),
  local capacity = select('timewait_ephemeral_ports'),
  local timeWaitSeconds = 60,
  local trend = '20m',

  prometheusRules+:: {
    groups+: [
      {
        name: 'timewait-rules',
        rules: [
          // The tuple that is nearest to exhaustion, with its labels, and how near that is whether it is shown or not.
          {
            record: 'job:timewait_connect_ports_usage_ratio:topk1',
            expr: 'topk by (job) (1, %s)' % ratio,
          },
          {
            record: 'job:timewait_connect_ports_usage_ratio:max',
            expr: 'max by (job) (%s)' % select('timewait_connect_ports_usage_ratio_max'),
          },
          // TWKilled is where closes are counted while tcp_fin_timeout is 4 seconds or less.
          {
            record: 'instance_netns:timewait_time_wait_entries:rate5m',
            expr: 'rate(%s[5m]) + rate(%s[5m])' % [
              select('timewait_netstat_tw_total'),
              select('timewait_netstat_tw_killed_total'),
            ],
          },
          // How many connections a second one destination stands if this host closes them first.
          {
            record: 'instance_netns:timewait_sustainable_connects:per_second',
            expr: '%s / %d' % [capacity, timeWaitSeconds],
          },
          // What the entries make of that, as if all were of one destination: above 1 is no trouble where they are
          // of many, or of accepted connections.
          {
            record: 'instance_netns:timewait_sustainable_connects_usage_ratio:rate5m',
            expr: |||
              instance_netns:timewait_time_wait_entries:rate5m
              / instance_netns:timewait_sustainable_connects:per_second
            |||,
          },
          // The same of the destination that has most sockets in TIME-WAIT, which are what a minute brought.
          {
            record: 'instance_netns:timewait_sustainable_connects_usage_ratio:max',
            expr: |||
              max without (%s, state) (%s)
              / %s
            ||| % [promql.connectTuple, select('timewait_connect_sockets', 'state="time_wait"'), capacity],
          },
          // Seconds until a tuple's ports are exhausted; absent where they do not become fewer.
          {
            record: 'instance_netns_tuple:timewait_connect_ports_exhaustion_seconds:deriv' + trend,
            expr: '(1 - %s) / (deriv(%s[%s]) > 0)' % [ratio, ratio, trend],
          },
          {
            record: 'job:timewait_connect_ports_exhaustion_seconds:min',
            expr: 'min by (job) (instance_netns_tuple:timewait_connect_ports_exhaustion_seconds:deriv%s)' % trend,
          },
        ],
      },
    ],
  },
}
